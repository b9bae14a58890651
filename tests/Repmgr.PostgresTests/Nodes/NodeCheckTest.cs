using System.Text.Json;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Nodes;

/// <summary><c>node status</c> and <c>node check</c> of servers that are really in order, and really broken.</summary>
public sealed class NodeCheckTest : LabTest
{
    private const int Ok = 0, Warning = 1, Critical = 2, Unknown = 3;

    [Theory, EveryMajor]
    public async Task A_cluster_in_order_is_ok_on_every_node_and_in_every_form(int major)
    {
        TestCluster cluster = await ClusterAsync(major, slots: true);
        TestServer primary = cluster.Primary, standby = cluster.Standbys[0];

        Assert.Equal(
            $"""
            Node "node1":
            	Server role: OK (node is primary)
            	Replication lag: OK (N/A - node is primary)
            	WAL archiving: OK (0 pending archive ready files, archiving is off)
            	Upstream connection: OK (N/A - node is primary)
            	Downstream servers: OK (1 of 1 downstream nodes attached)
            	Replication slots: OK (1 of 1 physical replication slots are active)
            	Missing physical replication slots: OK (node has no missing physical replication slots)
            	Configured data directory: OK (configured "data_directory" is "{primary.DataDirectory}")

            """.ReplaceLineEndings("\n"),
            (await primary.RepmgrAsync("node", "check")).ShouldSucceed().Stdout);
        (await standby.RepmgrAsync("standby", "check", "--csv")).ShouldSucceed()
            .ShouldSay("\"Node name\",\"node2\"\n\"Node ID\",\"2\"\n\"Server role\",\"OK\",\"node is standby\"\n\"Replication lag\",\"OK\",\"0 seconds\"\n")
            .ShouldSay("\"Upstream connection\",\"OK\",\"node \"\"node2\"\" (ID: 2) is attached to expected upstream node \"\"node1\"\" (ID: 1)\"\n");
        await NagiosAsync(standby, "--replication-lag", Ok, "REPMGR_REPLICATION_LAG OK: 0 seconds | lag=0;300;600\n");
        await NagiosAsync(standby, "--db-connection", Ok, "REPMGR_DB_CONNECTION OK: connected to node \"node2\"\n");
        await NagiosAsync(primary, "--data-directory-config", Ok, $"REPMGR_DATA_DIRECTORY OK: {primary.DataDirectory}\n");

        string status = (await standby.RepmgrAsync("node", "status", "--verbose")).ShouldSucceed().Stdout;
        Assert.Matches(
            $"""
            ^Node "node2":
            	PostgreSQL version: {major}\.\d+
            	Total data size: [\d.]+ MB
            	Conninfo: {standby.Conninfo}
            	System identifier: \d+
            	Role: standby
            	WAL archiving: off
            	Archive command: \(none\)
            	WALs pending archiving: 0 pending files
            	Replication connections: 0 \(of maximal \d+\)
            	Replication slots: 0 physical \(of maximal \d+; 0 missing\)
            	Upstream node: node1 \(ID: 1\)
            	Replication lag: 0 seconds
            	Last received LSN: [0-9A-F]+/[0-9A-F]+
            	Last replayed LSN: [0-9A-F]+/[0-9A-F]+
            $
            """.ReplaceLineEndings("\n"),
            status);
        JsonElement json = JsonDocument.Parse((await primary.RepmgrAsync("node", "status", "--json")).ShouldSucceed().Stdout).RootElement;
        Assert.Equal("repmgr_slot_2", Assert.Single(json.GetProperty("replication_slots").EnumerateArray()).GetProperty("name").GetString());
        Assert.True(json.GetProperty("data_bytes").GetInt64() > 1 << 20);
    }

