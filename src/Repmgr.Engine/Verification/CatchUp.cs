using Npgsql;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Cloning.Direct;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Verification;

/// <summary>
/// Waits until both servers have come as far as the one that is ahead. A primary copies and removes the files of whole databases
/// before it writes WAL of that: what is under way in this moment is waited for first.
/// </summary>
/// <param name="here">A session with the server here; null: there is none, or it could not be reached.</param>
/// <param name="source">The connections to the source.</param>
/// <param name="within">How long at most.</param>
/// <param name="time">The clock.</param>
internal sealed class CatchUp(PostgresSession? here, SourceConnections source, TimeSpan within, TimeProvider time)
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AskWithin = TimeSpan.FromSeconds(10);

    /// <returns>False when that was not seen.</returns>
    public async Task<bool> WaitAsync(CancellationToken cancel)
    {
        if (here is null)
            return false;

        long began = time.GetTimestamp();
        try
        {
            HashSet<string> changes = await ChangesThereAsync(cancel).ConfigureAwait(false);
            while (changes.Count > 0)
            {
                changes.IntersectWith(await ChangesThereAsync(cancel).ConfigureAwait(false));
                if (changes.Count > 0 && !await MayWaitAsync(began, cancel).ConfigureAwait(false))
                    return false;
            }

            Lsn goal = Lsn.Max(await ReachedThereAsync(cancel).ConfigureAwait(false), await ReachedHereAsync(cancel).ConfigureAwait(false));
            while (await ReachedHereAsync(cancel).ConfigureAwait(false) < goal || await ReachedThereAsync(cancel).ConfigureAwait(false) < goal)
            {
                if (!await MayWaitAsync(began, cancel).ConfigureAwait(false))
                    return false;
            }

            return true;
        }
        catch (Exception e) when (e is TimeoutException or NpgsqlException)
        {
            // If it is the source that is gone, the next question to it says so.
            return false;
        }
    }

    private async Task<bool> MayWaitAsync(long began, CancellationToken cancel)
    {
        if (time.GetElapsedTime(began) >= within)
            return false;
        await Task.Delay(Between, cancel).ConfigureAwait(false);
        return true;
    }

    private async Task<HashSet<string>> ChangesThereAsync(CancellationToken cancel) =>
        await source.OnOneAsync(VerifySource.DatabaseChangesAsync, cancel).ConfigureAwait(false);

    private async Task<Lsn> ReachedHereAsync(CancellationToken cancel) =>
        (await here!.TryAsync(VerifySource.PositionAsync, AskWithin, cancel).ConfigureAwait(false)).Reached;

    private async Task<Lsn> ReachedThereAsync(CancellationToken cancel) =>
        (await source.OnOneAsync(connection => VerifySource.PositionAsync(connection, CancellationToken.None), cancel).ConfigureAwait(false)).Reached;
}
