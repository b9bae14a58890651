using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>The network swallows everything between source and target. Apart from <see cref="InterruptedCloneTest"/>, because deadlines take their time.</summary>
public sealed class DeadLinkCloneTest : CloneTest
{
    /// <summary>No packet comes back, and no error tells anybody: while files come, and (the last of the direct method's is a small one) when it is to be ended.</summary>
    [Theory]
    [InlineData("direct", "base/1")]
    [InlineData("direct", "base/1/PG_VERSION")]
    [InlineData("rsync", "base/1/PG_VERSION")]
    [InlineData("basebackup", "repmgr_clone.staging/base/1/PG_VERSION")]
    public async Task The_link_to_the_source_goes_dead(string method, string whenThereIs)
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        await FillAsync(source, 20_000);
        var run = CloneRun.Start(target, Clone(source, $"--method={method}", "--max-rate=4M"));
        await Eventually.TrueAsync(
            () => Task.FromResult(run.Ended.IsCompleted || Path.Exists(Path.Combine(target.DataDirectory, whenThereIs))), Seconds(60), "it is as far as that");
        await source.Host!.IsolateAsync();
        Assert.NotEqual(0, (await run.Ended).ExitCode);
        (await run.Ended).ShouldSay("un the command again");
        await source.Host!.RejoinAsync();
        await CannotBeStartedAsync(target);
        (await CloneAsync(target, Clone(source, $"--method={method}"))).ShouldSucceed().ShouldSay("is continued");
        await LeftBackupModeAsync(source, silence: 60);
        await StartsAndStreamsAsync(target, source);
    }
}
