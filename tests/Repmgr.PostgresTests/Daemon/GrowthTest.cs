using Npgsql;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Daemon;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Postgres;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Daemon;

/// <summary>Measures the heap of the process, and so runs when nothing else does.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>Ten thousand turns of the daemon's own loop over real connections, without the waits between them.</summary>
[Collection(nameof(Alone))]
public sealed class GrowthTest : LabTest
{
    private const int Turns = 10_000;

    /// <summary>Measures the managed heap after full collections, and the connections that the servers see.</summary>
    [Fact]
    public async Task Ten_thousand_turns_over_real_connections_grow_nothing()
    {
        TestCluster cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 2);
        await Registration.OfAsync(cluster);
        TestServer standby = cluster.Standbys[0];
        var connector = new PostgresConnector { ApplicationName = DaemonPresence.NameOf(new NodeId(2), Environment.ProcessId) };
        await using var servers = new Servers(connector, TimeProvider.System);
        await using var writer = new PrimaryWriter(connector, Seconds(10));
        var log = new CountingLog();
        var announcer = new Announcer((_, _, _, _) => Task.CompletedTask, log);
        var recorder = new Recorder(writer, announcer, log, TimeProvider.System);
        var turns = new WatchTurns(servers, recorder, (_, _, _) => throw new InvalidOperationException("no command is set"), log, TimeProvider.System);
        Assert.True(Conninfo.TryParse(standby.Conninfo, out Conninfo? conninfo, out _));
        turns.Use(Settings.Defaults with { NodeId = new NodeId(2), NodeName = "node2", Conninfo = conninfo, MonitoringHistory = true, LogStatusInterval = TimeSpan.Zero }, standby.ConfPath, _ => null);
        using var stop = new CancellationTokenSource();
        Task recording = recorder.RunAsync(stop.Token);

        await TakeAsync(turns, recorder, 1000);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        int linesBefore = log.Lines;
        await TakeAsync(turns, recorder, Turns);
        long grown = GC.GetTotalMemory(forceFullCollection: true) - before;

        Assert.True(grown < 500_000, $"the heap has grown by {grown} bytes in {Turns} turns");
        Assert.Equal(linesBefore, log.Lines);
        Assert.True(await cluster.Primary.QueryAsync<long>("select count(*) from repmgr.monitoring_history") >= Turns);
        Assert.InRange(await cluster.Primary.QueryAsync<long>("select count(*) from pg_stat_activity where application_name like 'repmgrd node %'"), 1, 3);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => recording);
        NpgsqlConnection.ClearAllPools();
    }

    private static async Task TakeAsync(WatchTurns turns, Recorder recorder, int count)
    {
        for (int turn = 0; turn < count; turn++)
        {
            Assert.Null(await turns.TakeAsync(TestContext.Current.CancellationToken));
            while (!recorder.IsIdle)
                await Task.Yield();
        }
    }

    private sealed class CountingLog : ILog
    {
        private int _lines;

        public int Lines => _lines;

        public bool Writes(Severity severity) => severity >= Severity.Info;

        public void Write(LogLine line)
        {
            if (Writes(line.Severity))
                Interlocked.Increment(ref _lines);
        }
    }
}
