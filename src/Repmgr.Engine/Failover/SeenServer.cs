using Npgsql;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>What one query tells of the own server.</summary>
/// <param name="InRecovery"><c>pg_is_in_recovery()</c>.</param>
/// <param name="Received"><c>pg_last_wal_receive_lsn()</c>; null: nothing since it was started.</param>
/// <param name="Reached">How far it has replayed; of a primary, how far it has flushed.</param>
/// <param name="Slot">Through which slot it streams; null: it does not stream.</param>
/// <param name="Conninfo">From where.</param>
/// <param name="Senders">Who streams from it through a slot of ours.</param>
internal sealed record SeenServer(bool InRecovery, Lsn? Received, Lsn? Reached, string? Slot, string? Conninfo, IReadOnlyList<Sender> Senders)
{
    private const string Sql =
        """
        SELECT pg_catalog.pg_is_in_recovery(),
               CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_receive_lsn()::text END,
               CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()::text ELSE pg_catalog.pg_current_wal_flush_lsn()::text END,
               (SELECT slot_name FROM pg_catalog.pg_stat_wal_receiver WHERE status = 'streaming'),
               (SELECT conninfo FROM pg_catalog.pg_stat_wal_receiver WHERE status = 'streaming'),
               ARRAY(SELECT pg_catalog.concat_ws(' ', slot_name, flush_lsn, application_name)
                       FROM pg_catalog.pg_stat_replication r JOIN pg_catalog.pg_replication_slots s ON s.active_pid = r.pid
                      WHERE r.state = 'streaming' AND flush_lsn IS NOT NULL)
        """;

    /// <summary>What the name carries under which it streams (R9); null: nothing.</summary>
    public SyncStamp? Stamp => Conninfo is { } text && Core.Postgres.Conninfo.TryParse(text, out Conninfo? conninfo, out _) ? StampedSet.Read(conninfo["application_name"])?.Stamp : null;

    public static async Task<SeenServer?> ReadAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using NpgsqlCommand command = new(Sql, connection);
        // What is asked twice a second is planned once: a connection keeps what was prepared on it, by its text.
        await command.PrepareAsync(cancel);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel);
        if (!await reader.ReadAsync(cancel))
            return null;
        return new SeenServer(
            reader.GetBoolean(0), LsnAt(reader, 1), LsnAt(reader, 2), TextAt(reader, 3), TextAt(reader, 4), [.. reader.GetFieldValue<string[]>(5).Select(SenderIn).OfType<Sender>()]);
    }

    /// <summary>A commit of a primary, to see that it still can.</summary>
    public static async Task CommitAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using NpgsqlCommand command = new(CommitProbe.CommitSql, connection);
        await command.ExecuteScalarAsync(cancel);
    }

    /// <summary>Who streams through which slot, and under which name. One without a slot of ours is nobody's.</summary>
    private static Sender? SenderIn(string line)
    {
        if (line.Split(' ', 3) is not [var slot, var flushed, var name] || TermSlot.StandbyOf(slot) is not { } standby || !Lsn.TryParse(flushed, out Lsn lsn))
            return null;
        return new Sender(standby, StampedSet.Read(name) is { } named && named.Node == standby ? named.Stamp : null, lsn);
    }

    private static Lsn? LsnAt(NpgsqlDataReader reader, int column) =>
        !reader.IsDBNull(column) && Lsn.TryParse(reader.GetString(column), out Lsn lsn) ? lsn : null;

    private static string? TextAt(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
}
