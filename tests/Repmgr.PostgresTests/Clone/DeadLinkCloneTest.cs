using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>The network swallows everything between source and target. Apart from <see cref="InterruptedCloneTest"/>, because deadlines take their time.</summary>
public sealed class DeadLinkCloneTest : CloneTest
{
    /// <summary>No packet comes back, and no error tells anybody: while files come, and (the last of the direct method's is a small one) when it is to be ended.</summary>
    /// <param name="method">How it is copied.</param>
    /// <param name="whenThereIs">What has come when the link goes dead.</param>
    /// <param name="awaitsSource">Wait, too, until the source has missed us: that is the same for all that read its files, and takes half a minute.</param>
    [Theory]
    [InlineData("direct", "base/1", true)]
    [InlineData("direct", "base/1/PG_VERSION", false)]
    [InlineData("rsync", "base/1/PG_VERSION", false)]
    [InlineData("basebackup", "repmgr_clone.staging/base/1/PG_VERSION", true)]
    public async Task The_link_to_the_source_goes_dead(string method, string whenThereIs, bool awaitsSource)
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        await source.ConfigureAsync("wal_sender_timeout = 5s");
        await source.ReloadAsync();
        await FillAsync(source, 20_000);
        // Asked for a sign of life sooner than by default (SignsOfLife): the deadlines are the operator's to set.
        string[] arguments = Clone(source, $"--method={method}", "--max-rate=8M");
        arguments[Array.IndexOf(arguments, "-d") + 1] = "dbname=repmgr keepalives_idle=2 keepalives_interval=1 keepalives_count=3 tcp_user_timeout=5000";
        var run = CloneRun.Start(target, arguments);
        await Eventually.TrueAsync(
            () => Task.FromResult(run.Ended.IsCompleted || Path.Exists(Path.Combine(target.DataDirectory, whenThereIs))), Seconds(60), "it is as far as that");
        await source.Host!.IsolateAsync();
        Assert.NotEqual(0, (await run.Ended).ExitCode);
        (await run.Ended).ShouldSay("un the command again");
        await source.Host!.RejoinAsync();
        await CannotBeStartedAsync(target);
        (await CloneAsync(target, Clone(source, $"--method={method}"))).ShouldSucceed().ShouldSay("is continued");
        if (awaitsSource)
            await LeftBackupModeAsync(source, silence: 60);
        await StartsAndStreamsAsync(target, source);
    }
}