    [Theory, EveryMajor]
    public async Task A_standby_that_is_detached_is_missed_by_both_sides_and_is_behind(int major)
    {
        TestCluster cluster = await ClusterAsync(major, slots: true);
        TestServer primary = cluster.Primary, standby = cluster.Standbys[0];

        await standby.ExecuteAsync("alter system set primary_slot_name = 'no_such_slot'");
        await standby.ReloadAsync();
        await Eventually.TrueAsync(() => primary.QueryAsync<bool>("select not active from pg_replication_slots"), Seconds(20), "the slot is free");
        await NagiosAsync(primary, "--slots", Critical, "REPMGR_INACTIVE_SLOTS CRITICAL: 1 of 1 physical replication slots are inactive (repmgr_slot_2) | slots=1;1\n");
        await NagiosAsync(primary, "--downstream", Critical, "REPMGR_DOWNSTREAM_SERVERS CRITICAL: 1 of 1 downstream nodes not attached (missing: node2) | attached=0, missing=1\n");
        await primary.ExecuteAsync("select pg_drop_replication_slot('repmgr_slot_2')");
        await NagiosAsync(primary, "--missing-slots", Critical, "REPMGR_MISSING_SLOTS CRITICAL: 1 physical replication slots are missing (repmgr_slot_2) | missing_slots=1;repmgr_slot_2\n");

        // What it has is replayed: by its own positions there is no lag.
        await primary.ExecuteAsync("create table missed as select 1");
        await LimitLagAsync(standby, 1, 100_000);
        await Eventually.TrueAsync(
            async () => (await standby.RepmgrAsync("node", "check", "--replication-lag")) is { ExitCode: Warning } late && late.Stdout.Contains("seconds, not attached to its upstream)", StringComparison.Ordinal),
            Seconds(20), "the standby is seen to be behind");
        await NagiosAsync(standby, "--upstream", Critical, "REPMGR_UPSTREAM_SERVER CRITICAL: node \"node2\" (ID: 2) is not attached to expected upstream node \"node1\" (ID: 1)\n");
        (await standby.RepmgrAsync("node", "status")).ShouldExit(ExitCode.NodeStatus)
            .ShouldSay("WARNING: following issues were detected\n").ShouldSay("  - Upstream connection: node \"node2\" (ID: 2) is not attached");

        // With the primary away nobody knows how far it is behind.
        await primary.StopAsync();
        await NagiosAsync(standby, "--replication-lag", Unknown, "REPMGR_REPLICATION_LAG UNKNOWN: what the primary has is not known, its upstream cannot be asked; the last transaction");
        (await standby.RepmgrAsync("node", "check")).ShouldExit(ExitCode.NodeStatus).ShouldSay("\tReplication lag: UNKNOWN (what the primary has is not known").ShouldSay("\tUpstream connection: CRITICAL (");
    }

    [Theory, EveryMajor]
    public async Task Of_a_server_that_is_down_only_that_is_said(int major)
    {
        TestCluster cluster = await ClusterAsync(major);
        TestServer standby = cluster.Standbys[0];
        await standby.StopAsync();
        await NagiosAsync(standby, "--db-connection", Critical, "REPMGR_DB_CONNECTION CRITICAL: no connection to node \"node2\": ");
        await NagiosAsync(standby, "--replication-lag", Unknown, "REPMGR_REPLICATION_LAG UNKNOWN: node \"node2\" cannot be reached\n");
        (await standby.RepmgrAsync("node", "status")).ShouldExit(ExitCode.DbConnection).ShouldSay("node \"node2\" cannot be reached");
        (await standby.RepmgrAsync("node", "check", "--csv")).ShouldExit(ExitCode.DbConnection);
    }

    [Theory, EveryMajor]
    public async Task Paused_replay_is_lag_that_grows_past_both_limits(int major)
    {
        TestCluster cluster = await ClusterAsync(major);
        TestServer standby = cluster.Standbys[0];
        await standby.ExecuteAsync("select pg_wal_replay_pause()");
        await cluster.Primary.ExecuteAsync("create table waits as select generate_series(1, 1000)");
        await Eventually.TrueAsync(() => standby.QueryAsync<bool>("select pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"), Seconds(10), "WAL waits to be replayed");

        await LimitLagAsync(standby, 1, 100_000);
        await Eventually.EqualAsync(Warning, async () => (await standby.RepmgrAsync("node", "check", "--replication-lag")).ExitCode, Seconds(20), "the status of the lag");
        await LimitLagAsync(standby, 1, 2);
        await Eventually.EqualAsync(Critical, async () => (await standby.RepmgrAsync("node", "check", "--replication-lag")).ExitCode, Seconds(20), "the status of the lag");
        await NagiosAsync(standby, "--replication-lag", Critical, " seconds, replay is paused | lag=");
        (await standby.RepmgrAsync("node", "status")).ShouldExit(ExitCode.NodeStatus).ShouldSay("  - replay is paused with ");

        await standby.ExecuteAsync("select pg_wal_replay_resume()");
        await Eventually.EqualAsync(Ok, async () => (await standby.RepmgrAsync("node", "check", "--replication-lag")).ExitCode, Seconds(20), "the status of the lag");
    }

