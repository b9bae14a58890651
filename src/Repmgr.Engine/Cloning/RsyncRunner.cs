using System.Globalization;
using System.Text;
using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
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
    public Task<StepOutcome> RunAsync(CancellationToken cancel) =>
        new BackupRun(connector, copy.Source, copy.Version, copy.Guard, progress).RunAsync(InSessionAsync, cancel);

    private async Task<StepOutcome> InSessionAsync(BackupRun.Started backup, CancellationToken cancel)
    {
        TargetDirectory.HideControlFile(copy.DataDirectory);
        File.Delete(Path.Combine(copy.DataDirectory, CopyRules.PendingControlFile));
        TargetDirectory.MakeSkeleton(copy);
        var files = new RsyncFiles(copy, progress);
        await backup.WatchedAsync(files.CopyAsync, cancel).ConfigureAwait(false);
        await files.CopyControlFileAsync(cancel).ConfigureAwait(false);

        BackupEnd end = await backup.StopAsync(cancel).ConfigureAwait(false);
        progress.Report(new CopyProgress("fetching the WAL of the backup"));
        int segments = await RsyncWal.FetchAsync(copy, end, cancel).ConfigureAwait(false);
        DurableFile.Replace(Path.Combine(copy.DataDirectory, "backup_label"), Encoding.UTF8.GetBytes(end.LabelFile));
        if (TablespaceMap.Write(copy.Tablespaces, Destination) is { } map)
            DurableFile.Replace(Path.Combine(copy.DataDirectory, "tablespace_map"), Encoding.UTF8.GetBytes(map));
        return new StepOutcome.Done(string.Create(
            CultureInfo.InvariantCulture,
            $"{files.Moved} bytes of files moved, and {segments} WAL segment{(segments == 1 ? "" : "s")}; backup from {end.Label.Start} to {end.Stop} on timeline {end.Label.Timeline}"))
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
}
