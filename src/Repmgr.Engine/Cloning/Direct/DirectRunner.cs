using System.Globalization;
using System.Text;
using Npgsql;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Files;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>
/// The direct method: backup mode in one held session, while others read the files. The order is what makes it safe. WAL is
/// reserved before the backup starts; an old control file goes before the first file changes; the new one is copied last and
/// waits under another name; the WAL from start to stop is fetched while the slot still holds it.
/// </summary>
internal sealed class DirectRunner(DirectCopy copy, PostgresConnector connector, IProgress<CopyProgress> progress, TimeProvider time) : IDisposable
{
    private readonly FileList _whole = new(Path.Combine(copy.DataDirectory, CopyRules.List + "copied"));

    /// <summary>For the manifest, once the copy is there.</summary>
    public DirectManifest? Manifest { get; private set; }

    public void Dispose() => _whole.Dispose();

    public Task<StepOutcome> RunAsync(CancellationToken cancel) =>
        new BackupRun(connector, copy.Source, copy.Version, copy.Guard, progress).RunAsync(InSessionAsync, cancel);

    private async Task<StepOutcome> InSessionAsync(BackupRun.Started backup, CancellationToken cancel)
    {
        long began = time.GetTimestamp();
        SourceIdentity source = await backup.Session.AskAsync(SourceIdentity.ReadAsync, cancel).ConfigureAwait(false);
        if (source.SystemIdentifier != copy.SystemIdentifier)
            throw new CopyFailure(new Problem("the source is another cluster than before", $"Its system identifier is {source.SystemIdentifier}, it was {copy.SystemIdentifier}.", "Check where the connection leads."), ExitCode.DbConnection);

        TargetDirectory.HideControlFile(copy.DataDirectory);
        File.Delete(Path.Combine(copy.DataDirectory, CopyRules.PendingControlFile));
        TargetWal.Place(copy, source.DirectoryMode);
        SourceConnections connections = await SourceConnections.OpenAsync(copy.Source, copy.Jobs, connector, source, cancel).ConfigureAwait(false);
        await using (connections.ConfigureAwait(false))
        {
            var work = new DirectWork(
                copy.DataDirectory, _whole, source, backup.Start, copy.VerifyChecksums, new RateLimit(copy.MaxBytesPerSecond, time), new CopyMeter(0, progress));
            var wal = new DirectWal(copy, connector, progress);
            IReadOnlyList<TablespaceView> tablespaces = [];
            await backup.WatchedAsync(
                watched => copy.Guard == WalGuard.Streamed ? wal.FollowAsync(FilesAsync, work, backup.Start, watched) : FilesAsync(watched), cancel).ConfigureAwait(false);
            await CopyControlFileAsync(backup.Session, cancel).ConfigureAwait(false);
            BackupEnd end = await backup.StopAsync(cancel).ConfigureAwait(false);
            int segments = await wal.FetchAsync(connections, work, end, cancel).ConfigureAwait(false);
            await JudgeAsync(work, backup.Session, source, cancel).ConfigureAwait(false);
            WriteLabel(end, tablespaces);
            return Done(work, end, segments, connections.Count, time.GetElapsedTime(began));

            async Task FilesAsync(CancellationToken stop) => tablespaces = await CopyFilesAsync(connections, work, stop).ConfigureAwait(false);
        }
    }

    /// <returns>The tablespaces that there were.</returns>
    private async Task<IReadOnlyList<TablespaceView>> CopyFilesAsync(SourceConnections connections, DirectWork work, CancellationToken cancel)
    {
        progress.Report(new CopyProgress("listing the source's files"));
        var listing = new SourceListing(copy.Source, connector, work.Source);
        IReadOnlyList<TablespaceView> tablespaces = await listing.TablespacesAsync(cancel).ConfigureAwait(false);
        TargetTree.RefuseTaken(copy, tablespaces);
        using var files = new SortedFiles(Path.Combine(copy.DataDirectory, CopyRules.List + "files"), ListedFile.LargestFirst);
        using (var there = new ListedTree(new CopyList(tablespaces.Select(space => space.Oid), copy.VersionDirectory), Path.Combine(copy.DataDirectory, CopyRules.List + "source")))
        {
            await listing.ListAsync(there, cancel).ConfigureAwait(false);
            new TargetTree(copy, work.Source, tablespaces).Prepare(there, files);
        }

        work.Meter.Expect(files.Bytes);
        using var turns = new CopyTurns(CopyParts.Split(files.InOrder().Select(CopyFile.Of)));
        await connections.RunAsync<CopyRequest>(turns.Next, (connection, stop) => new PartCopier(work, connection, stop).CopyAsync, cancel).ConfigureAwait(false);
        return tablespaces;
    }

