using Npgsql;
using Repmgr.Core.Checks;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Metadata;

/// <summary>Looks at the metadata of a database and at what the connection's role may do there.</summary>
public static class MetadataReader
{
    // A role that is not a superuser sees no setting it has no right to; shared_preload_libraries needs pg_read_all_settings.
    // Functions are asked for by their signature, so that nothing depends on the search path.
    private const string Sql =
        """
        SELECT current_user::text,
               current_database()::text,
               (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),
               has_database_privilege(current_database(), 'CREATE'),
               to_regnamespace('repmgr') IS NOT NULL,
               coalesce(has_schema_privilege(to_regnamespace('repmgr'), 'USAGE'), false),
               coalesce(has_schema_privilege(to_regnamespace('repmgr'), 'CREATE'), false),
               to_regnamespace($1) IS NOT NULL,
               coalesce(has_schema_privilege(to_regnamespace($1), 'USAGE'), false),
               coalesce(has_schema_privilege(to_regnamespace($1), 'CREATE'), false),
               coalesce((SELECT bool_and(pg_has_role(owner, 'USAGE')) FROM
                   (SELECT extowner AS owner FROM pg_catalog.pg_extension WHERE extname = 'repmgr'
                    UNION ALL SELECT c.relowner FROM pg_catalog.pg_class c, pg_catalog.pg_extension e
                               WHERE e.extname = 'repmgr' AND c.relnamespace = to_regnamespace('repmgr') AND c.relkind IN ('r', 'v')) AS owners), true),
               pg_has_role('pg_read_all_stats', 'USAGE') AND pg_has_role('pg_read_all_settings', 'USAGE'),
               has_function_privilege('pg_catalog.pg_promote(boolean,integer)', 'EXECUTE'),
               has_function_privilege('pg_catalog.pg_wal_replay_resume()', 'EXECUTE'),
               coalesce(pg_has_role(to_regrole('pg_checkpoint'), 'USAGE'), true),
               coalesce((SELECT rolreplication OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = coalesce($2, current_user)), false),
               EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p')
                                    AND c.relname IN ('repl_nodes', 'repl_monitor', 'repl_status')),
               (SELECT count(*) = 3 FROM pg_catalog.pg_class c WHERE c.relnamespace = to_regnamespace($1) AND c.relkind = 'v'
                                    AND c.relname IN ('repl_nodes', 'repl_monitor', 'repl_status')),
               CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE')
                    THEN current_setting('shared_preload_libraries') ~ '\mrepmgr\M' END,
               (SELECT string_agg(name, ';' ORDER BY place) FROM pg_catalog.unnest(string_to_array($3, ';')) WITH ORDINALITY AS wanted (name, place)
                 WHERE to_regprocedure('pg_catalog.' || name) IS NOT NULL AND NOT has_function_privilege('pg_catalog.' || name, 'EXECUTE'))
        """;

    // Of both generations; a server has those of one.
    private static readonly IReadOnlyList<string> CloneFunctions =
    [
        .. ((int[])[PostgresVersion.OldestMajor, PostgresVersion.NewestMajor]).Select(major => CloneRights.BackupSignatures(new PostgresVersion(major * 10000)))
            .SelectMany(pair => (string[])[pair.Start, pair.Stop]),
        .. CloneRights.FileFunctions,
    ];

    private const string TableSql =
        """
        SELECT c.relname::text, has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT'),
               has_table_privilege(c.oid, 'UPDATE'), has_table_privilege(c.oid, 'DELETE')
          FROM pg_catalog.pg_class c
         WHERE c.relnamespace = to_regnamespace('repmgr') AND c.relkind = 'r'
           AND c.relname IN ('events', 'monitoring_history', 'nodes', 'schema_version', 'voting_term')
         ORDER BY c.relname
        """;

    /// <summary>Needs no right. Errors are the connection's: <see cref="NpgsqlException"/>.</summary>
    /// <param name="connection">To the primary.</param>
    /// <param name="cluster">The <c>cluster</c> of 1.x; null when the configuration has none.</param>
    /// <param name="replicationRole"><c>replication_user</c>; null: the connection's role.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<MetadataView> ReadAsync(
        NpgsqlConnection connection, string? cluster, string? replicationRole, CancellationToken cancel)
    {
        SchemaState schema = await MetadataSchema.ReadAsync(connection, cancel);
        IReadOnlyList<TableRights> tables = await TablesAsync(connection, cancel);
        await using NpgsqlCommand command = new(Sql, connection)
        {
            Parameters =
            {
                new NpgsqlParameter<string?> { TypedValue = cluster is null ? null : SqlText.Name(OriginalSchema.NameFor(cluster)) },
                new NpgsqlParameter<string?> { TypedValue = replicationRole },
                new NpgsqlParameter<string> { TypedValue = string.Join(';', CloneFunctions) },
            },
        };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        string role = reader.GetString(0);
        RightsView rights = new(
            Role: role,
            Database: reader.GetString(1),
            IsSuperuser: reader.GetBoolean(2),
            CreateInDatabase: reader.GetBoolean(3),
            Schema: reader.GetBoolean(4) ? new SchemaRights(reader.GetBoolean(5), reader.GetBoolean(6), tables) : null,
            OriginalSchema: reader.GetBoolean(7) ? new SchemaRights(reader.GetBoolean(8), reader.GetBoolean(9), []) : null,
            OwnsExtension: reader.GetBoolean(10),
            Monitors: reader.GetBoolean(11),
            Promotes: reader.GetBoolean(12),
            Resumes: reader.GetBoolean(13),
            Checkpoints: reader.GetBoolean(14),
            ReplicationRole: replicationRole ?? role,
            Replicates: reader.GetBoolean(15))
        {
            MissingCloneFunctions = reader.TextOrNull(19)?.Split(';') ?? [],
        };
        return new MetadataView(
            schema,
            rights,
            OriginalTables: reader.GetBoolean(16),
            OriginalViews: reader.GetBoolean(17),
            PreloadsLibrary: reader.IsDBNull(18) ? null : reader.GetBoolean(18));
    }

    private static async Task<IReadOnlyList<TableRights>> TablesAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using NpgsqlCommand command = new(TableSql, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel);
        List<TableRights> tables = [];
        while (await reader.ReadAsync(cancel))
        {
            tables.Add(new TableRights(
                reader.GetString(0),
                (reader.GetBoolean(1) ? TablePrivileges.Select : 0) | (reader.GetBoolean(2) ? TablePrivileges.Insert : 0)
                | (reader.GetBoolean(3) ? TablePrivileges.Update : 0) | (reader.GetBoolean(4) ? TablePrivileges.Delete : 0)));
        }

        return tables;
    }
}
