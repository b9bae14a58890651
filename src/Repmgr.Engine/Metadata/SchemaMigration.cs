namespace Repmgr.Engine.Metadata;

/// <summary>
/// One step forward of the schema's layout. Versions only ever grow, and a migration that was released is never changed: the
/// next one mends it. Each must also run on what a takeover leaves, and change nothing that an older program of the
/// same cluster reads.
/// </summary>
internal sealed record SchemaMigration(int Version, string Sql)
{
    // The tables and views of repmgr 5, column by column, so that what was written for it goes on working. IF NOT EXISTS, because
    // after a takeover they are there, with their data; repmgr 4.0 had no voting_term yet.
    private const string First =
        """
        CREATE TABLE repmgr.schema_version (
            version    integer     PRIMARY KEY,
            applied_at timestamptz NOT NULL DEFAULT now(),
            applied_by text        NOT NULL
        );

        CREATE TABLE IF NOT EXISTS repmgr.nodes (
            node_id          integer     PRIMARY KEY,
            upstream_node_id integer     NULL REFERENCES repmgr.nodes (node_id) DEFERRABLE,
            active           boolean     NOT NULL DEFAULT true,
            node_name        text        NOT NULL,
            type             text        NOT NULL CHECK (type IN ('primary', 'standby', 'witness', 'bdr')),
            location         text        NOT NULL DEFAULT 'default',
            priority         integer     NOT NULL DEFAULT 100,
            conninfo         text        NOT NULL,
            repluser         varchar(63) NOT NULL,
            slot_name        text        NULL,
            config_file      text        NOT NULL
        );

        CREATE TABLE IF NOT EXISTS repmgr.events (
            node_id         integer     NOT NULL,
            event           text        NOT NULL,
            successful      boolean     NOT NULL DEFAULT true,
            event_timestamp timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
            details         text        NULL
        );

        CREATE TABLE IF NOT EXISTS repmgr.monitoring_history (
            primary_node_id           integer     NOT NULL,
            standby_node_id           integer     NOT NULL,
            last_monitor_time         timestamptz NOT NULL,
            last_apply_time           timestamptz NULL,
            last_wal_primary_location pg_lsn      NOT NULL,
            last_wal_standby_location pg_lsn      NULL,
            replication_lag           bigint      NOT NULL,
            apply_lag                 bigint      NOT NULL
        );
        CREATE INDEX IF NOT EXISTS idx_monitoring_history_time ON repmgr.monitoring_history (last_monitor_time, standby_node_id);

        CREATE TABLE IF NOT EXISTS repmgr.voting_term (term integer NOT NULL);
        CREATE UNIQUE INDEX IF NOT EXISTS voting_term_restrict ON repmgr.voting_term ((true));
        CREATE OR REPLACE RULE voting_term_delete AS ON DELETE TO repmgr.voting_term DO INSTEAD NOTHING;
        INSERT INTO repmgr.voting_term (term) SELECT 1 WHERE NOT EXISTS (SELECT FROM repmgr.voting_term);

        CREATE OR REPLACE VIEW repmgr.show_nodes AS
        SELECT n.node_id, n.node_name, n.active, n.upstream_node_id, u.node_name AS upstream_node_name, n.type, n.priority, n.conninfo
          FROM repmgr.nodes n LEFT JOIN repmgr.nodes u ON u.node_id = n.upstream_node_id;

        CREATE OR REPLACE VIEW repmgr.replication_status AS
        SELECT m.primary_node_id,
               m.standby_node_id,
               n.node_name AS standby_name,
               n.type AS node_type,
               n.active,
               m.last_monitor_time,
               CASE WHEN n.type = 'standby' THEN m.last_wal_primary_location END AS last_wal_primary_location,
               m.last_wal_standby_location,
               CASE WHEN n.type = 'standby' THEN pg_size_pretty(m.replication_lag) END AS replication_lag,
               CASE WHEN n.type = 'standby' THEN
                   CASE WHEN m.replication_lag > 0 THEN age(now(), m.last_apply_time) ELSE interval '0' END
               END AS replication_time_lag,
               CASE WHEN n.type = 'standby' THEN pg_size_pretty(m.apply_lag) END AS apply_lag,
               age(now(), m.last_monitor_time) AS communication_time_lag
          FROM (SELECT DISTINCT ON (standby_node_id) * FROM repmgr.monitoring_history
                 ORDER BY standby_node_id, last_monitor_time DESC) m
          JOIN repmgr.nodes n ON n.node_id = m.standby_node_id;
        """;

    // For the agents of automatic failover. The secret is read by who may read the table: its owner. Each gen_random_uuid() has 122
    // bits of the server's strong random source. The first membership is written once.
    private const string Second =
        """
        CREATE TABLE repmgr.cluster_secret (secret bytea NOT NULL);
        CREATE UNIQUE INDEX cluster_secret_restrict ON repmgr.cluster_secret ((true));
        INSERT INTO repmgr.cluster_secret (secret)
        SELECT sha256(convert_to(concat(gen_random_uuid(), gen_random_uuid(), gen_random_uuid()), 'UTF8'));

        CREATE TABLE repmgr.agents (
            node_id integer PRIMARY KEY,
            voter   text    NOT NULL,
            address text    NOT NULL
        );

        CREATE TABLE repmgr.founding (
            founded_at timestamptz NOT NULL DEFAULT now(),
            document   text        NOT NULL
        );
        CREATE UNIQUE INDEX founding_restrict ON repmgr.founding ((true));
        """;

    private static readonly SchemaMigration[] All = [new(1, First), new(2, Second)];

    /// <summary>What remains to be done, in order, where <paramref name="version"/> is reached; 0: nothing yet.</summary>
    public static IEnumerable<SchemaMigration> After(int version) => All.Where(migration => migration.Version > version);
}