    [Theory, EveryMajor]
    public async Task An_archive_command_that_fails_is_a_warning_at_once_and_what_piles_up_is_critical(int major)
    {
        TestServer server = await Lab.ServerAsync(major);
        string flag = Path.Combine(server.Directory, "archive-works");
        await server.ConfigureAsync("archive_mode = on", $"archive_command = 'test -e {flag}'");
        await server.StartAsync();
        await server.WriteConfAsync("archive_ready_warning=2", "archive_ready_critical=4");
        (await server.RepmgrAsync("primary", "register")).ShouldSucceed();
        await NagiosAsync(server, "--archive-ready", Ok, "REPMGR_ARCHIVE_READY OK: 0 pending archive ready files | files=0;2;4\n");

        await SwitchWalAsync(server);
        await Eventually.TrueAsync(() => server.QueryAsync<bool>("select failed_count > 0 from pg_stat_archiver"), Seconds(20), "the command has failed");
        await NagiosAsync(server, "--archive-ready", Warning, "REPMGR_ARCHIVE_READY WARNING: 1 pending archive ready files, the last attempt to archive failed (");
        while (await server.QueryAsync<int>("select count(*)::int from pg_ls_archive_statusdir() where name like '%.ready'") < 4)
            await SwitchWalAsync(server);
        await NagiosAsync(server, "--archive-ready", Critical, "REPMGR_ARCHIVE_READY CRITICAL: 4 pending archive ready files, the last attempt to archive failed (");
        (await server.RepmgrAsync("node", "status")).ShouldExit(ExitCode.NodeStatus).ShouldSay("\tWAL archiving: enabled\n").ShouldSay("\tWALs pending archiving: 4 pending files\n");

        // A role that may not list the files, and is the user that the server runs as.
        await server.ExecuteAsync("create role watcher login; grant usage on schema repmgr to watcher; grant select on repmgr.nodes to watcher");
        await server.WriteConfAsync($"conninfo='{server.Conninfo.Replace("user=repmgr", "user=watcher", StringComparison.Ordinal)}'", "archive_ready_warning=5");
        await NagiosAsync(server, "--archive-ready", Warning, "REPMGR_ARCHIVE_READY WARNING: 4 pending archive ready files, the last attempt to archive failed (");
        await NagiosAsync(server, "--data-directory-config", Ok, $"REPMGR_DATA_DIRECTORY OK: {server.DataDirectory}\n");

        await File.WriteAllTextAsync(flag, "", TestContext.Current.CancellationToken);
        await server.WriteConfAsync();
        await SwitchWalAsync(server); // wakes the archiver, which waits a minute after three failures
        await Eventually.EqualAsync(Ok, async () => (await server.RepmgrAsync("node", "check", "--archive-ready")).ExitCode, Seconds(30), "the status of archiving");
    }

    [Theory, EveryMajor]
    public async Task A_node_is_not_what_is_recorded_or_not_where(int major)
    {
        TestCluster cluster = await ClusterAsync(major);
        TestServer primary = cluster.Primary, standby = cluster.Standbys[0];

        await primary.ExecuteAsync("update repmgr.nodes set active = false where node_id = 2");
        await Eventually.EqualAsync(Warning, async () => (await standby.RepmgrAsync("node", "check", "--role")).ExitCode, Seconds(10), "the status of the role");
        await primary.ExecuteAsync("update repmgr.nodes set active = true where node_id = 2");

        await standby.WriteConfAsync($"data_directory='{primary.DataDirectory}'");
        await NagiosAsync(standby, "--data-directory-config", Critical, $"REPMGR_DATA_DIRECTORY CRITICAL: {primary.DataDirectory} | the server's is {standby.DataDirectory}\n");
        await standby.WriteConfAsync("node_id=7");
        (await standby.RepmgrAsync("node", "status")).ShouldExit(ExitCode.BadConfig).ShouldSay("node 7 is not registered").ShouldSay("\"node1\" (ID: 1), \"node2\" (ID: 2)");
        await NagiosAsync(standby, "--role", Unknown, "REPMGR_SERVER_ROLE UNKNOWN: node 7 is not registered\n");
        await standby.WriteConfAsync("conninfo=''", "log_level=NONSENSE");
        await NagiosAsync(standby, "--role", Unknown, "REPMGR_SERVER_ROLE UNKNOWN: the configuration cannot be used\n");
        await standby.WriteConfAsync();

        await standby.QueryAsync<bool>("select pg_promote()");
        await NagiosAsync(standby, "--role", Critical, "REPMGR_SERVER_ROLE CRITICAL: node is registered as standby but running as primary\n");
        await NagiosAsync(primary, "--role", Critical, "REPMGR_SERVER_ROLE CRITICAL: node is primary, and so is node \"node2\" (ID: 2)\n");
    }

