using Npgsql;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Metadata;

/// <summary>Makes what the extension <c>repmgr</c> owns plain tables and views, with all data and grants, and drops the extension.</summary>
/// <remarks>https://www.postgresql.org/docs/current/sql-alterextension.html</remarks>
internal static class SchemaTakeover
{
    /// <summary>
    /// Within the caller's transaction. The view that calls the extension's C function loses that call first; what else of the
    /// administrator's depends on the C functions makes DROP EXTENSION fail, and all stays as it was.
    /// </summary>
    public static async Task DetachAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        foreach (string statement in await DetachStatementsAsync(connection, cancel))
            await MetadataSchema.ExecuteAsync(connection, statement, cancel);

        await MetadataSchema.ExecuteAsync(connection, ReleaseStatusView, cancel);
        await MetadataSchema.ExecuteAsync(connection, "DROP EXTENSION repmgr", cancel);
    }

    /// <summary>Hands a schema and all relations in it to the role that repmgr connects as.</summary>
    public static async Task GiveToAsync(NpgsqlConnection connection, string schema, string owner, CancellationToken cancel)
    {
        List<string> statements = [$"ALTER SCHEMA {SqlText.Name(schema)} OWNER TO {SqlText.Name(owner)}"];
        foreach (string relation in await RelationsAsync(connection, schema, cancel))
            statements.Add($"ALTER TABLE {relation} OWNER TO {SqlText.Name(owner)}");

        foreach (string statement in statements)
            await MetadataSchema.ExecuteAsync(connection, statement, cancel);
    }

    // Same columns and types as the extension's view, as CREATE OR REPLACE VIEW demands, and nothing that needs the extension.
    // It is replaced rather than dropped, because views of the administrator may stand on it. The migration that follows gives it its body.
    private const string ReleaseStatusView =
        """
        CREATE OR REPLACE VIEW repmgr.replication_status AS
        SELECT NULL::integer AS primary_node_id, NULL::integer AS standby_node_id, NULL::text AS standby_name, NULL::text AS node_type,
               NULL::boolean AS active, NULL::timestamptz AS last_monitor_time, NULL::pg_lsn AS last_wal_primary_location,
               NULL::pg_lsn AS last_wal_standby_location, NULL::text AS replication_lag, NULL::interval AS replication_time_lag,
               NULL::text AS apply_lag, NULL::interval AS communication_time_lag
        """;

    private static Task<List<string>> DetachStatementsAsync(NpgsqlConnection connection, CancellationToken cancel) =>
        ReadTextsAsync(
            connection,
            """
            SELECT format('ALTER EXTENSION repmgr DROP %s %s', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, c.oid::regclass)
              FROM pg_catalog.pg_depend d
              JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'repmgr'
              JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'v')
             WHERE d.refclassid = 'pg_extension'::regclass AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
             ORDER BY c.relkind DESC, c.relname
            """,
            cancel);

    private static Task<List<string>> RelationsAsync(NpgsqlConnection connection, string schema, CancellationToken cancel) =>
        ReadTextsAsync(
            connection,
            $"""
            SELECT c.oid::regclass::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = {SqlText.Literal(schema)} AND c.relkind IN ('r', 'v') ORDER BY c.relname
            """,
            cancel);

    private static async Task<List<string>> ReadTextsAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using NpgsqlCommand command = new(sql, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel);
        List<string> texts = [];
        while (await reader.ReadAsync(cancel))
            texts.Add(reader.GetString(0));

        return texts;
    }
}
