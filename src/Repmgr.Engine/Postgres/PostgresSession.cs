using System.Data;
using System.Globalization;
using System.Net.Sockets;
using Npgsql;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Postgres;

/// <summary>An open connection. Every call has a deadline, and ends with a value whatever happens to the server or the network.</summary>
public sealed class PostgresSession : IAsyncDisposable
{
    /// <summary>How long the server may take to confirm that it cancelled a query, before the connection is given up.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly NpgsqlDataSource _source;
    private readonly Socket _socket;
    private readonly CancelRequest _cancel;
    private Task _running = Task.CompletedTask;
    private bool _isCancelled = true;

    internal PostgresSession(NpgsqlDataSource source, NpgsqlConnection connection, HostTarget host, ConnectionSettings settings)
    {
        _source = source;
        _socket = SocketOptions.Of(connection);
        _cancel = new CancelRequest(_socket.RemoteEndPoint!, connection.ProcessID, SocketOptions.SecretOf(connection));
        Connection = connection;
        Host = host;
        User = settings.User;
        Database = settings.Database;
        Version = ParseVersion(connection.PostgresParameters.GetValueOrDefault("server_version"));
    }

    /// <summary>The connection itself, for what this class does not offer. Calls on it have no deadline but the caller's.</summary>
    public NpgsqlConnection Connection { get; }

    /// <summary>Which of the hosts of the connection string this is.</summary>
    public HostTarget Host { get; }

    public string User { get; }

    public string Database { get; }

    /// <summary>What the server said when the connection was made.</summary>
    public PostgresVersion Version { get; }

    /// <summary>Does work on the connection.</summary>
    /// <param name="work">Queries and reads, and the token they are given: one that is never cancelled, see <see cref="StopAsync"/>.</param>
    /// <param name="within">How long it may take. Then the server is asked to cancel it.</param>
    /// <param name="cancel">The caller gives up; then <see cref="OperationCanceledException"/> is thrown.</param>
    public async Task<Answer<T>> RunAsync<T>(
        Func<NpgsqlConnection, CancellationToken, Task<T>> work, TimeSpan within, CancellationToken cancel)
    {
        try
        {
            return new Answer<T>.Got(await TryAsync(work, within, cancel));
        }
        catch (TimeoutException)
        {
            return new Answer<T>.Failed(null, string.Create(CultureInfo.InvariantCulture, $"no answer within {within.TotalSeconds:0.###} s"));
        }
        catch (PostgresException e)
        {
            return new Answer<T>.Failed(e.SqlState, FailureText.Of(e));
        }
        catch (Exception e) when (e is NpgsqlException or IOException or ObjectDisposedException || (e is InvalidOperationException && !IsOpen))
        {
            cancel.ThrowIfCancellationRequested();
            return new Answer<T>.Failed(null, FailureText.Of(e));
        }
    }

