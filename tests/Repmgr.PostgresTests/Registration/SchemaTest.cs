using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Registration;

/// <summary>The metadata is what was written for repmgr 5 and for repmgr 1 expects, to the column.</summary>
public sealed class SchemaTest : LabTest
{
    // As seen in a database that repmgr 5.3.3 had registered.
    private const string Columns =
        """
        events|node_id|integer|not null|
        events|event|text|not null|
        events|successful|boolean|not null|true
        events|event_timestamp|timestamp with time zone|not null|CURRENT_TIMESTAMP
        events|details|text||
        monitoring_history|primary_node_id|integer|not null|
        monitoring_history|standby_node_id|integer|not null|
        monitoring_history|last_monitor_time|timestamp with time zone|not null|
        monitoring_history|last_apply_time|timestamp with time zone||
        monitoring_history|last_wal_primary_location|pg_lsn|not null|
        monitoring_history|last_wal_standby_location|pg_lsn||
        monitoring_history|replication_lag|bigint|not null|
        monitoring_history|apply_lag|bigint|not null|
        nodes|node_id|integer|not null|
        nodes|upstream_node_id|integer||
        nodes|active|boolean|not null|true
        nodes|node_name|text|not null|
        nodes|type|text|not null|
        nodes|location|text|not null|'default'::text
        nodes|priority|integer|not null|100
        nodes|conninfo|text|not null|
        nodes|repluser|character varying(63)|not null|
        nodes|slot_name|text||
        nodes|config_file|text|not null|
        replication_status|primary_node_id|integer||
        replication_status|standby_node_id|integer||
        replication_status|standby_name|text||
        replication_status|node_type|text||
        replication_status|active|boolean||
        replication_status|last_monitor_time|timestamp with time zone||
        replication_status|last_wal_primary_location|pg_lsn||
        replication_status|last_wal_standby_location|pg_lsn||
        replication_status|replication_lag|text||
        replication_status|replication_time_lag|interval||
        replication_status|apply_lag|text||
        replication_status|communication_time_lag|interval||
        show_nodes|node_id|integer||
        show_nodes|node_name|text||
        show_nodes|active|boolean||
        show_nodes|upstream_node_id|integer||
        show_nodes|upstream_node_name|text||
        show_nodes|type|text||
        show_nodes|priority|integer||
        show_nodes|conninfo|text||
        voting_term|term|integer|not null|
        """;

    private const string Constraints =
        """
        nodes_pkey|PRIMARY KEY (node_id)
        nodes_type_check|CHECK ((type = ANY (ARRAY['primary'::text, 'standby'::text, 'witness'::text, 'bdr'::text])))
        nodes_upstream_node_id_fkey|FOREIGN KEY (upstream_node_id) REFERENCES repmgr.nodes(node_id) DEFERRABLE
        """;

    [Theory, EveryMajor]
    public async Task The_schema_is_that_of_repmgr_5(int major)
    {
        var server = await RegisteredAsync(major);

        Assert.Equal(Lines(Columns), await LinesAsync(server,
            """
            select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' else '' end,
                   coalesce(pg_get_expr(d.adbin, d.adrelid), '')
              from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
              left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
             where c.relnamespace = 'repmgr'::regnamespace and c.relkind in ('r', 'v') and c.relname not in ('schema_version', 'cluster_secret', 'agents', 'founding')
             order by c.relname, a.attnum
            """));
        Assert.Equal(Lines(Constraints), await LinesAsync(server,
            "select conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = 'repmgr.nodes'::regclass and contype <> 'n' order by 1"));
        Assert.Equal(
            [
                "idx_monitoring_history_time|CREATE INDEX idx_monitoring_history_time ON repmgr.monitoring_history USING btree (last_monitor_time, standby_node_id)",
                "voting_term_restrict|CREATE UNIQUE INDEX voting_term_restrict ON repmgr.voting_term USING btree ((true))",
            ],
            await LinesAsync(server, "select indexname, indexdef from pg_indexes where tablename in ('monitoring_history', 'voting_term') order by 1"));
        await server.ExecuteAsync("delete from repmgr.voting_term");
        Assert.Equal(1, await server.QueryAsync<int>("select term from repmgr.voting_term"));
    }

    [Theory, EveryMajor]
    public async Task The_views_of_repmgr_1_show_the_newest_row_in_its_formats(int major)
    {
        var server = await RegisteredAsync(major);
        await server.ExecuteAsync(
            """
            insert into repmgr.nodes (node_id, upstream_node_id, node_name, type, conninfo, repluser, config_file) values (2, 1, 'node2', 'standby', 'host=b', 'r', '/c');
            insert into repmgr.monitoring_history values
                (1, 2, now() - interval '1 hour', null, '0/11000000', '0/11000000', 0, 0),
                (1, 2, now() - interval '26 minutes', now() - interval '27 minutes', '0/1902D5E0', '0/1902D000', 1504, 0)
            """);

        Assert.Equal(
            ["1|2|0/1902D5E0|0/1902D000|1504 bytes|0 bytes|00:26:00|interval|text"],
            await LinesAsync(server,
                """
                select primary_node, standby_node, last_wal_primary_location, last_wal_standby_location, replication_lag, apply_lag,
                       date_trunc('minute', time_lag), pg_typeof(time_lag), pg_typeof(last_wal_primary_location)
                  from repmgr_test.repl_status
                """));
        Assert.Equal(
            ["1|2|0/11000000|0/11000000|0|0", "1|2|0/1902D5E0|0/1902D000|1504|0"],
            await LinesAsync(server,
                """
                select primary_node, standby_node, last_wal_primary_location, last_wal_standby_location, replication_lag, apply_lag
                  from repmgr_test.repl_monitor order by last_monitor_time
                """));
        Assert.Equal(
            ["1|2|node2|standby|0/1902D5E0|1504 bytes|00:27:00|0 bytes|00:26:00"],
            await LinesAsync(server,
                """
                select primary_node_id, standby_node_id, standby_name, node_type, last_wal_primary_location, replication_lag,
                       date_trunc('minute', replication_time_lag), apply_lag, date_trunc('minute', communication_time_lag)
                  from repmgr.replication_status
                """));
    }

    private async Task<TestServer> RegisteredAsync(int major)
    {
        var server = await Lab.ServerAsync(major);
        await server.WriteConfAsync("cluster=test");
        await server.StartAsync();
        (await server.RepmgrAsync("primary", "register")).ShouldSucceed();
        return server;
    }

    private static async Task<IEnumerable<string>> LinesAsync(TestServer server, string sql) =>
        (await server.RowsAsync(sql)).Select(row => string.Join('|', row));

    private static string[] Lines(string text) => text.ReplaceLineEndings("\n").Split('\n');
}
