using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Metadata;

/// <summary>
/// Schema <c>repmgr_CLUSTER</c> as repmgr 1 had it, for what was written for it: the same names, columns and text formats, over
/// the tables of schema <c>repmgr</c>.
/// </summary>
internal static class OriginalViews
{
    /// <summary>Creates the schema where it is missing, and the three views in their present form.</summary>
    public static string Sql(string cluster)
    {
        string schema = SqlText.Name(OriginalSchema.NameFor(cluster));
        string literal = SqlText.Literal(cluster);

        // Not CREATE SCHEMA IF NOT EXISTS: that asks for CREATE on the database even where the schema is there.
        return
            $"""
            DO {SqlText.Literal($"BEGIN IF to_regnamespace({SqlText.Literal(schema)}) IS NULL THEN CREATE SCHEMA {schema}; END IF; END")};

            CREATE OR REPLACE VIEW {schema}.repl_nodes AS
            SELECT node_id AS id, {literal}::text AS cluster, conninfo FROM repmgr.nodes;

            CREATE OR REPLACE VIEW {schema}.repl_monitor AS
            SELECT primary_node_id AS primary_node,
                   standby_node_id AS standby_node,
                   last_monitor_time,
                   last_wal_primary_location::text AS last_wal_primary_location,
                   last_wal_standby_location::text AS last_wal_standby_location,
                   replication_lag,
                   apply_lag
              FROM repmgr.monitoring_history;

            CREATE OR REPLACE VIEW {schema}.repl_status AS
            SELECT m.primary_node_id AS primary_node,
                   m.standby_node_id AS standby_node,
                   m.last_monitor_time,
                   m.last_wal_primary_location::text AS last_wal_primary_location,
                   m.last_wal_standby_location::text AS last_wal_standby_location,
                   pg_size_pretty(m.replication_lag) AS replication_lag,
                   pg_size_pretty(m.apply_lag) AS apply_lag,
                   age(now(), m.last_monitor_time) AS time_lag
              FROM (SELECT DISTINCT ON (standby_node_id) * FROM repmgr.monitoring_history
                     ORDER BY standby_node_id, last_monitor_time DESC) m;
            """;
    }
}
