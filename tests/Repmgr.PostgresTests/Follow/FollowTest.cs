using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Follow;

/// <summary><c>standby follow</c> on real servers.</summary>
public sealed class FollowTest : LabTest
{
    private const string HoldMetadata = "select pg_advisory_lock(x'7265706D6772'::bigint)";

    [Theory, EveryMajor]
    public async Task It_follows_the_new_primary_without_a_restart_and_keeps_what_is_not_its_own(int major)
    {
        var (node1, node2, node3) = await ClusterAsync(major, slots: true);
        await node3.ExecuteAsync("alter system set work_mem = '5MB'");
        var started = await StartedAsync(node3);
        await node1.KillAsync();
        (await node2.RepmgrAsync("standby", "promote")).ShouldSucceed();

        (await node3.RepmgrAsync("standby", "follow")).ShouldSucceed().ShouldSay("standby attached to upstream node \"node2\" (ID: 2)");

        await AttachedAsync(node3, node2, timeline: 2);
        Assert.Equal(started, await StartedAsync(node3));
        Assert.Contains("work_mem = '5MB'", await AutoConfAsync(node3));
        Assert.Equal(2, await node2.QueryAsync<int>("select upstream_node_id from repmgr.nodes where node_id = 3"));
        Assert.Equal("repmgr_slot_3", await node2.QueryAsync<string>("select slot_name from pg_replication_slots where active"));
        Assert.True(await node2.QueryAsync<bool>("select successful from repmgr.events where event = 'standby_follow' and node_id = 3"));

        // Done twice is done once.
        string conf = await AutoConfAsync(node3);
        (await node3.RepmgrAsync("standby", "follow")).ShouldSucceed();
        Assert.Equal(conf, await AutoConfAsync(node3));
    }

    [Theory, EveryMajor]
    public async Task It_cascades_and_comes_back_and_slots_go_with_it(int major)
    {
        var (node1, node2, node3) = await ClusterAsync(major, slots: true);

        (await node3.RepmgrAsync("standby", "follow", "node2")).ShouldSucceed();
        await AttachedAsync(node3, node2, timeline: 1);
        Assert.Equal(2, await node1.QueryAsync<int>("select upstream_node_id from repmgr.nodes where node_id = 3"));
        Assert.Equal(0, await node1.QueryAsync<int>("select count(*)::int from pg_replication_slots where slot_name = 'repmgr_slot_3'"));

        (await node3.RepmgrAsync("standby", "follow", "--upstream-node-id=1")).ShouldSucceed();
        await AttachedAsync(node3, node1, timeline: 1);
        Assert.Equal(0, await node2.QueryAsync<int>("select count(*)::int from pg_replication_slots where slot_name = 'repmgr_slot_3'"));
    }

    [Fact]
    public async Task A_circle_is_refused()
    {
        var (_, node2, node3) = await ClusterAsync(PostgresMajor.Default);
        (await node3.RepmgrAsync("standby", "follow", "2")).ShouldSucceed();
        await Eventually.TrueAsync(
            async () => (await node2.RepmgrAsync("standby", "follow", "3")).ShouldExit(ExitCode.BadConfig).Stderr.Contains("close a circle"),
            Seconds(10), "the circle is refused");
    }

    [Theory, EveryMajor]
    public async Task A_standby_that_went_past_the_fork_is_refused_before_anything_is_touched(int major)
    {
        var (node1, node2, node3) = await ClusterAsync(major);
        await node2.ExecuteAsync("select pg_promote()");
        await node1.ExecuteAsync("create table only_on_the_old_side as select generate_series(1, 1000)");
        await Eventually.TrueAsync(
            () => node3.QueryAsync<bool>("select to_regclass('only_on_the_old_side') is not null"), Seconds(10), "node3 has what node2 lacks");
        await node1.KillAsync();
        (await node2.RepmgrAsync("standby", "promote")).ShouldSucceed(); // Only the metadata was missing.
        string before = await AutoConfAsync(node3);

        (await node3.RepmgrAsync("standby", "follow", "2")).ShouldExit(ExitCode.BadConfig)
            .ShouldSay("their histories diverge").ShouldSay("bytes past that point").ShouldSay("standby clone --force");

        Assert.Equal(before, await AutoConfAsync(node3));
        Assert.DoesNotContain($"port={node2.Port}", await node3.QueryAsync<string>("show primary_conninfo"));
    }

