using Npgsql;
using Repmgr.Core.Cloning;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Metadata;

namespace Repmgr.Engine.Cloning;

/// <summary>Asks the server that is to be copied. Errors are the connection's: <see cref="NpgsqlException"/>.</summary>
internal static class SourceLook
{
    // pg_settings leaves out what the role may not see, where current_setting() would raise an error.
    private const string ServerSql =
        """
        SELECT current_setting('server_version_num')::int,
               (SELECT system_identifier FROM pg_control_system()),
               (SELECT 'PG_' || current_setting('server_version_num')::int / 10000 || '_' || catalog_version_no FROM pg_control_system()),
               pg_is_in_recovery(),
               (SELECT setting FROM pg_settings WHERE name = 'data_directory'),
               (SELECT setting FROM pg_settings WHERE name = 'config_file'),
               (SELECT setting FROM pg_settings WHERE name = 'hba_file'),
               (SELECT setting FROM pg_settings WHERE name = 'ident_file'),
               current_setting('wal_level'),
               current_setting('hot_standby')::bool,
               current_setting('full_page_writes')::bool,
               current_setting('max_wal_senders')::int,
               (SELECT count(*)::int FROM pg_stat_get_wal_senders()),
               current_setting('max_replication_slots')::int,
               (SELECT setting::bigint * 1048576 FROM pg_settings WHERE name = 'wal_keep_size'),
               (SELECT setting::bigint FROM pg_settings WHERE name = 'wal_segment_size'),
               current_setting('data_checksums') <> 'off',
               current_setting('wal_log_hints')::bool,
               (SELECT sum(pg_database_size(oid))::bigint FROM pg_database
                 WHERE has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')),
               coalesce(has_schema_privilege(to_regnamespace('repmgr'), 'USAGE'), false)
                   AND coalesce(has_table_privilege(to_regclass('repmgr.nodes'), 'SELECT'), false),
               coalesce(current_setting('summarize_wal', true)::bool, false)
        """;

    private const string RightsSql =
        """
        SELECT r.rolname::text, r.rolsuper, r.rolsuper OR r.rolreplication,
               pg_has_role('pg_read_all_settings', 'USAGE'),
               has_function_privilege($1, 'EXECUTE') AND has_function_privilege($2, 'EXECUTE'),
               has_function_privilege('pg_show_all_file_settings()', 'EXECUTE'),
               (SELECT p.rolsuper OR p.rolreplication FROM pg_roles p WHERE p.rolname = coalesce($3, current_user))
          FROM pg_roles r WHERE r.rolname = current_user
        """;

    private const string FileFunctionSql = "SELECT f FROM unnest(string_to_array($1, ';')) f WHERE NOT has_function_privilege(f, 'EXECUTE')";

    private const string SlotSql =
        "SELECT slot_name::text, slot_type = 'physical', active_pid, coalesce(wal_status = 'lost', false) FROM pg_replication_slots";

    private const string TablespaceSql =
        """
        SELECT oid, spcname::text, pg_tablespace_location(oid),
               CASE WHEN has_tablespace_privilege(oid, 'CREATE') OR pg_has_role('pg_read_all_stats', 'USAGE')
                    THEN pg_tablespace_size(oid) END
          FROM pg_tablespace WHERE spcname <> 'pg_global' ORDER BY oid
        """;

    // https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-ADMIN
    private const string MinimumSql =
        """
        SELECT name, setting::int FROM pg_settings
         WHERE name IN ('max_connections', 'max_prepared_transactions', 'max_locks_per_transaction', 'max_wal_senders', 'max_worker_processes')
        """;

    private const string FileSql = "SELECT DISTINCT sourcefile FROM pg_file_settings WHERE sourcefile IS NOT NULL";

    private const string NodeSql = "SELECT node_id, node_name FROM repmgr.nodes";

