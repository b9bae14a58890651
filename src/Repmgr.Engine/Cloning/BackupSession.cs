using System.Globalization;
using Npgsql;
using Repmgr.Core.Cloning;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Cloning;

/// <summary>The functions of the low-level backup API: PostgreSQL 15 renamed them and dropped the exclusive mode.</summary>
/// <remarks>https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-BACKUP</remarks>
internal static class BackupFunctions
{
    /// <summary>Starts with a fast checkpoint. $1 is the label.</summary>
    public static string StartSql(PostgresVersion version) =>
        version.Major >= 15 ? "SELECT pg_backup_start($1, true)" : "SELECT pg_start_backup($1, true, false)";

    /// <summary>Ends it without waiting for the archiver: a broken archive_command would hold us for ever, and we fetch the WAL ourselves.</summary>
    public static string StopSql(PostgresVersion version) => version.Major >= 15
        ? "SELECT lsn::text, labelfile, spcmapfile FROM pg_backup_stop(false)"
        : "SELECT lsn::text, labelfile, spcmapfile FROM pg_stop_backup(false, false)";
}

/// <summary>What the end of a backup gives.</summary>
/// <param name="Stop">WAL up to here is needed.</param>
/// <param name="LabelFile">Content of <c>backup_label</c>.</param>
/// <param name="Label">The same, read.</param>
internal sealed record BackupEnd(Lsn Stop, string LabelFile, BackupLabel Label);

/// <summary>
/// The session in which the source is in backup mode. Backup mode and the temporary slot end with it, however it ends: when
/// this process is killed the server sees the closed socket, and when this host dies, the TCP keepalives set here.
/// </summary>
internal sealed class BackupSession(PostgresSession session, PostgresVersion version) : IAsyncDisposable
{
    private static readonly TimeSpan PingEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan PingWithin = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _turn = new(1, 1);

    /// <summary>Makes a session outlast any timeout and any silence of the copy, and lets the server notice when this host is gone.</summary>
    public static string PrepareSql(PostgresVersion version) =>
        "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
        + (version.Major >= 14 ? "SET idle_session_timeout = 0; " : "")
        + "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; SET synchronous_commit = off; "
        // Compiling takes longer than anything it would speed up here.
        + "SET jit = off; SET max_parallel_workers_per_gather = 0";

    public Task PrepareAsync(CancellationToken cancel) => RunAsync(PrepareSql(version), cancel);

    /// <summary>Asks something in between.</summary>
    public Task<T> AskAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancel) =>
        InTurnAsync(work, Timeout.InfiniteTimeSpan, cancel);

    /// <summary>Holds all WAL from now on for as long as this session lives.</summary>
    public Task ReserveWalAsync(string slot, CancellationToken cancel) =>
        ScalarAsync("SELECT slot_name::text FROM pg_create_physical_replication_slot($1, true, true)", slot, cancel);

    /// <summary>Enters backup mode; returns when the checkpoint is done.</summary>
    /// <returns>Where recovery of the copy will begin.</returns>
    public Task<Lsn> StartAsync(string label, CancellationToken cancel) => InTurnAsync(
        async (connection, token) =>
        {
            var command = new NpgsqlCommand($"SELECT ({BackupFunctions.StartSql(version)})::text", connection) { CommandTimeout = 0 };
            await using (command.ConfigureAwait(false))
            {
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = label });
                return Lsn.TryParse(await command.ExecuteScalarAsync(token).ConfigureAwait(false) as string, out Lsn start)
                    ? start
                    : throw new NpgsqlException("the source did not say where the backup starts");
            }
        },
        Timeout.InfiniteTimeSpan,
        cancel);

    /// <summary>Leaves backup mode.</summary>
    /// <exception cref="NpgsqlException">The session was lost, or a standby as the source was promoted meanwhile.</exception>
    public Task<BackupEnd> StopAsync(CancellationToken cancel) => InTurnAsync(ReadEndAsync, Timeout.InfiniteTimeSpan, cancel);

    /// <summary>Asks now and then whether the session still lives.</summary>
    /// <returns>Only when it does not: why. Ends without one when cancelled.</returns>
    public async Task<string> WatchAsync(CancellationToken cancel)
    {
        while (true)
        {
            await Task.Delay(PingEvery, cancel).ConfigureAwait(false);
            try
            {
                await ExecuteAsync("SELECT 1", null, PingWithin, cancel).ConfigureAwait(false);
            }
            catch (Exception e) when (e is NpgsqlException or InvalidOperationException)
            {
                return e.Message;
            }
            catch (TimeoutException)
            {
                return string.Create(CultureInfo.InvariantCulture, $"no answer within {PingWithin.TotalSeconds:0} s");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await session.DisposeAsync().ConfigureAwait(false);
        _turn.Dispose();
    }

    private Task<int> RunAsync(string sql, CancellationToken cancel) => ScalarAsync(sql, null, cancel);

    private Task<int> ScalarAsync(string sql, string? argument, CancellationToken cancel) => ExecuteAsync(sql, argument, Timeout.InfiniteTimeSpan, cancel);

    private Task<int> ExecuteAsync(string sql, string? argument, TimeSpan within, CancellationToken cancel) => InTurnAsync(
        async (connection, token) =>
        {
            var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            await using (command.ConfigureAwait(false))
            {
                if (argument is not null)
                    command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = argument });
                return await command.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            }
        },
        within,
        cancel);

    private async Task<BackupEnd> ReadEndAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        var command = new NpgsqlCommand(BackupFunctions.StopSql(version), connection) { CommandTimeout = 0 };
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                await reader.ReadAsync(cancel).ConfigureAwait(false);
                string label = reader.TextOrNull(1) ?? "";
                if (!Lsn.TryParse(reader.TextOrNull(0), out Lsn stop) || BackupLabel.TryRead(label) is not { } read)
                    throw new NpgsqlException($"the source returned a backup label that cannot be read: \"{label}\"");
                return new BackupEnd(stop, label, read);
            }
        }
    }

    private async Task<T> InTurnAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, TimeSpan within, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            return await session.TryAsync(work, within, cancel).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }
}
