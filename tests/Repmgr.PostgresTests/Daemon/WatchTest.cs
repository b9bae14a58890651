using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Daemon;

/// <summary>repmgrd on a standby: registers it, measures it, notices what hands do.</summary>
public sealed class WatchTest : LabTest
{
    [Theory, EveryMajor]
    public async Task It_registers_its_standby_and_fills_the_originals_view(int major)
    {
        TestCluster cluster = await Lab.ClusterAsync(major, standbys: 1);
        await Registration.OfAsync(cluster.Primary, "test");
        TestServer standby = cluster.Standbys[0];
        await OriginalConfAsync(standby);

        RepmgrdProcess daemon = standby.StartRepmgrd();

        await Eventually.EqualAsync("standby", () => cluster.Primary.QueryAsync<string>("select type from repmgr.nodes where node_id = 2"), Seconds(20), "the registered type");
        await Eventually.TrueAsync(
            () => cluster.Primary.QueryAsync<bool>(
                "select replication_lag = '0 bytes' and apply_lag = '0 bytes' and time_lag < '10 s' and primary_node = 1 and standby_node = 2 from repmgr_test.repl_status"),
            Seconds(20), "repl_status shows a standby without lag");

        await cluster.Primary.StopAsync("immediate");
        await Eventually.TrueAsync(() => standby.QueryAsync<bool>("select time_lag > '6 s' from repmgr_test.repl_status"), Seconds(30), "time_lag grows");
        await daemon.SaysAsync("unable to connect to upstream", Seconds(20));
        Assert.False(daemon.HasExited);

        await cluster.Primary.StartAsync();
        await Eventually.TrueAsync(() => cluster.Primary.QueryAsync<bool>("select time_lag < '5 s' from repmgr_test.repl_status"), Seconds(30), "time_lag is small again");
        string[] events = await EventsAsync(cluster.Primary, 2);
        Assert.Equal(["standby_register", "repmgrd_start", "repmgrd_upstream_disconnect", "repmgrd_upstream_reconnect"], events);
        Assert.Equal(0, await daemon.StopAsync());
        Assert.Equal("repmgrd_shutdown", (await EventsAsync(cluster.Primary, 2))[^1]);
    }

    [Theory, EveryMajor]
    public async Task A_promotion_and_a_new_upstream_made_by_hand_are_recorded(int major)
    {
        TestCluster cluster = await Lab.ClusterAsync(major, standbys: 2);
        await Registration.OfAsync(cluster);
        (TestServer two, TestServer three) = (cluster.Standbys[0], cluster.Standbys[1]);
        foreach (TestServer node in cluster.Standbys)
            await node.WriteConfAsync("monitor_interval_secs = 1");
        RepmgrdProcess onTwo = two.StartRepmgrd();
        RepmgrdProcess onThree = three.StartRepmgrd();
        await onTwo.SaysAsync("monitoring connection to upstream node \"node1\" (ID: 1)", Seconds(20));
        await onThree.SaysAsync("monitoring connection to upstream node \"node1\" (ID: 1)", Seconds(20));

        await cluster.Primary.KillAsync();
        await two.ExecuteAsync("select pg_promote()");
        await onTwo.SaysAsync("monitoring cluster primary \"node2\" (ID: 2)", Seconds(20));
        await Eventually.TrueAsync(
            () => two.QueryAsync<bool>("select n2.type = 'primary' and n2.upstream_node_id is null and not n1.active from repmgr.nodes n1, repmgr.nodes n2 where n1.node_id = 1 and n2.node_id = 2"),
            Seconds(20), "the promotion is recorded");

        await three.ExecuteAsync($"alter system set primary_conninfo = 'host=127.0.0.1 port={two.Port} user=repmgr application_name=node3'");
        await three.ReloadAsync();
        await Eventually.EqualAsync(2, () => two.QueryAsync<int>("select upstream_node_id from repmgr.nodes where node_id = 3"), Seconds(30), "the recorded upstream of node3");
        await onThree.SaysAsync("monitoring connection to upstream node \"node2\" (ID: 2)", Seconds(20));
        Assert.Contains("repmgrd_reload", await EventsAsync(two, 2));
        Assert.Contains("repmgrd_reload", await EventsAsync(two, 3));
        await Task.WhenAll(onTwo.StopAsync(), onThree.StopAsync());
    }

    [Fact]
    public async Task It_starts_while_everything_is_down_and_waits()
    {
        TestCluster cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 1);
        await Registration.OfAsync(cluster);
        TestServer standby = cluster.Standbys[0];
        await standby.WriteConfAsync("monitor_interval_secs = 1");
        await standby.StopAsync("immediate");
        await cluster.Primary.StopAsync("immediate");

