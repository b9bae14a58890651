using Npgsql;
using NpgsqlTypes;
using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Daemon;

/// <summary>What the daemon writes at the primary. The simulator has its own.</summary>
public interface IPrimaryWriter
{
    Task<Answer<bool>> KeepHistoryAsync(Conninfo primary, MonitoringRow row, CancellationToken cancel);

    /// <summary>Records an event with the time it happened.</summary>
    Task<Answer<DateTimeOffset>> TellAsync(Conninfo primary, ClusterEvent happened, DateTimeOffset at, CancellationToken cancel);

    Task<Answer<WriteResult>> WriteAsync(Conninfo primary, NodeRecord record, IReadOnlyList<NodeId> deactivate, CancellationToken cancel);
}

/// <summary>Writes over a connection of its own, so that a write that hangs holds up no look.</summary>
public sealed class PrimaryWriter(PostgresConnector connector, TimeSpan within) : IPrimaryWriter, IAsyncDisposable
{
    private const string InsertHistory =
        """
        INSERT INTO repmgr.monitoring_history (primary_node_id, standby_node_id, last_monitor_time, last_apply_time,
               last_wal_primary_location, last_wal_standby_location, replication_lag, apply_lag)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """;

    private Conninfo? _primary;
    private PostgresSession? _session;
    private NpgsqlCommand? _insert;

    public Task<Answer<bool>> KeepHistoryAsync(Conninfo primary, MonitoringRow row, CancellationToken cancel) =>
        RunAsync(primary, (connection, token) => InsertAsync(connection, row, token), cancel);

    public Task<Answer<DateTimeOffset>> TellAsync(Conninfo primary, ClusterEvent happened, DateTimeOffset at, CancellationToken cancel) =>
        RunAsync(primary, (connection, token) => EventStore.InsertAsync(connection, happened, at, token), cancel);

    public Task<Answer<WriteResult>> WriteAsync(Conninfo primary, NodeRecord record, IReadOnlyList<NodeId> deactivate, CancellationToken cancel) =>
        RunAsync(primary, (connection, token) => NodeStore.WriteAsync(connection, record, deactivate, replace: true, token), cancel);

    public ValueTask DisposeAsync() => CloseAsync();

    private async Task<Answer<T>> RunAsync<T>(Conninfo primary, Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancel)
    {
        if (_primary is null || !_primary.Equals(primary))
            await CloseAsync();
        if (_session is null)
        {
            ConnectResult result = await connector.OpenAsync(primary, cancel);
            if (result is not ConnectResult.Opened opened)
                return new Answer<T>.Failed((result as ConnectResult.Rejected)?.SqlState, result.Failure ?? "");
            (_session, _primary) = (opened.Session, primary);
        }

        Answer<T> answer = await _session.RunAsync(work, within, cancel);
        if (answer is not Answer<T>.Failed failed)
            return answer;
        if (failed.IsForLackOfRights && await MetadataLook.LackingAsync(_session, MetadataUse.Watch, cancel) is { } lacking)
            failed = failed with { Reason = $"{failed.Reason}. {lacking.Detail}\n{lacking.Hint?.TrimEnd('.')}" };
        await CloseAsync();
        return failed;
    }

    // Prepared once and kept: this is what runs every other second for years.
    private async Task<bool> InsertAsync(NpgsqlConnection connection, MonitoringRow row, CancellationToken cancel)
    {
        if (_insert is null)
        {
            _insert = new NpgsqlCommand(InsertHistory, connection);
            foreach (NpgsqlDbType type in (NpgsqlDbType[])
                [
                    NpgsqlDbType.Integer, NpgsqlDbType.Integer, NpgsqlDbType.TimestampTz, NpgsqlDbType.TimestampTz,
                    NpgsqlDbType.PgLsn, NpgsqlDbType.PgLsn, NpgsqlDbType.Bigint, NpgsqlDbType.Bigint,
                ])
                _insert.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type });
            await _insert.PrepareAsync(cancel);
        }

        object[] values =
        [
            row.Primary.Value,
            row.Standby.Value,
            row.At.UtcDateTime,
            row.LastApplied?.UtcDateTime ?? (object)DBNull.Value,
            new NpgsqlLogSequenceNumber(row.PrimaryLocation.Bytes),
            row.StandbyLocation is { } location ? new NpgsqlLogSequenceNumber(location.Bytes) : DBNull.Value,
            row.ReplicationLag,
            row.ApplyLag,
        ];
        for (int index = 0; index < values.Length; index++)
            _insert.Parameters[index].Value = values[index];
        await _insert.ExecuteNonQueryAsync(cancel);
        return true;
    }

    private async ValueTask CloseAsync()
    {
        _insert?.Dispose();
        _insert = null;
        if (Interlocked.Exchange(ref _session, null) is not { } session)
            return;
        try
        {
            await session.DisposeAsync();
        }
        catch (Exception failure) when (failure is NpgsqlException or IOException or InvalidOperationException)
        {
            // As in Servers: the connection is gone all the same.
        }
    }
}