    [Fact]
    public async Task Two_timelines_of_one_number_are_told_apart()
    {
        var (node1, node2, node3) = await ClusterAsync(PostgresMajor.Default);
        var node4 = await Lab.ServerAsync(PostgresMajor.Default, 4);
        await node4.MakeStandbyAsync(node3);
        await node4.StartAsync();
        await node4.StreamsFromAsync(node3);
        (await node4.RepmgrAsync("standby", "register", "--upstream-node-id=3")).ShouldSucceed();
        await Eventually.EqualAsync(4, () => node2.QueryAsync<int>("select count(*)::int from repmgr.nodes"), Seconds(10), "the nodes that node2 knows");

        // Node 3 and with it node 4 go to a timeline 2 of their own; node 2 goes to another, further on.
        await node3.ExecuteAsync("select pg_promote()");
        await Eventually.EqualAsync(2, () => node4.QueryAsync<int>("select received_tli from pg_stat_wal_receiver"), Seconds(20), "node4's timeline");
        await node1.ExecuteAsync("create table later as select generate_series(1, 1000)");
        await Eventually.TrueAsync(() => node2.QueryAsync<bool>("select to_regclass('later') is not null"), Seconds(10), "node2 is further on");
        await node1.KillAsync();
        await node3.KillAsync();
        (await node2.RepmgrAsync("standby", "promote")).ShouldSucceed();
        await Eventually.EqualAsync(true, () => node4.QueryAsync<bool>("select not exists (select from pg_stat_wal_receiver where status = 'streaming')"), Seconds(10), "node4 is alone");

        (await node4.RepmgrAsync("standby", "follow", "2")).ShouldExit(ExitCode.BadConfig).ShouldSay("they were promoted apart");
    }

    [Fact]
    public async Task A_foreign_server_is_refused()
    {
        var (node1, _, node3) = await ClusterAsync(PostgresMajor.Default);
        var stranger = await Lab.ServerAsync(PostgresMajor.Default, 9, foreign: true);
        await stranger.StartAsync();
        await node1.ExecuteAsync(
            $"insert into repmgr.nodes select 9, 1, true, 'stranger', 'standby', 'default', 100, '{stranger.Conninfo}', 'repmgr', null, '/x'");
        await Eventually.TrueAsync(
            () => node3.QueryAsync<bool>("select exists (select from repmgr.nodes where node_id = 9)"), Seconds(10), "node3 knows the stranger");

        // It accepts writes, so there are two primaries: that is refused first. As a standby of itself it is still a stranger.
        (await node3.RepmgrAsync("standby", "follow", "9")).ShouldExit(ExitCode.BadConfig).ShouldSay("accept writes at the same time");
        await stranger.StopAsync();
        await File.WriteAllTextAsync(Path.Combine(stranger.DataDirectory, "standby.signal"), "", TestContext.Current.CancellationToken);
        await stranger.StartAsync();
        (await node3.RepmgrAsync("standby", "follow", "9")).ShouldExit(ExitCode.BadConfig).ShouldSay("belong to different clusters");
    }

    [Theory, EveryMajor]
    public async Task An_upstream_that_lets_no_replication_in_is_exit_23_and_nothing_is_touched(int major)
    {
        var (_, node2, node3) = await ClusterAsync(major);
        string hba = Path.Combine(node2.DataDirectory, "pg_hba.conf");
        await File.WriteAllTextAsync(hba, "local all all trust\nhost replication all all reject\nhost all all all trust\n", TestContext.Current.CancellationToken);
        await node2.ReloadAsync();
        string before = await AutoConfAsync(node3);

        var result = await Eventually.SatisfiesAsync(
            () => node3.RepmgrAsync("standby", "follow", "2"), r => r.ExitCode != 0, Seconds(10), "the new pg_hba.conf is in force");
        result.ShouldExit(ExitCode.FollowFailed).ShouldSay("does not let a standby in from here").ShouldSay("pg_hba.conf");
        Assert.Equal(before, await AutoConfAsync(node3));
    }

