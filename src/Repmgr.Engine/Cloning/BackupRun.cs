using System.Globalization;
using Npgsql;
using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Cloning;

/// <summary>
/// The frame of a copy that is made file by file: WAL is reserved before the backup starts, backup mode is held by one session
/// while others copy, and whatever goes wrong becomes an outcome.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP</remarks>
internal sealed class BackupRun(PostgresConnector connector, Conninfo source, PostgresVersion version, WalGuard guard, IProgress<CopyProgress> progress)
{
    private const string Again = "Run the command again; what is copied already is not copied again.";

    /// <param name="copy">Copies, and ends the backup.</param>
    /// <param name="cancel">Ends it; the source leaves backup mode with the session.</param>
    public async Task<StepOutcome> RunAsync(Func<Started, CancellationToken, Task<StepOutcome>> copy, CancellationToken cancel)
    {
        ConnectResult connected = await connector.OpenAsync(SignsOfLife.AskedFor(source), cancel).ConfigureAwait(false);
        if (connected is not ConnectResult.Opened { Session: var opened })
            return new StepOutcome.Failed(new Problem("could not connect to the source", connected.Failure), ExitCode.DbConnection);

        var session = new BackupSession(opened, version);
        await using (session.ConfigureAwait(false))
        {
            try
            {
                Lsn start = await StartAsync(session, cancel).ConfigureAwait(false);
                return await copy(new Started(session, start), cancel).ConfigureAwait(false);
            }
            catch (CopyFailure failure)
            {
                return new StepOutcome.Failed(failure.Problem, failure.ExitCode);
            }
            catch (NpgsqlException e)
            {
                return new StepOutcome.Failed(new Problem("the backup on the source failed", FailureText.Of(e), Again), ExitCode.DbQuery);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return new StepOutcome.Failed(Unwritable(e), ExitCode.SystemFailure);
            }
        }
    }

    private async Task<Lsn> StartAsync(BackupSession session, CancellationToken cancel)
    {
        await session.PrepareAsync(cancel).ConfigureAwait(false);
        string tag = string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}");
        if (guard == WalGuard.TemporarySlot)
            await session.ReserveWalAsync($"repmgr_clone_{tag}_{Environment.ProcessId}", cancel).ConfigureAwait(false);
        progress.Report(new CopyProgress("waiting for the source's checkpoint"));
        return await session.StartAsync($"repmgr_standby_clone_{tag}", cancel).ConfigureAwait(false);
    }

    private static Problem Unwritable(Exception e) => e.Message.Contains("No space left", StringComparison.Ordinal) || e.Message.Contains("quota", StringComparison.OrdinalIgnoreCase)
        ? new Problem("there is no space left for the copy", e.Message, "Free some space and run the command again; what is copied already is not copied again.")
        : new Problem("could not write the copy", e.Message, "Mend the cause and run the command again; what is copied already is not copied again.");

    /// <summary>A source in backup mode.</summary>
    internal sealed class Started(BackupSession session, Lsn start)
    {
        public BackupSession Session => session;

        /// <summary>Where recovery of the copy begins.</summary>
        public Lsn Start => start;

        /// <summary>Works for as long as the session lives. Without it what is copied cannot be used: no need to go on.</summary>
        public async Task WatchedAsync(Func<CancellationToken, Task> work, CancellationToken cancel)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            Task<string> watch = session.WatchAsync(stop.Token);
            Task copying = work(stop.Token);
            try
            {
                if (await Task.WhenAny(copying, watch).ConfigureAwait(false) == watch && !cancel.IsCancellationRequested)
                    throw new CopyFailure(new Problem("the backup's session on the source was lost", await watch.ConfigureAwait(false), Again), ExitCode.BadPidFileOrStopBackup);
                await copying.ConfigureAwait(false);
            }
            finally
            {
                await stop.CancelAsync().ConfigureAwait(false);
                await Task.WhenAll(Ended(copying), Ended(watch)).ConfigureAwait(false);
            }

            static Task Ended(Task task) => task.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        /// <summary>Leaves backup mode.</summary>
        /// <exception cref="CopyFailure">It could not, for instance because the source was promoted meanwhile.</exception>
        public async Task<BackupEnd> StopAsync(CancellationToken cancel)
        {
            try
            {
                return await session.StopAsync(cancel).ConfigureAwait(false);
            }
            catch (NpgsqlException e)
            {
                throw new CopyFailure(
                    new Problem("the backup could not be ended on the source", FailureText.Of(e), "The copy cannot be used. " + Again), ExitCode.BadPidFileOrStopBackup);
            }
        }
    }
}