    // The server may be writing it at this moment.
    private async Task CopyControlFileAsync(BackupSession session, CancellationToken cancel)
    {
        const int Attempts = 10;
        for (int attempt = 1; attempt <= Attempts; attempt++)
        {
            byte[] content = await session.AskAsync(ReadControlFileAsync, cancel).ConfigureAwait(false);
            if (!ControlFileCheck.IsWhole(content))
                continue;
            DurableFile.Replace(Path.Combine(copy.DataDirectory, CopyRules.PendingControlFile), content);
            return;
        }

        throw new CopyFailure(new Problem("the source's control file could not be read whole", $"Its checksum was wrong in {Attempts} copies.", "Check the source with pg_controldata."), ExitCode.DbQuery);
    }

    private static async Task<byte[]> ReadControlFileAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        NpgsqlCommand command = SourceCommands.Read(connection, CopyRules.ControlFile, 0, CopyParts.Chunk);
        await using (command.ConfigureAwait(false))
            return await command.ExecuteScalarAsync(cancel).ConfigureAwait(false) as byte[] ?? [];
    }

    // Checksums may have been switched off meanwhile (PostgreSQL 19): then they say nothing.
    private static async Task JudgeAsync(DirectWork work, BackupSession session, SourceIdentity before, CancellationToken cancel)
    {
        SourceIdentity now = await session.AskAsync(SourceIdentity.ReadAsync, cancel).ConfigureAwait(false);
        now.MustBe(before);
        if (work.Damaged.IsEmpty || !now.HasChecksums)
            return;

        List<string> named = [.. work.Damaged.OrderBy(page => page.Path, StringComparer.Ordinal).ThenBy(page => page.Block)
            .Select(page => string.Create(CultureInfo.InvariantCulture, $"block {page.Block} of file \"{page.Path}\""))];
        throw new CopyFailure(
            new Problem(
                named.Count == 1 ? "a page on the source is damaged" : string.Create(CultureInfo.InvariantCulture, $"{named.Count} pages on the source are damaged"),
                $"Their checksums do not fit: {string.Join(", ", named.Take(20))}{(named.Count > 20 ? " …" : "")}.",
                "Find the tables with pg_filenode_relation() and check that server's disk. With --no-verify-checksums they are copied as they are."),
            ExitCode.BadBaseBackup);
    }

    private void WriteLabel(BackupEnd end, IReadOnlyList<TablespaceView> tablespaces)
    {
        DurableFile.Replace(Path.Combine(copy.DataDirectory, "backup_label"), Encoding.UTF8.GetBytes(end.LabelFile));
        if (TablespaceMap.Write(tablespaces, copy.Destination) is { } map)
            DurableFile.Replace(Path.Combine(copy.DataDirectory, "tablespace_map"), Encoding.UTF8.GetBytes(map));
    }

    private StepOutcome.Done Done(DirectWork work, BackupEnd end, int segments, int jobs, TimeSpan took)
    {
        Manifest = new DirectManifest(copy.Version, copy.SystemIdentifier, _whole, new WalRange(end.Label.Timeline, end.Label.Start, end.Stop), time.GetUtcNow());
        var result = new CloneResult(CloneMethod.Direct, jobs, took)
        {
            Files = work.Copied.Count,
            BytesTotal = work.Copied.Bytes,
            BytesMoved = work.Moved,
            BytesCompared = work.Compared,
            StartLsn = end.Label.Start,
            StopLsn = end.Stop,
        };
        return new StepOutcome.Done(string.Create(
            CultureInfo.InvariantCulture,
            $"{result.BytesMoved} bytes of {result.Files} files moved, {result.BytesCompared} compared, and {segments} WAL segment{(segments == 1 ? "" : "s")}, in {took.TotalSeconds:0.0} s; backup from {end.Label.Start} to {end.Stop} on timeline {end.Label.Timeline}"))
        {
            Copied = result,
        };
    }
}
