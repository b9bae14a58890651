using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Registration;

/// <summary>Registering and unregistering, as a role that is not a superuser.</summary>
public sealed class RegistrationTest : LabTest
{
    [Theory, EveryMajor]
    public async Task Nodes_are_registered_shown_and_unregistered_by_an_ordinary_role(int major)
    {
        var cluster = await OrdinaryAsync(await Lab.ClusterAsync(major, standbys: 1));
        TestServer primary = cluster.Primary, standby = cluster.Standbys[0];
        foreach (TestServer server in cluster.All)
        {
            await server.WriteConfAsync("cluster=test");
            await ConnectAsAsync(server, "ordinary");
        }

        (await primary.RepmgrAsync("primary", "register", "--dry-run")).ShouldSucceed().ShouldSay("1. create the metadata in schema \"repmgr\"");
        Assert.Equal(0, await primary.QueryAsync<int>("select count(*)::int from pg_namespace where nspname like 'repmgr%'"));

        (await primary.RepmgrAsync("primary", "register")).ShouldSucceed();
        (await primary.RepmgrAsync("primary", "register")).ShouldExit(ExitCode.BadConfig).ShouldSay("node 1 is already registered");
        (await primary.RepmgrAsync("primary", "register", "--force")).ShouldSucceed();
        (await standby.RepmgrAsync("primary", "register")).ShouldExit(ExitCode.BadConfig).ShouldSay("is a standby");

        (await standby.RepmgrAsync("standby", "register", "--wait-sync=20")).ShouldSucceed();
        (await standby.RepmgrAsync("standby", "register")).ShouldExit(ExitCode.BadConfig).ShouldSay("node 2 is already registered");
        (await primary.RepmgrAsync("standby", "register")).ShouldExit(ExitCode.BadConfig).ShouldSay("is no standby");

        Assert.Equal(
            [
                ["1", null, "t", "node1", "primary", "default", "100", primary.Conninfo, "ordinary", null, primary.ConfPath],
                ["2", "1", "t", "node2", "standby", "default", "100", standby.Conninfo, "ordinary", null, standby.ConfPath],
            ],
            (await standby.RowsAsync("select * from repmgr.nodes order by 1"))
                .Select(row => row.Select(cell => cell?.Replace("user=ordinary", "user=repmgr", StringComparison.Ordinal))));

        (await standby.RepmgrAsync("cluster", "show")).ShouldSucceed();
        Assert.Equal([["1", "test"], ["2", "test"]], await standby.RowsAsync("select id, cluster from repmgr_test.repl_nodes order by 1"));

        (await primary.RepmgrAsync("primary", "unregister")).ShouldExit(ExitCode.BadConfig).ShouldSay("\"node2\" (ID: 2)");
        (await standby.RepmgrAsync("standby", "unregister")).ShouldSucceed();
        (await standby.RepmgrAsync("standby", "unregister")).ShouldExit(ExitCode.BadConfig).ShouldSay("node 2 is not registered");
        (await primary.RepmgrAsync("primary", "unregister")).ShouldExit(ExitCode.BadConfig).ShouldSay("is the current primary");
        (await primary.RepmgrAsync("primary", "unregister", "-F")).ShouldSucceed();

        Assert.Equal(
            ["cluster_created", "primary_register", "primary_register", "standby_register", "standby_register_sync", "standby_unregister", "primary_unregister"],
            (await primary.RowsAsync("select event from repmgr.events where successful order by event_timestamp")).Select(row => row[0]));
    }

    /// <summary>The records are on the primary, and have not arrived at the standbys: not even the table has.</summary>
    [Fact]
    public async Task A_standby_that_has_not_replayed_the_metadata_asks_the_server_it_streams_from()
    {
        var cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 2);
        (TestServer two, TestServer three) = (cluster.Standbys[0], cluster.Standbys[1]);
        await three.StopAsync();
        await three.MakeStandbyAsync(two);
        await three.StartAsync();
        await three.StreamsFromAsync(two);
        foreach (TestServer standby in cluster.Standbys)
            await standby.ExecuteAsync("select pg_wal_replay_pause()");

        (await cluster.Primary.RepmgrAsync("primary", "register")).ShouldSucceed();
        (await three.RepmgrAsync("standby", "register", "--upstream-node-id=2")).ShouldExit(ExitCode.BadConfig).ShouldSay("no node 2 is registered");
        (await two.RepmgrAsync("standby", "register")).ShouldSucceed();
        (await three.RepmgrAsync("standby", "register", "--upstream-node-id=2")).ShouldSucceed();