    [Theory, EveryMajor]
    public async Task A_standby_that_does_not_attach_is_exit_23_and_put_back(int major)
    {
        var (node1, node2, node3) = await ClusterAsync(major, "use_replication_slots=yes", "standby_follow_timeout=2");

        // An option of the command line beats every file: the standby takes the new setting for nothing.
        string old = await node3.QueryAsync<string>("show primary_conninfo");
        await node3.StopAsync();
        (await node3.RunAsync(
            node3.Major.Program("pg_ctl"), "-D", node3.DataDirectory, "-w", "-l", node3.LogPath, "-o", $"-c primary_conninfo='{old}'", "start")).ShouldSucceed();
        await node3.StreamsFromAsync(node1);

        (await node3.RepmgrAsync("standby", "follow", "2")).ShouldExit(ExitCode.FollowFailed)
            .ShouldSay("does not stream from node \"node2\" (ID: 2)")
            .ShouldSay("the upstream serves no standby named \"node3\"")
            .ShouldSay("pointed back");

        Assert.Contains($"port={node1.Port}", await AutoConfAsync(node3));
        Assert.DoesNotContain($"port={node2.Port}", await AutoConfAsync(node3));
        Assert.Equal(0, await node2.QueryAsync<int>("select count(*)::int from pg_replication_slots"));
        Assert.Equal(1, await node1.QueryAsync<int>("select upstream_node_id from repmgr.nodes where node_id = 3"));
        Assert.False(await node1.QueryAsync<bool>("select successful from repmgr.events where event = 'standby_follow'"));
        await node3.StreamsFromAsync(node1);
    }

    [Theory, EveryMajor]
    public async Task A_role_that_is_no_superuser_follows_by_the_file_and_missing_rights_are_named(int major)
    {
        var (node1, node2, node3) = await ClusterAsync(major, slots: true);
        await node1.ExecuteAsync("alter role repmgr nosuperuser");
        await Eventually.EqualAsync(
            false, () => node3.QueryAsync<bool>("select rolsuper from pg_roles where rolname = 'repmgr'"), Seconds(10), "superuser on node3");
        (await node3.RepmgrAsync("standby", "follow", "2")).ShouldSay("GRANT pg_monitor TO \"repmgr\";").ShouldSay("ALTER ROLE \"repmgr\" REPLICATION;");

        await node1.ExecuteAsync("grant pg_monitor to repmgr; alter role repmgr replication");
        await Eventually.EqualAsync(
            true, () => node2.QueryAsync<bool>("select rolreplication from pg_roles where rolname = 'repmgr'"), Seconds(10), "replication on node2");
        await Eventually.EqualAsync(
            true, () => node3.QueryAsync<bool>("select rolreplication from pg_roles where rolname = 'repmgr'"), Seconds(10), "replication on node3");
        (await node3.RepmgrAsync("standby", "follow", "2")).ShouldSucceed();
        await AttachedAsync(node3, node2, timeline: 1);
    }

    [Theory, EveryMajor]
    public async Task A_restart_in_place_of_a_reload_is_done_where_it_is_asked_for_with_everything_detected(int major)
    {
        var (node1, node2, node3) = await ClusterAsync(major);
        var started = await StartedAsync(node3);
        await File.WriteAllTextAsync(node3.ConfPath, $"node_id=3\nnode_name=node3\nconninfo='{node3.Conninfo}'\nstandby_follow_restart=true\n", TestContext.Current.CancellationToken);

        (await node3.RepmgrAsync("standby", "follow", "2")).ShouldSucceed();

        await AttachedAsync(node3, node2, timeline: 1);
        Assert.NotEqual(started, await StartedAsync(node3));
        Assert.True(File.Exists(Path.Combine(node3.DataDirectory, "repmgr_start.log")));
        _ = node1;
    }

    [Fact]
    public async Task What_the_operator_configured_restarts_and_reloads_the_server()
    {
        var (node1, node2, node3) = await ClusterAsync(PostgresMajor.Default);
        var started = await StartedAsync(node3);
        string mark = Path.Combine(node3.Directory, "mark");
        await node3.WriteConfAsync(
            "standby_follow_restart=true",
            $"service_restart_command='touch {mark} && {node3.Major.Program("pg_ctl")} -D {node3.DataDirectory} -w -l {node3.LogPath} restart'");
        (await node3.RepmgrAsync("standby", "follow", "2")).ShouldSucceed();
        await AttachedAsync(node3, node2, timeline: 1);
        Assert.NotEqual(started, await StartedAsync(node3));
        Assert.True(File.Exists(mark));

        // Without it pg_ctl does it, with the options that are configured.
        await node3.WriteConfAsync("standby_follow_restart=true", "pg_ctl_options='-o --work-mem=7MB'");
        (await node3.RepmgrAsync("standby", "follow", "1")).ShouldSucceed();
        Assert.Equal("7MB", await node3.QueryAsync<string>("show work_mem"));

        // A role that may not call pg_reload_conf() reloads from outside.
        File.Delete(mark);
        await node3.WriteConfAsync($"service_reload_command='touch {mark} && {node3.Major.Program("pg_ctl")} -D {node3.DataDirectory} reload'");
        await node1.ExecuteAsync("alter role repmgr nosuperuser replication; grant pg_monitor to repmgr");
        foreach (TestServer standby in (TestServer[])[node2, node3])
        {
            await Eventually.TrueAsync(
                () => standby.QueryAsync<bool>("select not rolsuper and pg_has_role('repmgr', 'pg_monitor', 'usage') from pg_roles where rolname = 'repmgr'"),
                Seconds(10), $"the rights on {standby.Name}");
        }

        (await node3.RepmgrAsync("standby", "follow", "2")).ShouldSucceed();
        await AttachedAsync(node3, node2, timeline: 1);
        Assert.True(File.Exists(mark));
    }