    public static async Task<CloneSource> LookAsync(
        NpgsqlConnection connection, string? replicationRole, CancellationToken cancel)
    {
        (CloneSource source, bool hasNodes) = await ServerAsync(connection, cancel).ConfigureAwait(false);
        (CloneRights rights, bool readsFiles) = await RightsAsync(connection, source.Version, replicationRole, cancel).ConfigureAwait(false);
        List<TablespaceView> all = await ListAsync(
            connection,
            TablespaceSql,
            row => new TablespaceView(row.GetFieldValue<uint>(0), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetInt64(3)),
            cancel).ConfigureAwait(false);
        List<TablespaceView> tablespaces = [.. all.Where(space => space.Name != "pg_default")];
        long? inDefault = all.FirstOrDefault(space => space.Name == "pg_default")?.Bytes;
        return source with
        {
            Rights = rights,
            Tablespaces = tablespaces,
            MainBytes = inDefault is { } bytes ? bytes + tablespaces.Where(space => space.InPlace).Sum(space => space.Bytes ?? 0) : source.MainBytes,
            Slots = await ListAsync(
                connection,
                SlotSql,
                row => new SlotView(row.GetString(0), row.GetBoolean(1), row.IsDBNull(2) ? null : row.GetInt32(2), row.GetBoolean(3)),
                cancel).ConfigureAwait(false),
            StandbyMinimums = (await ListAsync(connection, MinimumSql, row => (row.GetString(0), row.GetInt32(1)), cancel).ConfigureAwait(false))
                .ToDictionary(),
            IncludedFiles = readsFiles
                ? await ListAsync(connection, FileSql, row => row.GetString(0), cancel).ConfigureAwait(false)
                : [],
            RegisteredNodes = hasNodes
                ? (await ListAsync(connection, NodeSql, row => (row.GetInt32(0), row.GetString(1)), cancel).ConfigureAwait(false)).ToDictionary()
                : new Dictionary<int, string>(),
        };
    }

    private static async Task<(CloneSource Source, bool HasNodes)> ServerAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        List<(CloneSource, bool)> rows = await ListAsync(connection, ServerSql, row => (new CloneSource
        {
            Version = new PostgresVersion(row.GetInt32(0)),
            SystemIdentifier = unchecked((ulong)row.GetInt64(1)),
            TablespaceVersionDirectory = row.GetString(2),
            InRecovery = row.GetBoolean(3),
            DataDirectory = row.TextOrNull(4),
            ConfigFile = row.TextOrNull(5),
            HbaFile = row.TextOrNull(6),
            IdentFile = row.TextOrNull(7),
            WalLevel = row.GetString(8),
            HotStandby = row.GetBoolean(9),
            FullPageWrites = row.GetBoolean(10),
            MaxWalSenders = row.GetInt32(11),
            UsedWalSenders = row.GetInt32(12),
            MaxReplicationSlots = row.GetInt32(13),
            WalKeepBytes = row.GetInt64(14),
            WalSegmentBytes = row.GetInt64(15),
            DataChecksums = row.GetBoolean(16),
            WalLogHints = row.GetBoolean(17),
            MainBytes = row.IsDBNull(18) ? null : row.GetInt64(18),
            SummarizeWal = row.GetBoolean(20),
            Slots = [],
            Tablespaces = [],
            StandbyMinimums = new Dictionary<string, int>(),
            Rights = new CloneRights("", false, false, false, false, "", null),
        }, row.GetBoolean(19)), cancel).ConfigureAwait(false);
        return rows[0];
    }

    private static async Task<(CloneRights Rights, bool ReadsFiles)> RightsAsync(
        NpgsqlConnection connection, PostgresVersion version, string? replicationRole, CancellationToken cancel)
    {
        (string start, string stop) = CloneRights.BackupSignatures(version);
        List<(CloneRights Rights, bool ReadsFiles)> rows = await ListAsync(
            connection,
            RightsSql,
            row => (new CloneRights(
                row.GetString(0),
                row.GetBoolean(1),
                row.GetBoolean(2),
                row.GetBoolean(3),
                row.GetBoolean(4),
                replicationRole ?? row.GetString(0),
                row.IsDBNull(6) ? null : row.GetBoolean(6)), row.GetBoolean(5)),
            cancel,
            start,
            stop,
            replicationRole).ConfigureAwait(false);
        List<string> lacking = await ListAsync(connection, FileFunctionSql, row => row.GetString(0), cancel, string.Join(';', CloneRights.FileFunctions)).ConfigureAwait(false);
        return rows[0] with { Rights = rows[0].Rights with { MissingFileFunctions = lacking } };
    }

    private static async Task<List<T>> ListAsync<T>(
        NpgsqlConnection connection, string sql, Func<NpgsqlDataReader, T> read, CancellationToken cancel, params string?[] arguments)
    {
        var command = new NpgsqlCommand(sql, connection);
        await using (command.ConfigureAwait(false))
        {
            foreach (string? argument in arguments)
                command.Parameters.Add(new NpgsqlParameter<string?> { TypedValue = argument, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                var rows = new List<T>();
                while (await reader.ReadAsync(cancel).ConfigureAwait(false))
                    rows.Add(read(reader));
                return rows;
            }
        }
    }
}
