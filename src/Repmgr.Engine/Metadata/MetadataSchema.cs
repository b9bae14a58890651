using Npgsql;
using Repmgr.Core.Cluster;

namespace Repmgr.Engine.Metadata;

/// <summary>
/// Creates schema <c>repmgr</c>, takes it over from the extension of repmgr 5, and brings it forward: all in one transaction
/// under <see cref="MetadataLock"/>. Errors are the connection's: <see cref="NpgsqlException"/>.
/// </summary>
public static class MetadataSchema
{
    /// <summary>What is there now, as far as this role may see it. Needs no right.</summary>
    public static async Task<SchemaState> ReadAsync(NpgsqlConnection connection, CancellationToken cancel) =>
        await ReadObjectsAsync(connection, cancel)
        ?? new SchemaState.Present(await ReadVersionAsync(connection, cancel));

    /// <summary>Makes the schema what this program needs.</summary>
    /// <param name="connection">To the primary, as a role with the rights that <c>RightsCheck</c> asks for.</param>
    /// <param name="cluster">The <c>cluster</c> of 1.x, whose views are wanted too; null: none.</param>
    /// <param name="takeOver">May the extension's tables be taken over?</param>
    /// <param name="owner">Who is to own everything, when that is another role than the connection's; null: nobody else.</param>
    /// <param name="program">The program's version, for the record.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>What was there before; <see cref="SchemaState.Present"/> of the current version: nothing had to be done to <c>repmgr</c>.</returns>
    public static async Task<SchemaState> EnsureAsync(
        NpgsqlConnection connection, string? cluster, bool takeOver, string? owner, string program, CancellationToken cancel)
    {
        await using NpgsqlTransaction transaction = await MetadataLock.BeginAsync(connection, cancel);
        SchemaState before = await ReadAsync(connection, cancel);
        if (before is SchemaState.Extension && takeOver)
            await SchemaTakeover.DetachAsync(connection, cancel);
        else if (before is SchemaState.Extension or SchemaState.Foreign or SchemaState.Unread or SchemaState.Present { Version: > SchemaState.Current })
            return before;

        if (before is SchemaState.Absent { SchemaExists: false })
            await ExecuteAsync(connection, "CREATE SCHEMA repmgr", cancel);

        int version = before is SchemaState.Present present ? present.Version : 0;
        foreach (SchemaMigration migration in SchemaMigration.After(version))
            await ApplyAsync(connection, migration, program, cancel);

        if (cluster is not null)
            await ExecuteAsync(connection, OriginalViews.Sql(cluster), cancel);

        if (owner is not null)
            await SchemaTakeover.GiveToAsync(connection, "repmgr", owner, cancel);
        if (owner is not null && cluster is not null)
            await SchemaTakeover.GiveToAsync(connection, OriginalSchema.NameFor(cluster), owner, cancel);

        await transaction.CommitAsync(cancel);
        return before;
    }

    internal static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        await using NpgsqlCommand command = new(sql, connection);
        await command.ExecuteNonQueryAsync(cancel);
    }

    // Null: a schema of ours, whose version stands in a table of its own. Not by to_regclass(), which raises an error without USAGE.
    private static async Task<SchemaState?> ReadObjectsAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        const string Sql =
            """
            SELECT (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'repmgr'),
                   to_regnamespace('repmgr') IS NOT NULL,
                   (SELECT has_schema_privilege(c.relnamespace, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
                      FROM pg_catalog.pg_class c WHERE c.relnamespace = to_regnamespace('repmgr') AND c.relname = 'schema_version' AND c.relkind = 'r'),
                   (SELECT c.relname::text FROM pg_catalog.pg_class c
                     WHERE c.relnamespace = to_regnamespace('repmgr') AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
                     ORDER BY c.relname <> 'nodes', c.relname LIMIT 1)
            """;
        await using NpgsqlCommand command = new(Sql, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        if (reader.TextOrNull(0) is { } extension)
            return new SchemaState.Extension(extension);

        if (!reader.IsDBNull(2))
            return reader.GetBoolean(2) ? null : new SchemaState.Unread();

        return reader.TextOrNull(3) is { } relation ? new SchemaState.Foreign(relation) : new SchemaState.Absent(reader.GetBoolean(1));
    }

    private static async Task<int> ReadVersionAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using NpgsqlCommand command = new("SELECT coalesce(max(version), 0) FROM repmgr.schema_version", connection);
        return (int)(await command.ExecuteScalarAsync(cancel))!;
    }

    private static async Task ApplyAsync(NpgsqlConnection connection, SchemaMigration migration, string program, CancellationToken cancel)
    {
        await ExecuteAsync(connection, migration.Sql, cancel);
        await using NpgsqlCommand command = new("INSERT INTO repmgr.schema_version (version, applied_by) VALUES ($1, $2)", connection)
        {
            Parameters = { new() { Value = migration.Version }, new() { Value = program } },
        };
        await command.ExecuteNonQueryAsync(cancel);
    }
}