    [Fact]
    public async Task A_wrong_password_is_named_and_none_is_shown()
    {
        TestServer server = await Lab.ServerAsync(PostgresMajor.Default);
        await server.StartAsync();
        (await server.RepmgrAsync("primary", "register")).ShouldSucceed();
        await server.ExecuteAsync("alter role repmgr password 'right'");
        string hba = Path.Combine(server.DataDirectory, "pg_hba.conf");
        await File.WriteAllTextAsync(hba, "local all postgres trust\nhost all all all scram-sha-256\n", TestContext.Current.CancellationToken);
        await server.ReloadAsync();
        await server.WriteConfAsync($"conninfo='{server.Conninfo} password=wrong-secret'");

        ProgramResult check = await server.RepmgrAsync("node", "check");
        check.ShouldExit(ExitCode.MonitoringTimeoutOrBadPassword).ShouldSay("the password for node \"node1\" was rejected");
        Assert.DoesNotContain("wrong-secret", check.ToString(), StringComparison.Ordinal);
        await NagiosAsync(server, "--db-connection", Critical, "REPMGR_DB_CONNECTION CRITICAL: no connection to node \"node1\": ");
        await NagiosAsync(server, "--slots", Unknown, "REPMGR_INACTIVE_SLOTS UNKNOWN: the password for node \"node1\" was rejected\n");
    }

    [Fact]
    public async Task Repmgrd_that_watches_is_seen_to_run_and_not_to()
    {
        TestServer server = await Lab.ServerAsync(PostgresMajor.Default);
        await server.StartAsync();
        (await server.RepmgrAsync("primary", "register")).ShouldSucceed();
        await NagiosAsync(server, "--repmgrd", Critical, "REPMGRD CRITICAL: repmgrd is not running\n");
        _ = server.StartRepmgrd();
        await Eventually.EqualAsync(Ok, async () => (await server.RepmgrAsync("node", "check", "--repmgrd")).ExitCode, Seconds(20), "the status of repmgrd");
        await NagiosAsync(server, "--repmgrd", Ok, "REPMGRD OK: repmgrd is running (PID ");
    }

    [Theory, EveryMajor]
    public async Task A_server_is_up_has_stopped_in_good_order_or_has_not(int major)
    {
        TestServer server = await Lab.ServerAsync(major);
        await server.StartAsync();
        Assert.Equal("--state=UP\n", await ShutdownAsync());
        await server.StopAsync();
        Assert.Matches("^--state=SHUTDOWN --last-checkpoint-lsn=[0-9A-F]+/[0-9A-F]+\n$", await ShutdownAsync());
        await server.StartAsync();
        await server.KillAsync();
        Assert.Equal("--state=UNCLEAN_SHUTDOWN\n", await ShutdownAsync());
        await server.WriteConfAsync("data_directory='/nowhere'");
        Assert.Equal("--state=UNKNOWN\n", await ShutdownAsync());

        async Task<string> ShutdownAsync() => (await server.RepmgrAsync("node", "status", "--is-shutdown-cleanly")).ShouldSucceed().Stdout;
    }

    private async Task<TestCluster> ClusterAsync(int major, bool slots = false)
    {
        TestCluster cluster = await Lab.ClusterAsync(major, standbys: 1, slots);
        foreach (TestServer server in slots ? cluster.All : [])
            await server.WriteConfAsync("use_replication_slots=yes");
        await cluster.RegisterAsync();
        return cluster;
    }

    private static Task LimitLagAsync(TestServer server, int warning, int critical) =>
        server.WriteConfAsync($"replication_lag_warning={warning}", $"replication_lag_critical={critical}");

    private static Task SwitchWalAsync(TestServer server) => server.ExecuteAsync("create table if not exists t (n int); insert into t values (1); select pg_switch_wal()");

    private static async Task NagiosAsync(TestServer server, string item, int exitCode, string says)
    {
        ProgramResult result = (await server.RepmgrAsync("node", "check", item, "--nagios")).ShouldExit(exitCode);
        Assert.Contains(says, result.Stdout, StringComparison.Ordinal);
        Assert.Equal(1, result.Stdout.Count(letter => letter == '\n'));
    }
}