        RepmgrdProcess daemon = standby.StartRepmgrd();
        await daemon.SaysAsync("waiting for the server of node \"node2\" (ID: 2)", Seconds(10));
        await standby.StartAsync();
        await daemon.SaysAsync("unable to connect to upstream node \"node1\" (ID: 1)", Seconds(20));
        await cluster.Primary.StartAsync();
        await Eventually.TrueAsync(() => cluster.Primary.QueryAsync<bool>("select exists (select from repmgr.events where event = 'repmgrd_start' and node_id = 2)"), Seconds(20), "the start is recorded");
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task A_name_that_does_not_resolve_is_waited_for()
    {
        TestServer server = await Lab.ServerAsync(PostgresMajor.Default);
        await File.WriteAllTextAsync(server.ConfPath, "node_id=1\nconninfo='host=no-such-host.invalid user=repmgr dbname=repmgr'\nmonitor_interval_secs=1\n", TestContext.Current.CancellationToken);

        RepmgrdProcess daemon = server.StartRepmgrd();

        await daemon.SaysAsync("waiting for the server of node \"node1\" (ID: 1)", Seconds(20));
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task A_frozen_primary_is_noticed_and_holds_nothing_up()
    {
        TestCluster cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 1);
        await Registration.OfAsync(cluster);
        TestServer standby = cluster.Standbys[0];
        RepmgrdProcess daemon = await Registration.WatchAsync(standby, cluster.Primary);

        cluster.Primary.Freeze();
        await daemon.SaysAsync("unable to connect to upstream node \"node1\" (ID: 1)", Seconds(20));
        daemon.Reload();
        await daemon.SaysAsync("configuration reloaded", Seconds(10));
        cluster.Primary.Thaw();
        await daemon.SaysAsync("reconnected to upstream node \"node1\" (ID: 1)", Seconds(30));
        await Eventually.TrueAsync(
            () => cluster.Primary.QueryAsync<bool>("select max(last_monitor_time) > now() - interval '4 s' from repmgr.monitoring_history"), Seconds(30), "rows are written again");
        Assert.Equal(0, await daemon.StopAsync());
    }

    /// <summary>Only the postmaster is frozen: sessions that are open go on, so only a new connection tells.</summary>
    [Fact]
    public async Task A_frozen_postmaster_is_noticed_though_open_sessions_go_on()
    {
        TestCluster cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 1);
        await Registration.OfAsync(cluster);
        TestServer standby = cluster.Standbys[0];
        RepmgrdProcess daemon = await Registration.WatchAsync(standby, cluster.Primary);
        int postmaster = int.Parse(
            (await File.ReadAllLinesAsync(Path.Combine(cluster.Primary.DataDirectory, "postmaster.pid"), TestContext.Current.CancellationToken))[0],
            System.Globalization.CultureInfo.InvariantCulture);

        _ = Leftovers.Send(postmaster, Leftovers.SigStop);
        await daemon.SaysAsync("did not answer a new connection within 2 s", Seconds(20));
        _ = Leftovers.Send(postmaster, Leftovers.SigCont);
        await Eventually.TrueAsync(
            () => Task.FromResult(daemon.Log().Contains("answers again", StringComparison.Ordinal) || daemon.Log().Contains("reconnected to upstream", StringComparison.Ordinal)),
            Seconds(20), "it sees the primary again");
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task On_a_primary_children_that_come_and_go_are_told_and_the_command_runs()
    {
        TestCluster cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 1);
        await Registration.OfAsync(cluster);
        string mark = Path.Combine(cluster.Primary.Directory, "fenced");
        await cluster.Primary.WriteConfAsync(
            "monitor_interval_secs = 1", "child_nodes_check_interval = 1", "child_nodes_disconnect_timeout = 2", $"child_nodes_disconnect_command = 'echo node %p > {mark}'");
        RepmgrdProcess daemon = cluster.Primary.StartRepmgrd();
        await daemon.SaysAsync("monitoring cluster primary \"node1\" (ID: 1)", Seconds(20));

        await cluster.Standbys[0].StopAsync();
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(mark)), Seconds(20), "the command ran");
        await cluster.Standbys[0].StartAsync();
        await Eventually.TrueAsync(
            async () => (await EventsAsync(cluster.Primary, 1))[^3..] is ["child_node_disconnect", "child_nodes_disconnect_command", "child_node_reconnect"],
            Seconds(30), "the events are recorded");
        Assert.Equal("node 1\n", await File.ReadAllTextAsync(mark, TestContext.Current.CancellationToken));
        Assert.Equal(0, await daemon.StopAsync());
    }

    /// <summary>The three lines of 2011.</summary>
    internal static Task OriginalConfAsync(TestServer node, params string[] more) => File.WriteAllTextAsync(
        node.ConfPath, $"cluster='test'\nnode={node.NodeId}\nconninfo='{node.Conninfo}'\n{string.Join('\n', more)}\n", TestContext.Current.CancellationToken);

    internal static async Task<string[]> EventsAsync(TestServer at, int node) =>
        [.. (await at.RowsAsync($"select event from repmgr.events where node_id = {node} and (event like 'repmgrd%' or event like 'child%' or event like 'standby_%') order by event_timestamp, ctid")).Select(row => row[0]!)];
}
