using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Registration;

/// <summary>
/// A cluster that repmgr 5 registered is taken over by one command. The extension here is made for the test, with the members of the real
/// one: its tables, its views, and a function that a view calls. Since PostgreSQL 18 an extension can lie anywhere.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/18/runtime-config-client.html#GUC-EXTENSION-CONTROL-PATH</remarks>
public sealed class TakeoverTest : LabTest
{
    private const string Extension =
        """
        CREATE TABLE repmgr.nodes (node_id integer PRIMARY KEY, upstream_node_id integer NULL REFERENCES repmgr.nodes (node_id) DEFERRABLE,
            active boolean NOT NULL DEFAULT true, node_name text NOT NULL, type text NOT NULL, location text NOT NULL DEFAULT 'default',
            priority integer NOT NULL DEFAULT 100, conninfo text NOT NULL, repluser varchar(63) NOT NULL, slot_name text NULL, config_file text NOT NULL);
        SELECT pg_extension_config_dump('repmgr.nodes', '');
        CREATE TABLE repmgr.events (node_id integer NOT NULL, event text NOT NULL, successful boolean NOT NULL DEFAULT true,
            event_timestamp timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP, details text NULL);
        CREATE TABLE repmgr.monitoring_history (primary_node_id integer NOT NULL, standby_node_id integer NOT NULL, last_monitor_time timestamptz NOT NULL,
            last_apply_time timestamptz, last_wal_primary_location pg_lsn NOT NULL, last_wal_standby_location pg_lsn, replication_lag bigint NOT NULL, apply_lag bigint NOT NULL);
        CREATE FUNCTION repmgr.standby_get_last_updated() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()';
        CREATE FUNCTION repmgr.repmgrd_is_running() RETURNS boolean LANGUAGE sql AS $$ SELECT current_setting('test.repmgrd', true) = 'on' $$;
        CREATE VIEW repmgr.replication_status AS SELECT m.primary_node_id, m.standby_node_id, n.node_name AS standby_name, n.type AS node_type, n.active,
            m.last_monitor_time, m.last_wal_primary_location, m.last_wal_standby_location, pg_size_pretty(m.replication_lag) AS replication_lag,
            interval '0' AS replication_time_lag, pg_size_pretty(m.apply_lag) AS apply_lag, age(now(), repmgr.standby_get_last_updated()) AS communication_time_lag
            FROM repmgr.monitoring_history m JOIN repmgr.nodes n ON n.node_id = m.standby_node_id;
        CREATE VIEW repmgr.show_nodes AS SELECT n.node_id, n.node_name, n.active, n.upstream_node_id, u.node_name AS upstream_node_name, n.type, n.priority, n.conninfo
            FROM repmgr.nodes n LEFT JOIN repmgr.nodes u ON u.node_id = n.upstream_node_id;
        """;

    [Fact]
    public async Task The_tables_stay_with_data_and_grants_and_the_extension_goes()
    {
        TestServer server = await OldAsync();
        await server.ExecuteAsync(
            """
            create role watcher; grant select on repmgr.nodes to watcher;
            create view public.mine as select * from repmgr.replication_status;
            insert into repmgr.monitoring_history values (1, 2, now(), now(), '0/2', '0/1', 1, 0)
            """);

        (await server.RepmgrAsync("primary", "register")).ShouldExit(ExitCode.BadConfig).ShouldSay("was registered by repmgr 5");
        (await server.RepmgrAsync("primary", "register", "--force")).ShouldSucceed();

        Assert.Equal(0, await server.QueryAsync<int>("select count(*)::int from pg_extension where extname = 'repmgr'"));
        Assert.Equal(2, await server.QueryAsync<int>("select count(*)::int from repmgr.nodes"));
        Assert.Equal("node2", await server.QueryAsync<string>("select standby_name from public.mine"));
        Assert.True(await server.QueryAsync<bool>("select has_table_privilege('watcher', 'repmgr.nodes', 'SELECT')"));
        Assert.Equal(1, await server.QueryAsync<int>("select term from repmgr.voting_term"));
        Assert.Equal(0, await server.QueryAsync<int>("select count(*)::int from pg_proc where pronamespace = 'repmgr'::regnamespace"));
    }

    [Fact]
    public async Task What_depends_on_the_extension_keeps_everything_as_it_was()
    {
        TestServer server = await OldAsync();
        await server.ExecuteAsync("create view public.mine as select repmgr.standby_get_last_updated()");

        (await server.RepmgrAsync("primary", "register", "--force")).ShouldExit(ExitCode.DbQuery).ShouldSay("could not create the metadata");

        Assert.Equal(1, await server.QueryAsync<int>("select count(*)::int from pg_extension where extname = 'repmgr'"));
        Assert.Equal(5, await server.QueryAsync<int>(
            "select count(*)::int from pg_depend d join pg_extension e on e.oid = d.refobjid and e.extname = 'repmgr' where d.deptype = 'e'"
            + " and d.classid = 'pg_class'::regclass"));
    }

    [Fact]
    public async Task An_old_daemon_and_a_role_that_is_not_the_owner_stand_in_the_way()
    {
        TestServer server = await OldAsync();
        await server.ExecuteAsync(
            """
            alter database repmgr set test.repmgrd = on;
            create role ordinary login replication; grant pg_monitor, pg_checkpoint to ordinary; grant usage on schema repmgr to ordinary;
            grant all on all tables in schema repmgr to ordinary
            """);
        await File.WriteAllTextAsync(
            server.ConfPath,
            (await File.ReadAllTextAsync(server.ConfPath, TestContext.Current.CancellationToken)).Replace("user=repmgr", "user=ordinary", StringComparison.Ordinal),
            TestContext.Current.CancellationToken);

        (await server.RepmgrAsync("primary", "register", "--force")).ShouldExit(ExitCode.BadConfig)
            .ShouldSay("the repmgrd of repmgr 5 is still running").ShouldSay("does not own extension \"repmgr\"");

        await server.ExecuteAsync("alter database repmgr reset test.repmgrd");
        (await server.RepmgrAsync("primary", "register", "--force", "-S", "postgres")).ShouldSucceed();
        Assert.Equal("ordinary", await server.QueryAsync<string>("select nspowner::regrole::text from pg_namespace where nspname = 'repmgr'"));
        (await server.RepmgrAsync("primary", "register", "--force")).ShouldSucceed();
    }

    private async Task<TestServer> OldAsync()
    {
        int? major = PostgresMajor.Wanted.Where(wanted => wanted >= 18).Select(wanted => (int?)wanted).LastOrDefault();
        Assert.SkipWhen(major is null, "extension_control_path came with PostgreSQL 18, and no such server is wanted in this run");
        TestServer server = await Lab.ServerAsync(major!.Value);
        string extensions = await Lab.SubdirectoryAsync("extension");
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await File.WriteAllTextAsync(
            Path.Combine(extensions, "repmgr.control"), "default_version = '5.3'\nrelocatable = false\nschema = repmgr\n", cancel);
        await File.WriteAllTextAsync(Path.Combine(extensions, "repmgr--5.3.sql"), Extension, cancel);
        await server.ConfigureAsync($"extension_control_path = '{Lab.Directory}:$system'");
        await server.StartAsync();
        await server.ExecuteAsync(
            $"""
            create extension repmgr;
            insert into repmgr.nodes values (1, null, true, 'node1', 'primary', 'default', 100, '{server.Conninfo}', 'repmgr', null, '/old'),
                                            (2, 1, true, 'node2', 'standby', 'default', 100, 'host=127.0.0.1 port=1 connect_timeout=1', 'repmgr', null, '/old');
            """);
        return server;
    }
}
