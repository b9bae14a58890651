using System.Runtime.ExceptionServices;
using Npgsql;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Files;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>The connections that copy side by side.</summary>
internal sealed class SourceConnections : IAsyncDisposable
{
    private readonly IReadOnlyList<PostgresSession> _sessions;
    private readonly GarbageLimit _garbage = new();

    private SourceConnections(IReadOnlyList<PostgresSession> sessions) => _sessions = sessions;

    public int Count => _sessions.Count;

    /// <summary>Opens as many as are wanted, or as the source lets in: one is enough.</summary>
    /// <exception cref="CopyFailure">There is none, or one leads to another server.</exception>
    public static async Task<SourceConnections> OpenAsync(Conninfo source, int wanted, PostgresConnector connector, SourceIdentity identity, CancellationToken cancel)
    {
        ConnectResult[] results = await Task.WhenAll(Enumerable.Range(0, wanted).Select(_ => connector.OpenAsync(SignsOfLife.AskedFor(source), cancel))).ConfigureAwait(false);
        var connections = new SourceConnections([.. results.OfType<ConnectResult.Opened>().Select(opened => opened.Session)]);
        try
        {
            if (connections.Count == 0)
                throw new CopyFailure(new Problem("could not connect to the source", results[0].Failure, "Run the command again; what is copied already is not copied again."), ExitCode.DbConnection);
            await Task.WhenAll(connections._sessions.Select(session => PrepareAsync(session, identity, cancel))).ConfigureAwait(false);
            return connections;
        }
        catch
        {
            await connections.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static Task<bool> PrepareAsync(PostgresSession session, SourceIdentity identity, CancellationToken cancel) => session.TryAsync(
        async (connection, token) =>
        {
            var prepare = new NpgsqlCommand(BackupSession.PrepareSql(session.Version), connection) { CommandTimeout = 0 };
            await using (prepare.ConfigureAwait(false))
                await prepare.ExecuteNonQueryAsync(token).ConfigureAwait(false);
            (await SourceIdentity.ReadAsync(connection, token).ConfigureAwait(false)).MustBe(identity);
            return true;
        },
        Timeout.InfiniteTimeSpan,
        cancel);

    /// <summary>Each connection takes the next item when it is done with one. The first failure ends all.</summary>
    /// <param name="next">What there is to do, given what the connection has just done; null: nothing any more.</param>
    /// <param name="worker">Makes what works on a connection.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task RunAsync<T>(Func<T?, T?> next, Func<NpgsqlConnection, CancellationToken, Func<T, Task>> worker, CancellationToken cancel)
        where T : class
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        ExceptionDispatchInfo? first = null;
        await Task.WhenAll(_sessions.Select(session => Task.Run(() => WorkAsync(session), CancellationToken.None))).ConfigureAwait(false);
        first?.Throw();

        async Task WorkAsync(PostgresSession session)
        {
            try
            {
                await session.TryAsync(
                    async (connection, _) =>
                    {
                        Func<T, Task> work = worker(connection, stop.Token);
                        for (T? item = next(null); item is not null; item = next(item))
                        {
                            stop.Token.ThrowIfCancellationRequested();
                            await work(item).ConfigureAwait(false);
                            _garbage.Hold();
                        }

                        return true;
                    },
                    Timeout.InfiniteTimeSpan,
                    stop.Token).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                if (Interlocked.CompareExchange(ref first, ExceptionDispatchInfo.Capture(e), null) is null)
                    await stop.CancelAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>The same with items that are done in their order.</summary>
    public Task RunAsync<T>(IReadOnlyList<T> items, Func<NpgsqlConnection, CancellationToken, Func<T, Task>> worker, CancellationToken cancel)
        where T : class
    {
        int next = -1;
        return RunAsync(_ => Interlocked.Increment(ref next) is var at && at < items.Count ? items[at] : null, worker, cancel);
    }

    /// <summary>Does one thing on one of them.</summary>
    public Task<T> OnOneAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancel) =>
        _sessions[0].TryAsync((connection, _) => work(connection), Timeout.InfiniteTimeSpan, cancel);

    public async ValueTask DisposeAsync()
    {
        foreach (PostgresSession session in _sessions)
            await session.DisposeAsync().ConfigureAwait(false);
    }
}
