using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary><c>pg_wal</c> on a disk of its own: a link on the source, on the target, or both.</summary>
public sealed class WalDirectoryTest : CloneTest
{
    [Theory, EveryMajor]
    public async Task Pg_basebackup_puts_wal_elsewhere_and_a_forced_or_resumed_clone_keeps_it_there(int major)
    {
        var (source, target) = await OnLoopbackAsync(major);
        await source.StopAsync();
        await MoveWalAsync(source, await Lab.SubdirectoryAsync("wal of node1"));
        await source.StartAsync();
        await FillAsync(source, 20_000);
        string wal = await Lab.SubdirectoryAsync("wal-of-node2");
        await target.WriteConfAsync($"pg_basebackup_options='--waldir={wal}'");

        var run = CloneRun.Start(target, BaseBackup(source, "--max-rate=8M"));
        Assert.True(await run.KillAsync(
            "repmgr", () => Task.FromResult(File.Exists(Path.Combine(target.DataDirectory, "repmgr_clone.staging/base/1/PG_VERSION")))), "the clone ended before it could be killed");
        await run.Ended;
        (await CloneAsync(target, BaseBackup(source))).ShouldSucceed();
        await StartsAndStreamsAsync(target, source);
        Assert.Equal(wal, WalLink(target));

        await target.StopAsync();
        (await CloneAsync(target, BaseBackup(source, "--force"))).ShouldSucceed();
        Assert.Equal(wal, WalLink(target));
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "filling");
    }

    [Theory, EveryMajor]
    public async Task Rsync_leaves_each_side_its_own_place_for_wal(int major)
    {
        var (source, target) = await OnHostsAsync(major);
        await source.StopAsync();
        await MoveWalAsync(source, await Lab.SubdirectoryAsync("wal of node1"));
        await source.StartAsync();
        (await CloneAsync(target, Clone(source, "--method=rsync", "-I"))).ShouldSucceed();
        Assert.Null(WalLink(target));
        await StartsAndStreamsAsync(target, source);

        await target.StopAsync();
        string wal = await Lab.SubdirectoryAsync("wal of node2");
        await MoveWalAsync(target, wal);
        (await CloneAsync(target, Clone(source, "--method=rsync", "-I", "--force"))).ShouldSucceed();
        Assert.Equal(wal, WalLink(target));
        await StartsAndStreamsAsync(target, source);
    }

    [Theory, EveryMajor]
    public async Task The_direct_method_puts_it_where_it_is_told_and_leaves_it_there(int major)
    {
        var (source, target) = await OnLoopbackAsync(major);
        await source.StopAsync();
        await MoveWalAsync(source, await Lab.SubdirectoryAsync("wal of node1"));
        await source.StartAsync();
        string wal = await Lab.SubdirectoryAsync("wal of node2");
        string held = await Lab.SubdirectoryAsync("held");
        File.WriteAllText(Path.Combine(held, "thesis.tex"), "precious");
        (await CloneAsync(target, Clone(source, $"--waldir={held}"))).ShouldExit(1).ShouldSay("is not empty");

        (await CloneAsync(target, Clone(source, $"--waldir={wal}"))).ShouldSucceed();
        Assert.Equal(wal, WalLink(target));
        await StartsAndStreamsAsync(target, source);
        await target.StopAsync();
        (await CloneAsync(target, Clone(source, "--force"))).ShouldSucceed();
        Assert.Equal(wal, WalLink(target));
        await StartsAndStreamsAsync(target, source);
        await target.StopAsync();
        string other = await Lab.SubdirectoryAsync("other");
        (await CloneAsync(target, Clone(source, "--force", $"--waldir={other}"))).ShouldSucceed();
        Assert.Equal(other, WalLink(target));
        await StartsAndStreamsAsync(target, source);
    }

    private static string? WalLink(TestServer server) => new DirectoryInfo(Path.Combine(server.DataDirectory, "pg_wal")).LinkTarget;

    private static async Task MoveWalAsync(TestServer server, string to)
    {
        string link = Path.Combine(server.DataDirectory, "pg_wal");
        Directory.Delete(to);
        Directory.Move(link, to);
        File.CreateSymbolicLink(link, to);
        await TestUser.GiveAsync(to, server.User);
    }
}
