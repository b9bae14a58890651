using Npgsql;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>What a connection that was just made shows of how commits are acknowledged (R9, R16). Older ones, and WAL senders, may not have read a change yet.</summary>
/// <param name="At">When the connection was begun, on the boot clock.</param>
/// <param name="Names"><c>synchronous_standby_names</c>.</param>
/// <param name="Source">Where that value comes from, as <c>pg_settings</c> says it.</param>
/// <param name="Checkpointer">The process that lets commits wait at all, and what it waits for; null: there is none.</param>
/// <param name="Weak">By what commits are acknowledged that no standby has: <c>synchronous_commit</c> below <c>on</c>, and for whom. Empty: by nothing.</param>
internal sealed record FreshLook(TimeSpan At, string Names, string Source, (int Pid, string? Wait)? Checkpointer, IReadOnlyList<string> Weak)
{
    // remote_write is below on: what standbys have not flushed is lost with them. Values: src/backend/utils/misc/guc_tables.c.
    private const string Sql =
        """
        SELECT setting, source,
               (SELECT pid FROM pg_catalog.pg_stat_activity WHERE backend_type = 'checkpointer'),
               (SELECT wait_event FROM pg_catalog.pg_stat_activity WHERE backend_type = 'checkpointer'),
               ARRAY(
                   SELECT pg_catalog.concat_ws(' ', 'synchronous_commit is', setting, 'by', source) FROM pg_catalog.pg_settings
                    WHERE name = 'synchronous_commit' AND setting NOT IN ('on', 'remote_apply')
                   UNION ALL
                   SELECT pg_catalog.concat_ws(' ', line, 'is set for', 'role ' || pg_catalog.quote_ident(rolname), 'database ' || pg_catalog.quote_ident(datname))
                     FROM pg_catalog.pg_db_role_setting s
                     LEFT JOIN pg_catalog.pg_roles r ON r.oid = setrole
                     LEFT JOIN pg_catalog.pg_database d ON d.oid = setdatabase,
                          pg_catalog.unnest(setconfig) AS line
                    WHERE line LIKE 'synchronous\_commit=%'
                      AND pg_catalog.split_part(line, '=', 2) NOT IN ('on', 'remote_apply', 'true', 'yes', '1'))
          FROM pg_catalog.pg_settings WHERE name = 'synchronous_standby_names'
        """;

    /// <summary>Connects, and looks.</summary>
    public static async Task<Answer<FreshLook>> TakeAsync(PostgresConnector connector, Conninfo server, TimeSpan within, CancellationToken cancel)
    {
        TimeSpan began = BootClock.Now;
        ConnectResult connected = await connector.OpenAsClientAsync(server, within, cancel);
        if (connected is not ConnectResult.Opened opened)
            return new Answer<FreshLook>.Failed(null, connected.Failure ?? "");
        await using PostgresSession session = opened.Session;
        return await session.RunAsync((connection, token) => ReadAsync(connection, began, token), within, cancel);
    }

    private static async Task<FreshLook> ReadAsync(NpgsqlConnection connection, TimeSpan began, CancellationToken cancel)
    {
        await using NpgsqlCommand command = new(Sql, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        return new FreshLook(
            began, reader.GetString(0), reader.GetString(1), reader.IsDBNull(2) ? null : (reader.GetInt32(2), reader.IsDBNull(3) ? null : reader.GetString(3)),
            reader.GetFieldValue<string[]>(4));
    }
}