    /// <summary>Does work on the connection, and leaves what goes wrong to the caller.</summary>
    /// <inheritdoc cref="RunAsync"/>
    /// <exception cref="TimeoutException">It did not end in time.</exception>
    /// <exception cref="NpgsqlException">The server refused it, or was lost.</exception>
    public async Task<T> TryAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, TimeSpan within, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (!IsOpen || !_running.IsCompleted)
            throw new NpgsqlException("the connection was given up, or lost, before");
        _isCancelled = true;
        Task<T> running = work(Connection, CancellationToken.None);
        _running = running;
        try
        {
            return await running.WaitAsync(within, cancel);
        }
        catch (Exception) when (!running.IsCompleted)
        {
            await StopAsync(running);
            throw;
        }
    }

    /// <summary>
    /// Does work that nobody cancels, whatever becomes of this session: a commit that waits for standbys is reported as done when it is cancelled. It ends when it ends, or
    /// with the connection.
    /// </summary>
    /// <exception cref="NpgsqlException">The server refused it, or was lost.</exception>
    public async Task<T> UncancelledAsync<T>(Func<NpgsqlConnection, Task<T>> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (!IsOpen || !_running.IsCompleted)
            throw new NpgsqlException("the connection was given up, or lost, before");
        _isCancelled = false;
        Task<T> running = work(Connection);
        _running = running;
        return await running;
    }

    private bool IsOpen => Connection.State == ConnectionState.Open;

    /// <summary>
    /// Gives the connection up, whatever it is doing; returns at once. What runs on it ends with an error here, and is cancelled at the
    /// server, unless it is never to be cancelled: a backend that waits for a lock does not notice that nobody is there any more.
    /// </summary>
    public void Abandon()
    {
        if (_isCancelled)
            _ = _cancel.SendAsync(Grace);
        Cut();
    }

    /// <summary>The rows of a query. Parameters are positional: <c>$1</c>, <c>$2</c> …</summary>
    public Task<Answer<IReadOnlyList<T>>> QueryAsync<T>(
        string sql, Func<NpgsqlDataReader, T> read, TimeSpan within, CancellationToken cancel, params NpgsqlParameter[] parameters) =>
        RunAsync<IReadOnlyList<T>>(
            async (connection, token) =>
            {
                await using NpgsqlCommand command = Command(connection, sql, parameters);
                await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(token);
                List<T> rows = [];
                while (await reader.ReadAsync(token))
                    rows.Add(read(reader));
                return rows;
            },
            within,
            cancel);

    /// <summary>The first column of the first row; default when there is no row or it is null.</summary>
    public Task<Answer<T?>> ScalarAsync<T>(string sql, TimeSpan within, CancellationToken cancel, params NpgsqlParameter[] parameters) =>
        RunAsync(
            async (connection, token) =>
            {
                await using NpgsqlCommand command = Command(connection, sql, parameters);
                await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(token);
                return await reader.ReadAsync(token) && !await reader.IsDBNullAsync(0, token) ? reader.GetFieldValue<T>(0) : default;
            },
            within,
            cancel);

    /// <summary>Runs a statement; the number of rows it touched, -1 when that does not apply.</summary>
    public Task<Answer<int>> ExecuteAsync(string sql, TimeSpan within, CancellationToken cancel, params NpgsqlParameter[] parameters) =>
        RunAsync(
            async (connection, token) =>
            {
                await using NpgsqlCommand command = Command(connection, sql, parameters);
                return await command.ExecuteNonQueryAsync(token);
            },
            within,
            cancel);

    /// <summary>Takes leave of the server; where work still runs, without a word. Ends soon, whatever the server does.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_running.IsCompleted)
        {
            Abandon();
            // Npgsql would wait in Close for what runs, or read beside it.
            await Task.WhenAny(_running, Task.Delay(Grace));
        }

        await Connection.DisposeAsync();
        await _source.DisposeAsync();
    }

    /// <summary>Asks the server to cancel what runs, and cuts the connection when that is of no use.</summary>
    /// <remarks>
    /// Npgsql is never given a token that is cancelled. It would ask the server in the thread that cancels, which for a deadline is the
    /// timer's: there it waits for a server that does not answer, and an exception that it runs into ends the process.
    /// </remarks>
    private async Task StopAsync(Task running)
    {
        // Until the request is through too: a late one would meet what is asked next.
        Task stopped = Task.WhenAll(_cancel.SendAsync(Grace), running);
        if (await Task.WhenAny(stopped, Task.Delay(Grace)) != stopped)
            Cut();
    }

    private void Cut()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            // The other end, or Npgsql, was faster.
        }
    }

    /// <summary><c>15.18 (Debian …)</c>, <c>19beta1</c>, as <c>server_version_num</c> would have it.</summary>
    internal static PostgresVersion ParseVersion(string? text)
    {
        string numbers = string.Concat((text ?? "").TakeWhile(letter => char.IsAsciiDigit(letter) || letter == '.'));
        string[] parts = numbers.Split('.');
        _ = int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int major);
        _ = int.TryParse(parts.ElementAtOrDefault(1), NumberStyles.None, CultureInfo.InvariantCulture, out int minor);
        return new PostgresVersion((major * 10000) + minor);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters)
    {
        NpgsqlCommand command = new(sql, connection);
        command.Parameters.AddRange(parameters);
        return command;
    }
}
