using System.Globalization;
using System.Text;
using Npgsql;
using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Files;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Cloning;

/// <summary>
/// The original's way: backup mode in one held session, rsync processes side by side meanwhile. The order is what makes it
/// safe. WAL is reserved before the backup starts; an old control file goes before the first file changes; the new one is
/// copied last and waits under another name; the WAL from start to stop is fetched while the slot still holds it.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP</remarks>
internal sealed class RsyncRunner(RsyncCopy copy, PostgresConnector connector, IProgress<CopyProgress> progress)
{
    public async Task<StepOutcome> RunAsync(CancellationToken cancel)
    {
        ConnectResult connected = await connector.OpenAsync(copy.Source, cancel).ConfigureAwait(false);
        if (connected is not ConnectResult.Opened { Session: var opened })
            return Failed(new Problem("could not connect to the source", connected.Failure), ExitCode.DbConnection);

        var session = new BackupSession(opened, copy.Version);
        await using (session.ConfigureAwait(false))
        {
            try
            {
                return await InSessionAsync(session, cancel).ConfigureAwait(false);
            }
            catch (CopyFailure failure)
            {
                return Failed(failure.Problem, failure.ExitCode);
            }
            catch (NpgsqlException e)
            {
                return Failed(new Problem("the backup on the source failed", e.Message, "Run the command again; what is copied already is not copied again."), ExitCode.DbQuery);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return Failed(new Problem("could not write the copy", e.Message, "Make room or mend the cause, and run the command again; what is copied already is not copied again."), ExitCode.SystemFailure);
            }
        }
    }

    private async Task<StepOutcome> InSessionAsync(BackupSession session, CancellationToken cancel)
    {
        await session.PrepareAsync(cancel).ConfigureAwait(false);
        string tag = string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.UtcNow.ToUnixTimeSeconds()}");
        if (copy.Guard == WalGuard.TemporarySlot)
            await session.ReserveWalAsync($"repmgr_clone_{tag}_{Environment.ProcessId}", cancel).ConfigureAwait(false);
        progress.Report(new CopyProgress("waiting for the source's checkpoint"));
        await session.StartAsync($"repmgr_standby_clone_{tag}", cancel).ConfigureAwait(false);

        TargetDirectory.HideControlFile(copy.DataDirectory);
        File.Delete(Path.Combine(copy.DataDirectory, CopyRules.PendingControlFile));
        TargetDirectory.MakeSkeleton(copy);
        var files = new RsyncFiles(copy, progress);
        await WatchedAsync(session, files.CopyAsync, cancel).ConfigureAwait(false);
        await files.CopyControlFileAsync(cancel).ConfigureAwait(false);

        BackupEnd end = await StopAsync(session, cancel).ConfigureAwait(false);
        progress.Report(new CopyProgress("fetching the WAL of the backup"));
        int segments = await RsyncWal.FetchAsync(copy, end, cancel).ConfigureAwait(false);
        DurableFile.Replace(Path.Combine(copy.DataDirectory, "backup_label"), Encoding.UTF8.GetBytes(end.LabelFile));
        if (TablespaceMap.Write(copy.Tablespaces, Destination) is { } map)
            DurableFile.Replace(Path.Combine(copy.DataDirectory, "tablespace_map"), Encoding.UTF8.GetBytes(map));
        return new StepOutcome.Done(string.Create(
            CultureInfo.InvariantCulture,
            $"{files.Moved} bytes of files moved, and {segments} WAL segments; backup from {end.Label.Start} to {end.Stop} on timeline {end.Label.Timeline}"))
        {
            Copied = new CloneResult(CloneMethod.Rsync, copy.Jobs, TimeSpan.Zero)
            {
                Files = files.Files,
                BytesTotal = files.Bytes,
                BytesMoved = files.Moved,
                BytesCompared = copy.OntoExisting ? null : 0,
                StartLsn = end.Label.Start,
                StopLsn = end.Stop,
            },
        };
    }

    private string Destination(string location) =>
        copy.Destinations.First(space => space.Location == location).Destination;

    // Without its session the source leaves backup mode, and what is copied from then on cannot be used: no need to go on.
    private static async Task WatchedAsync(BackupSession session, Func<CancellationToken, Task> work, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        Task<string> watch = session.WatchAsync(stop.Token);
        Task copying = work(stop.Token);
        try
        {
            if (await Task.WhenAny(copying, watch).ConfigureAwait(false) == watch && !cancel.IsCancellationRequested)
            {
                throw new CopyFailure(
                    new Problem("the backup's session on the source was lost", await watch.ConfigureAwait(false), "Run the command again; what is copied already is not copied again."),
                    ExitCode.BadPidFileOrStopBackup);
            }

            await copying.ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(Ended(copying), Ended(watch)).ConfigureAwait(false);
        }

        static Task Ended(Task task) => task.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private static async Task<BackupEnd> StopAsync(BackupSession session, CancellationToken cancel)
    {
        try
        {
            return await session.StopAsync(cancel).ConfigureAwait(false);
        }
        catch (NpgsqlException e)
        {
            throw new CopyFailure(
                new Problem("the backup could not be ended on the source", e.Message, "The copy cannot be used. Run the command again; what is copied already is not copied again."),
                ExitCode.BadPidFileOrStopBackup);
        }
    }

    private static StepOutcome.Failed Failed(Problem problem, ExitCode code) => new(problem, code);
}
