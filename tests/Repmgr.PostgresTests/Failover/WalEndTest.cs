using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Postgres;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>Where we find the end of a server's WAL is where the server had flushed it, and where it goes on.</summary>
public sealed class WalEndTest : LabTest
{
    [Theory, EveryMajor]
    public async Task The_walk_ends_at_what_was_flushed_and_recovery_ends_there_too(int major)
    {
        TestServer server = await Lab.ServerAsync(major);
        await server.StartAsync();
        await server.ExecuteAsync("create table filled (t text)");
        foreach (int size in (int[])[10, 3000, 100000])
        {
            // Many pages, a switch of the segment in between, then records of every length across page ends.
            await server.ExecuteAsync($"insert into filled select repeat(md5(i::text), 1 + i % 50) from generate_series(1, {size}) i");
            await server.ExecuteAsync("select pg_switch_wal()");
            await server.ExecuteAsync("insert into filled values ('after the switch')");
            Lsn flushed = await LsnAsync(server, "select pg_current_wal_flush_lsn()::text");
            await server.KillAsync();
            Lsn? found = await WalOnDisk.EndAsync(server.DataDirectory, null, new PostgresBinaries(server.Major.BinDirectory), TestContext.Current.CancellationToken);
            Assert.True(found >= flushed, $"found {found}, flushed {flushed}");
            Assert.Equal(found, await WalOnDisk.EndAsync(server.DataDirectory, flushed, new PostgresBinaries(server.Major.BinDirectory), TestContext.Current.CancellationToken));

            // As a standby without an upstream it replays what there is, and stays there.
            await File.WriteAllTextAsync(Path.Combine(server.DataDirectory, "standby.signal"), "", TestContext.Current.CancellationToken);
            await server.StartAsync();
            await Eventually.EqualAsync(found!.Value, () => LsnAsync(server, "select pg_last_wal_replay_lsn()::text"), Seconds(20), "the end of replay");
            await server.ExecuteAsync("select pg_promote()");
        }
    }

    /// <summary>Others can fetch what it has, before it lets anybody in (R11).</summary>
    [Theory, EveryMajor]
    public async Task A_server_that_starts_is_seen_to_have_what_it_had_flushed(int major)
    {
        TestServer server = await Lab.ServerAsync(major);
        await server.StartAsync();
        await server.ExecuteAsync("create table filled as select md5(i::text) from generate_series(1, 10000) i");
        Lsn flushed = await LsnAsync(server, "select pg_current_wal_flush_lsn()::text");
        await server.KillAsync();
        // It begins with what it is to restore, which takes until it is stopped.
        await server.ConfigureAsync("restore_command = 'sleep 600'");
        await File.WriteAllTextAsync(Path.Combine(server.DataDirectory, "standby.signal"), "", TestContext.Current.CancellationToken);
        _ = await server.RunAsync(server.Major.Program("pg_ctl"), "-D", server.DataDirectory, "-W", "-l", server.LogPath, "start");

        var node = new AgentNode(new Settings(), "", server.DataDirectory, new PostgresBinaries(server.Major.BinDirectory), new PostgresConnector());
        var seen = new TaskCompletionSource<ServerView.Recovering>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var log = new Log("test", new LogTarget(Severity.Error, "STDERR", Path.Combine(server.Directory, "eyes.log"), LogFormat.Line), TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        await using var eyes = new ServerEyes(node, Observe, () => throw new InvalidOperationException("it takes writes"), log);
        Task looking = eyes.RunAsync(stop.Token);
        ServerView.Recovering starting = await seen.Task.WaitAsync(Seconds(30), TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => looking);
        Assert.True(starting.IsStarting);
        Assert.True(starting.Position >= flushed, $"seen {starting.Position}, flushed {flushed}");
        await server.KillAsync();

        void Observe(TimeSpan taken, ServerView view)
        {
            if (view is ServerView.Recovering recovering)
                seen.TrySetResult(recovering);
        }
    }

    private static async Task<Lsn> LsnAsync(TestServer server, string sql) =>
        Lsn.TryParse(await server.QueryAsync<string>(sql), out Lsn lsn) ? lsn : throw new InvalidOperationException($"no position: {sql}");
}
