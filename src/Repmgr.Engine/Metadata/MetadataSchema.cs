using Npgsql;
using Repmgr.Core.Cluster;

namespace Repmgr.Engine.Metadata;

/// <summary>
/// Creates schema <c>repmgr</c>, takes it over from the extension of repmgr 5, and brings it forward: all in one transaction
/// under <see cref="MetadataLock"/>. Errors are the connection's: <see cref="NpgsqlException"/>.
/// </summary>
public static class MetadataSchema
{
    /// <summary>What is there now.</summary>
    public static async Task<SchemaState> ReadAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        const string Sql =
            """
            SELECT (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'repmgr'),
                   (SELECT true FROM pg_catalog.pg_namespace WHERE nspname = 'repmgr'),
                   to_regclass('repmgr.nodes') IS NOT NULL,
                   to_regclass('repmgr.schema_version') IS NOT NULL,
                   (SELECT min(c.relname::text) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                     WHERE n.nspname = 'repmgr' AND c.relkind IN ('r', 'v', 'm', 'p', 'f'))
            """;
        bool versioned;
        NpgsqlCommand command = new(Sql, connection);
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                await reader.ReadAsync(cancel).ConfigureAwait(false);
                if (reader.TextOrNull(0) is { } extension)
                    return new SchemaState.Extension(extension);

                bool hasNodes = reader.GetBoolean(2);
                versioned = reader.GetBoolean(3);
                if (!versioned && reader.TextOrNull(4) is { } relation)
                    return new SchemaState.Foreign(hasNodes ? "nodes" : relation);

                if (!versioned)
                    return new SchemaState.Absent(SchemaExists: !reader.IsDBNull(1));
            }
        }

        return new SchemaState.Present(await ReadVersionAsync(connection, cancel).ConfigureAwait(false));
    }

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
        NpgsqlTransaction transaction = await MetadataLock.BeginAsync(connection, cancel).ConfigureAwait(false);
        await using (transaction.ConfigureAwait(false))
        {
            SchemaState before = await ReadAsync(connection, cancel).ConfigureAwait(false);
            if (before is SchemaState.Extension && takeOver)
                await SchemaTakeover.DetachAsync(connection, cancel).ConfigureAwait(false);
            else if (before is SchemaState.Extension or SchemaState.Foreign or SchemaState.Present { Version: > SchemaState.Current })
                return before;

            if (before is SchemaState.Absent { SchemaExists: false })
                await ExecuteAsync(connection, "CREATE SCHEMA repmgr", cancel).ConfigureAwait(false);

            int version = before is SchemaState.Present present ? present.Version : 0;
            foreach (SchemaMigration migration in SchemaMigration.After(version))
                await ApplyAsync(connection, migration, program, cancel).ConfigureAwait(false);

            if (cluster is not null)
                await ExecuteAsync(connection, OriginalViews.Sql(cluster), cancel).ConfigureAwait(false);

            if (owner is not null)
                await SchemaTakeover.GiveToAsync(connection, owner, cancel).ConfigureAwait(false);

            await transaction.CommitAsync(cancel).ConfigureAwait(false);
            return before;
        }
    }

    internal static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
        NpgsqlCommand command = new(sql, connection);
        await using (command.ConfigureAwait(false))
            await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
    }

    private static async Task<int> ReadVersionAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        NpgsqlCommand command = new("SELECT coalesce(max(version), 0) FROM repmgr.schema_version", connection);
        await using (command.ConfigureAwait(false))
            return (int)(await command.ExecuteScalarAsync(cancel).ConfigureAwait(false))!;
    }

    private static async Task ApplyAsync(NpgsqlConnection connection, SchemaMigration migration, string program, CancellationToken cancel)
    {
        await ExecuteAsync(connection, migration.Sql, cancel).ConfigureAwait(false);
        NpgsqlCommand command = new("INSERT INTO repmgr.schema_version (version, applied_by) VALUES ($1, $2)", connection)
        {
            Parameters = { new() { Value = migration.Version }, new() { Value = program } },
        };
        await using (command.ConfigureAwait(false))
            await command.ExecuteNonQueryAsync(cancel).ConfigureAwait(false);
    }
}