    [Fact]
    public async Task It_waits_for_a_primary_when_told_to()
    {
        var (node1, node2, node3) = await ClusterAsync(PostgresMajor.Default);
        await node1.KillAsync();
        (await node3.RepmgrAsync("standby", "follow")).ShouldExit(ExitCode.DbConnection).ShouldSay("no primary can be reached");

        var waiting = node3.RepmgrAsync("standby", "follow", "--wait=40");
        (await node2.RepmgrAsync("standby", "promote")).ShouldSucceed();
        (await waiting).ShouldSucceed();
        await AttachedAsync(node3, node2, timeline: 2);
    }

    [Theory, EveryMajor]
    public async Task Killed_before_it_is_recorded_it_is_finished_by_running_it_again(int major)
    {
        var (node1, node2, node3) = await ClusterAsync(major, slots: true);
        await using (var holder = await node1.ConnectAsync())
        {
            await using (var hold = new Npgsql.NpgsqlCommand(HoldMetadata, holder))
                await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

            var killed = await node3.RunAsync("timeout", "--signal=KILL", "5", Programs.Repmgr, "-f", node3.ConfPath, "standby", "follow", "2");
            Assert.Equal(137, killed.ExitCode);
            Assert.Equal(1, await node1.QueryAsync<int>("select upstream_node_id from repmgr.nodes where node_id = 3"));
        }

        (await node3.RepmgrAsync("standby", "follow", "2")).ShouldSucceed();
        await AttachedAsync(node3, node2, timeline: 1);
        Assert.Equal(2, await node1.QueryAsync<int>("select upstream_node_id from repmgr.nodes where node_id = 3"));
        Assert.Equal(1, await node2.QueryAsync<int>("select count(*)::int from pg_replication_slots where active"));
    }

    private Task<(TestServer Node1, TestServer Node2, TestServer Node3)> ClusterAsync(int major, bool slots) =>
        ClusterAsync(major, slots ? ["use_replication_slots=yes"] : [], slots);

    private Task<(TestServer Node1, TestServer Node2, TestServer Node3)> ClusterAsync(int major, params IReadOnlyList<string> lines) =>
        ClusterAsync(major, lines, slots: false);

    private async Task<(TestServer Node1, TestServer Node2, TestServer Node3)> ClusterAsync(int major, IReadOnlyList<string> lines, bool slots)
    {
        var cluster = await Lab.ClusterAsync(major, standbys: 2, slots);
        foreach (var server in cluster.All)
            await server.WriteConfAsync(lines);
        await cluster.RegisterAsync();
        return (cluster.Primary, cluster.Standbys[0], cluster.Standbys[1]);
    }

    /// <summary>Both sides say so, by their own words and not by the program's.</summary>
    private static async Task AttachedAsync(TestServer standby, TestServer upstream, int timeline)
    {
        await standby.StreamsFromAsync(upstream);
        Assert.Equal(
            $"streaming {timeline} {upstream.Port}",
            await standby.QueryAsync<string>("select status || ' ' || received_tli || ' ' || sender_port from pg_stat_wal_receiver"));
    }

    private static Task<DateTime> StartedAsync(TestServer server) => server.QueryAsync<DateTime>("select pg_postmaster_start_time()");

    private static Task<string> AutoConfAsync(TestServer server) =>
        File.ReadAllTextAsync(Path.Combine(server.DataDirectory, "postgresql.auto.conf"), TestContext.Current.CancellationToken);
}
