using System.Data.Common;
using Npgsql;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Metadata;

namespace Repmgr.Engine.Observation;

/// <summary>
/// Everything one look at a server asks, in one round trip. It needs no rights of its own; what the role may not see
/// (without pg_monitor) comes back as null.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/monitoring-stats.html</remarks>
internal static class ProbeQuery
{
    // The functions for one role raise an error in the other, hence the CASEs. A standby's timeline is the greatest of what
    // it receives now and what its control file remembers: the latter is only brought up to date by restartpoints.
    // data_directory is asked for only with the right to see it, because current_setting() would raise an error.
    private const string Server =
        """
        SELECT pg_is_in_recovery(),
               current_setting('server_version_num')::int,
               (SELECT system_identifier FROM pg_control_system()),
               CASE WHEN pg_is_in_recovery()
                    THEN greatest((SELECT received_tli FROM pg_stat_wal_receiver),
                                  (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
                                  (SELECT timeline_id FROM pg_control_checkpoint()))
                    ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
               END,
               CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('data_directory') END,
               pg_postmaster_start_time(),
               clock_timestamp(),
               CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn()::text END,
               pg_last_wal_receive_lsn()::text,
               pg_last_wal_replay_lsn()::text,
               CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END,
               pg_last_xact_replay_timestamp()
        """;

    private const string Receiver =
        """
        SELECT status, received_tli, sender_host, sender_port, slot_name::text
          FROM pg_catalog.pg_stat_wal_receiver WHERE pid IS NOT NULL
        """;

    private const string Senders =
        """
        SELECT coalesce(application_name, ''), state, sent_lsn::text, flush_lsn::text, replay_lsn::text,
               extract(epoch FROM replay_lag)::float8, sync_state
          FROM pg_catalog.pg_stat_replication ORDER BY application_name, pid
        """;

    /// <summary>Asks over an open connection. An exception here is the connection's: the caller makes it an answer.</summary>
    public static async Task<NodeLook> ReadAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using NpgsqlBatch batch = Create(connection);
        return await ReadAsync(batch, cancel);
    }

    /// <summary>The queries, for who asks again and again. They may be prepared where the table of nodes can be read.</summary>
    public static NpgsqlBatch Create(NpgsqlConnection connection)
    {
        NpgsqlBatch batch = new(connection) { EnableErrorBarriers = true };
        foreach (string sql in (string[])[Server, Receiver, Senders, NodeStore.SelectAll])
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql));
        return batch;
    }

    /// <inheritdoc cref="ReadAsync(NpgsqlConnection, CancellationToken)"/>
    public static async Task<NodeLook> ReadAsync(NpgsqlBatch batch, CancellationToken cancel)
    {
        NodeLook look = await ReadAllAsync(batch, cancel);
        return look.Table is NodeTable.Unreadable denied ? look with { Table = await ExplainedAsync(denied, batch.Connection!, cancel) } : look;
    }

    private static async Task<NodeLook> ReadAllAsync(NpgsqlBatch batch, CancellationToken cancel)
    {
        await using NpgsqlDataReader reader = await batch.ExecuteReaderAsync(cancel);
        ServerRow server = await ReadServerAsync(reader, cancel);
        await reader.NextResultAsync(cancel);
        WalReceiverFacts? receiver = await ReadReceiverAsync(reader, cancel);
        await reader.NextResultAsync(cancel);
        List<WalSenderFacts> senders = await ReadSendersAsync(reader, cancel);
        NodeTable table = await ReadTableAsync(reader, cancel);
        return new NodeLook(server.ToProbe(receiver, senders), table);
    }

    private static async Task<ServerRow> ReadServerAsync(DbDataReader reader, CancellationToken cancel)
    {
        await reader.ReadAsync(cancel);
        return new ServerRow(
            InRecovery: reader.GetBoolean(0),
            Version: new PostgresVersion(reader.GetInt32(1)),
            SystemIdentifier: unchecked((ulong)reader.GetInt64(2)),
            Timeline: reader.GetInt32(3),
            DataDirectory: reader.TextOrNull(4),
            StartedAt: reader.GetFieldValue<DateTimeOffset>(5),
            Now: reader.GetFieldValue<DateTimeOffset>(6),
            Written: reader.LsnOrNull(7),
            Received: reader.LsnOrNull(8),
            Replayed: reader.LsnOrNull(9),
            ReplayPaused: !reader.IsDBNull(10) && reader.GetBoolean(10),
            LastReplayedCommit: reader.IsDBNull(11) ? null : reader.GetFieldValue<DateTimeOffset>(11));
    }

    private static async Task<WalReceiverFacts?> ReadReceiverAsync(DbDataReader reader, CancellationToken cancel) =>
        await reader.ReadAsync(cancel)
            ? new WalReceiverFacts(
                reader.TextOrNull(0), reader.IntOrNull(1), reader.TextOrNull(2), reader.IntOrNull(3), reader.TextOrNull(4))
            : null;

    private static async Task<List<WalSenderFacts>> ReadSendersAsync(DbDataReader reader, CancellationToken cancel)
    {
        List<WalSenderFacts> senders = [];
        while (await reader.ReadAsync(cancel))
        {
            senders.Add(new WalSenderFacts(
                reader.GetString(0),
                reader.TextOrNull(1),
                reader.LsnOrNull(2),
                reader.LsnOrNull(3),
                reader.LsnOrNull(4),
                reader.IsDBNull(5) ? null : TimeSpan.FromSeconds(reader.GetDouble(5)),
                reader.TextOrNull(6)));
        }

        return senders;
    }

    // The table comes last, behind an error barrier: a server without it, or a role that may not read it, has been seen all the same.
    private static async Task<NodeTable> ReadTableAsync(DbDataReader reader, CancellationToken cancel)
    {
        try
        {
            await reader.NextResultAsync(cancel);
            List<NodeRecord> records = [];
            while (await reader.ReadAsync(cancel))
                records.Add(NodeStore.ReadRow(reader));

            return new NodeTable.Rows(records);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            return new NodeTable.Missing();
        }
        catch (PostgresException e) when (e.SqlState is not PostgresErrorCodes.AdminShutdown and not PostgresErrorCodes.CrashShutdown)
        {
            return new NodeTable.Unreadable(e.MessageText);
        }
    }

    private static async Task<NodeTable> ExplainedAsync(NodeTable.Unreadable denied, NpgsqlConnection connection, CancellationToken cancel)
    {
        try
        {
            return denied with { Rights = (await MetadataReader.ReadAsync(connection, null, null, cancel)).Rights };
        }
        catch (PostgresException)
        {
            return denied; // The server has been seen; what it says of the rights is only for the explanation.
        }
    }

    private sealed record ServerRow(
        bool InRecovery,
        PostgresVersion Version,
        ulong SystemIdentifier,
        int Timeline,
        string? DataDirectory,
        DateTimeOffset StartedAt,
        DateTimeOffset Now,
        Lsn? Written,
        Lsn? Received,
        Lsn? Replayed,
        bool ReplayPaused,
        DateTimeOffset? LastReplayedCommit)
    {
        public NodeProbe ToProbe(WalReceiverFacts? receiver, IReadOnlyList<WalSenderFacts> senders)
        {
            ServerFacts facts = new(Version, SystemIdentifier, Timeline, DataDirectory, StartedAt, Now, senders);
            return InRecovery
                ? new NodeProbe.Standby(facts, Received, Replayed, ReplayPaused, LastReplayedCommit, receiver)
                : new NodeProbe.Primary(facts, Written ?? Lsn.Zero);
        }
    }
}
