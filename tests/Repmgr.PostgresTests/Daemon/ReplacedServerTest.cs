using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Daemon;

/// <summary>repmgrd goes on while what it watches is replaced, or stands in its way.</summary>
public sealed class ReplacedServerTest : LabTest
{
    [Theory, EveryMajor]
    public async Task A_standby_that_is_cloned_anew_from_another_node_is_noticed_and_recorded(int major)
    {
        TestCluster cluster = await Lab.ClusterAsync(major, standbys: 2);
        await Registration.OfAsync(cluster);
        (TestServer two, TestServer three) = (cluster.Standbys[0], cluster.Standbys[1]);
        await two.WriteConfAsync("monitor_interval_secs = 1", "monitoring_history = yes");
        RepmgrdProcess daemon = two.StartRepmgrd();
        await daemon.SaysAsync("monitoring connection to upstream node \"node1\" (ID: 1)", Seconds(20));

        await two.StopAsync();
        await daemon.SaysAsync("unable to connect to local node \"node2\" (ID: 2), marking inactive", Seconds(20));
        await CloneAsync(two, from: three);
        await two.StartAsync();

        await Eventually.TrueAsync(
            () => cluster.Primary.QueryAsync<bool>("select active and upstream_node_id = 3 from repmgr.nodes where node_id = 2"), Seconds(30), "what it is now is recorded");
        await daemon.SaysAsync("the server of node \"node2\" (ID: 2) was restarted", Seconds(20));
        await daemon.SaysAsync("monitoring connection to upstream node \"node3\" (ID: 3)", Seconds(20));
        await Eventually.TrueAsync(
            () => cluster.Primary.QueryAsync<bool>(
                "select max(last_monitor_time) > (select event_timestamp from repmgr.events where event = 'standby_recovery') from repmgr.monitoring_history where replication_lag = 0"),
            Seconds(20), "rows are written again");
        await Eventually.TrueAsync(
            async () => await WatchTest.EventsAsync(cluster.Primary, 2) is ["repmgrd_start", "standby_failure", "standby_recovery", "repmgrd_reload"],
            Seconds(20), "the events are recorded");
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task A_server_of_another_cluster_is_told_apart_and_nothing_is_written_to_it()
    {
        TestCluster cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 1);
        await Registration.OfAsync(cluster);
        TestServer two = cluster.Standbys[0];
        RepmgrdProcess daemon = await Registration.WatchAsync(two, cluster.Primary);

        // A primary of its own, with the same metadata, at the standby's address.
        await two.StopAsync();
        string aside = two.DataDirectory + ".aside";
        Directory.Move(two.DataDirectory, aside);
        await two.InitialiseAsync(foreign: true);
        await two.StartAsync();
        await Registration.OfAsync(two, null);
        await daemon.SaysAsync("the server of node \"node2\" (ID: 2) does not belong to this cluster", Seconds(20));
        await Eventually.TrueAsync(
            () => cluster.Primary.QueryAsync<bool>("select not active from repmgr.nodes where node_id = 2"), Seconds(20), "the node counts as not running");
        Assert.Matches(
            "What answers at its conninfo is another database cluster: its system identifier is [0-9]{10,}, this cluster's is [0-9]{10,}", daemon.Log());
        Assert.DoesNotContain("more than one node is a primary", daemon.Log(), StringComparison.Ordinal);
        Assert.Equal(0, await two.QueryAsync<int>("select count(*)::int from repmgr.events where event like 'repmgrd%'"));

        await two.StopAsync();
        Directory.Delete(two.DataDirectory, recursive: true);
        Directory.Move(aside, two.DataDirectory);
        await two.StartAsync();
        await daemon.SaysAsync("no longer so: the server of node \"node2\" (ID: 2) does not belong to this cluster", Seconds(20));
        await Eventually.TrueAsync(
            () => cluster.Primary.QueryAsync<bool>("select active and type = 'standby' from repmgr.nodes where node_id = 2"), Seconds(20), "the node counts as running again");
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task A_locked_history_holds_nothing_up_and_no_sessions_pile_up_behind_the_lock()
    {
        TestCluster cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 1);
        await Registration.OfAsync(cluster);
        TestServer standby = cluster.Standbys[0];
        RepmgrdProcess daemon = await Registration.WatchAsync(standby, cluster.Primary);

        await using (var holder = await cluster.Primary.ConnectAsync())
        {
            await using var locking = new Npgsql.NpgsqlCommand("begin; lock table repmgr.monitoring_history in access exclusive mode", holder);
            await locking.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await daemon.SaysAsync("monitoring rows are dropped: the primary has not taken the last one yet", Seconds(20));

            // Turns go on, and see what happens; signals are answered.
            await standby.StopAsync();
            await daemon.SaysAsync("unable to connect to local node \"node2\" (ID: 2), marking inactive", Seconds(20));
            await standby.StartAsync();
            await daemon.SaysAsync("reconnected to local node \"node2\" (ID: 2)", Seconds(20));
            daemon.Reload();
            await daemon.SaysAsync("configuration reloaded", Seconds(20));

            // Three deadlines later there is still one session at most that waits.
            await daemon.SaysAsync("a monitoring row could not be written", Seconds(30));
            await Eventually.TrueAsync(
                () => cluster.Primary.QueryAsync<bool>("select count(*) filter (where query_start < now() - interval '4 s') = 1 and count(*) = 1 " + Waiting), Seconds(30), "the next row waits");
            await Eventually.TrueAsync(
                () => cluster.Primary.QueryAsync<bool>("select count(*) filter (where query_start < now() - interval '2 s') = 0 and count(*) <= 1 " + Waiting), Seconds(30), "it is given up too");
        }

        await daemon.SaysAsync("no longer so: a monitoring row could not be written", Seconds(20));
        Assert.Equal(0, await daemon.StopAsync());
    }

    private const string Waiting = "from pg_stat_activity where wait_event_type = 'Lock' and query like '%monitoring_history%'";

    private static async Task CloneAsync(TestServer target, TestServer from)
    {
        Directory.Delete(target.DataDirectory, recursive: true);
        (await target.RunAsync(
            target.Major.Program("pg_basebackup"), "-h", "127.0.0.1", "-p", $"{from.Port}", "-U", "repmgr", "-D", target.DataDirectory, "-X", "stream", "-c", "fast", "--no-sync"))
            .ShouldSucceed();
        await target.PersonaliseAsync();
        await target.MakeStandbyAsync(from);
    }
}