        Assert.Equal(
            [["1", null], ["2", "1"], ["3", "2"]],
            await cluster.Primary.RowsAsync("select node_id, upstream_node_id from repmgr.nodes order by 1"));
    }

    [Theory, EveryMajor]
    public async Task Missing_rights_are_listed_as_statements_that_grant_them(int major)
    {
        var server = await Lab.ServerAsync(major);
        await server.StartAsync();
        await server.ExecuteAsync("create role \"or\"\"dinary\" login; revoke create on database repmgr from public");
        await ConnectAsAsync(server, "'or\"dinary'");

        var refused = (await server.RepmgrAsync("primary", "register")).ShouldExit(ExitCode.BadConfig);
        string[] statements = [.. refused.Stderr.Split('\n').Select(line => line.Trim())
            .Where(line => line.StartsWith("GRANT", StringComparison.Ordinal) || line.StartsWith("ALTER", StringComparison.Ordinal))];
        List<string> expected =
        [
            "GRANT CREATE ON DATABASE \"repmgr\" TO \"or\"\"dinary\";",
            "GRANT pg_monitor TO \"or\"\"dinary\";",
            "GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO \"or\"\"dinary\";",
            "GRANT EXECUTE ON FUNCTION pg_catalog.pg_wal_replay_resume() TO \"or\"\"dinary\";",
            .. ((string[])[.. major >= 15 ? (string[])["pg_backup_start(text, boolean)", "pg_backup_stop(boolean)"] : ["pg_start_backup(text, boolean, boolean)", "pg_stop_backup(boolean, boolean)"],
                "pg_ls_dir(text, boolean, boolean)", "pg_stat_file(text, boolean)", "pg_read_binary_file(text, bigint, bigint, boolean)"])
                .Select(function => $"GRANT EXECUTE ON FUNCTION pg_catalog.{function} TO \"or\"\"dinary\";"),
            .. major >= 15 ? (string[])["GRANT pg_checkpoint TO \"or\"\"dinary\";"] : [],
            "ALTER ROLE \"or\"\"dinary\" REPLICATION;",
        ];
        Assert.Equal(expected, statements);
        Assert.Equal(0, await server.QueryAsync<int>("select count(*)::int from pg_namespace where nspname = 'repmgr'"));

        foreach (string statement in statements)
            await server.ExecuteAsync(statement);
        var registered = (await server.RepmgrAsync("primary", "register")).ShouldSucceed();
        Assert.DoesNotContain("GRANT", registered.Stderr, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_schema_that_belongs_to_another_role_needs_grants_too()
    {
        var server = await Lab.ServerAsync(PostgresMajor.Default);
        await server.StartAsync();
        (await server.RepmgrAsync("primary", "register")).ShouldSucceed();
        await server.ExecuteAsync("create role ordinary login replication; grant pg_monitor, pg_checkpoint to ordinary");
        await ConnectAsAsync(server, "ordinary");

        var refused = (await server.RepmgrAsync("primary", "register", "--force")).ShouldExit(ExitCode.BadConfig)
            .ShouldSay("GRANT USAGE, CREATE ON SCHEMA repmgr TO \"ordinary\";")
            .ShouldSay("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA repmgr TO \"ordinary\";");
        foreach (string line in refused.Stderr.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("GRANT", StringComparison.Ordinal)))
            await server.ExecuteAsync(line);
        (await server.RepmgrAsync("primary", "register", "--force")).ShouldSucceed();
    }

    [Theory]
    [InlineData("it's")]
    [InlineData("a \"b\" c")]
    [InlineData("x'; drop table repmgr.nodes; --")]
    [InlineData("Größe $1 :n @p \\ %s")]
    public async Task A_cluster_may_have_any_name(string cluster)
    {
        var server = await Lab.ServerAsync(PostgresMajor.Default);
        await server.StartAsync();
        await server.WriteConfAsync($"cluster='{cluster.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "''", StringComparison.Ordinal)}'");

        (await server.RepmgrAsync("primary", "register")).ShouldSucceed();
        (await server.RepmgrAsync("primary", "register", "--force")).ShouldSucceed();

        Assert.Equal([[$"repmgr_{cluster}"]], await server.RowsAsync("select nspname from pg_namespace where nspname like 'repmgr\\_%'"));
        string schema = $"\"repmgr_{cluster.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
        Assert.Equal([["1", cluster]], await server.RowsAsync($"select id, cluster from {schema}.repl_nodes"));
    }

    [Fact]
    public async Task No_password_is_registered_or_said_and_the_port_of_the_environment_is()
    {
        var server = await Lab.ServerAsync(PostgresMajor.Default);
        await server.StartAsync();
        string port = server.Port.ToString(CultureInfo.InvariantCulture);
        await File.WriteAllTextAsync(
            server.ConfPath, "node=1\nconninfo='host=127.0.0.1 user=repmgr dbname=repmgr password=s3cret'\n", TestContext.Current.CancellationToken);
        var launch = new Launch(Programs.Repmgr, "-f", server.ConfPath, "primary", "register")
        {
            User = server.User,
            Environment = new Dictionary<string, string?>(server.Surroundings) { ["PGPORT"] = port },
        };

        var registered = (await Lab.RunAsync(launch)).ShouldSucceed().ShouldSay($"port={port}, which comes from PGPORT");

        Assert.DoesNotContain("s3cret", registered.Stdout + registered.Stderr, StringComparison.Ordinal);
        Assert.Equal(
            $"host=127.0.0.1 user=repmgr dbname=repmgr port={port}", await server.QueryAsync<string>("select conninfo from repmgr.nodes"));
    }

    [Fact]
    public async Task Many_that_register_at_once_leave_one_schema_and_every_record()
    {
        var server = await Lab.ServerAsync(PostgresMajor.Default);
        await server.StartAsync();
        var results = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => server.RepmgrAsync("primary", "register", "--force")));

        Assert.All(results, result => result.ShouldSucceed());
        Assert.Equal(1, await server.QueryAsync<int>("select count(*)::int from repmgr.nodes"));
        Assert.Equal(SchemaState.Current, await server.QueryAsync<int>("select count(*)::int from repmgr.schema_version"));
    }

    [Fact]
    public async Task A_second_living_primary_is_refused_whatever_is_forced()
    {
        var cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 1);
        await cluster.RegisterAsync();
        await cluster.Standbys[0].QueryAsync<bool>("select pg_promote()");

        (await cluster.Standbys[0].RepmgrAsync("primary", "register", "--force")).ShouldExit(ExitCode.BadConfig)
            .ShouldSay("another primary is alive: node \"node1\" (ID: 1)");
        (await cluster.Standbys[0].RepmgrAsync("standby", "unregister")).ShouldExit(ExitCode.BadConfig)
            .ShouldSay("2 nodes accept writes at the same time");
    }

    [Fact]
    public async Task A_record_that_does_not_arrive_ends_the_wait_with_its_own_code()
    {
        var cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 1);
        (await cluster.Primary.RepmgrAsync("primary", "register")).ShouldSucceed();
        await Eventually.EqualAsync(1, () => cluster.Standbys[0].QueryAsync<int>("select count(*)::int from repmgr.nodes"), Seconds(10), "the nodes known");
        await cluster.Standbys[0].ExecuteAsync("select pg_wal_replay_pause()");

        (await cluster.Standbys[0].RepmgrAsync("standby", "register", "--wait-sync=1")).ShouldExit(ExitCode.RegistrationSync);
        Assert.Equal(
            [["standby_register", "t"], ["standby_register_sync", "f"]],
            await cluster.Primary.RowsAsync("select event, successful from repmgr.events where node_id = 2 order by event_timestamp"));
    }

    [Fact]
    public async Task A_standby_that_does_not_run_or_has_another_name_or_upstream_can_be_registered()
    {
        var cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 1);
        TestServer standby = cluster.Standbys[0];
        (await cluster.Primary.RepmgrAsync("primary", "register")).ShouldSucceed();
        await standby.StopAsync();

        (await standby.RepmgrAsync("standby", "register", "--wait-start=1")).ShouldExit(ExitCode.DbConnection).ShouldSay("--force");
        (await standby.RepmgrAsync(
            "standby", "register", "--force", "-h", "127.0.0.1", "-p", cluster.Primary.Port.ToString(CultureInfo.InvariantCulture))).ShouldSucceed();
        Assert.Equal("standby", await cluster.Primary.QueryAsync<string>("select type from repmgr.nodes where node_id = 2"));
        (await cluster.Primary.RepmgrAsync("standby", "unregister", "--node-id=2")).ShouldSucceed();

        string auto = Path.Combine(standby.DataDirectory, "postgresql.auto.conf");
        string settings = await File.ReadAllTextAsync(auto, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            auto,
            settings.Replace("application_name=node2", "application_name=another", StringComparison.Ordinal),
            TestContext.Current.CancellationToken);
        await standby.StartAsync();
        await Eventually.EqualAsync(1, () => cluster.Primary.QueryAsync<int>("select count(*)::int from pg_stat_replication"), Seconds(20), "the standbys attached");
        (await standby.RepmgrAsync("standby", "register")).ShouldSucceed().ShouldSay("application_name=node2");
        (await standby.RepmgrAsync("standby", "register", "-F", "--upstream-node-id=9")).ShouldSucceed();
        Assert.Equal(
            [["2", "9", "t"], ["9", null, "f"]], await cluster.Primary.RowsAsync("select node_id, upstream_node_id, active from repmgr.nodes where node_id > 1 order by 1"));
    }

    // Without superuser, with what the manual says such a role needs.
    private static async Task<TestCluster> OrdinaryAsync(TestCluster cluster)
    {
        await cluster.Primary.ExecuteAsync(
            "create role ordinary login replication; grant create on database repmgr to ordinary; grant pg_monitor to ordinary");
        foreach (TestServer server in cluster.Standbys)
            await Eventually.EqualAsync(1, () => server.QueryAsync<int>("select count(*)::int from pg_roles where rolname = 'ordinary'"), Seconds(10), "the roles there");
        return cluster with { };
    }

    private static async Task ConnectAsAsync(TestServer server, string user)
    {
        string conf = await File.ReadAllTextAsync(server.ConfPath);
        await File.WriteAllTextAsync(
            server.ConfPath, conf.Replace("user=repmgr", $"user={user.Replace("'", "''", StringComparison.Ordinal)}", StringComparison.Ordinal));
    }
}
