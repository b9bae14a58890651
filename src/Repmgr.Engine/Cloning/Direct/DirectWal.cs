using Repmgr.Core.Cloning;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Fetches the WAL that makes a copy consistent, while the source still holds it.</summary>
internal sealed class DirectWal(DirectCopy copy, SourceConnections connections, IProgress<CopyProgress> progress)
{
    /// <returns>How many segments there are.</returns>
    public async Task<int> FetchAsync(DirectWork files, BackupEnd end, CancellationToken cancel)
    {
        IReadOnlyList<string> segments = WalFiles.Segments(end.Label.Timeline, end.Label.Start, end.Stop, copy.WalSegmentBytes);
        List<CopyFile> wanted = [.. segments.Select(name => new CopyFile("pg_wal/" + name, copy.WalSegmentBytes, null))];
        if (WalFiles.History(end.Label.Timeline) is { } history)
            wanted.Add(new CopyFile("pg_wal/" + history, 0, null));

        progress.Report(new CopyProgress("fetching the WAL of the backup"));
        DirectWork work = files.ForWal(copy.DataDirectory, new CopyMeter(wanted.Sum(file => file.Bytes), progress, "fetching the WAL of the backup"));
        await connections.RunAsync<CopyRequest>(new CopyTurns(CopyParts.Split(wanted)).Next, (connection, stop) => new PartCopier(work, connection, stop).CopyAsync, cancel).ConfigureAwait(false);

        Lsn start = new(end.Label.Start.Bytes / (ulong)copy.WalSegmentBytes * (ulong)copy.WalSegmentBytes);
        foreach (string segment in segments)
        {
            string path = Path.Combine(copy.DataDirectory, "pg_wal", segment);
            if (!IsWhole(path, start))
            {
                throw new CopyFailure(
                    new Problem(
                        $"the source has removed WAL segment {segment}, which the copy needs",
                        copy.Guard == WalGuard.KeptWal ? "wal_keep_size was too small for the time the copy took." : "The replication slot did not keep it: see max_slot_wal_keep_size on the source.",
                        copy.Guard == WalGuard.KeptWal ? "Leave -w out, so that a replication slot holds the WAL, or raise wal_keep_size." : "Raise max_slot_wal_keep_size there, and run the command again; what is copied already is not copied again."),
                    ExitCode.SystemFailure);
            }

            RsyncWal.MarkArchived(copy.DataDirectory, segment);
            start = new Lsn(start.Bytes + (ulong)copy.WalSegmentBytes);
        }

        return segments.Count;
    }

    // A segment that was used again under another name begins with another position.
    private bool IsWhole(string path, Lsn start)
    {
        if (new FileInfo(path) is not { Exists: true } file || file.Length != copy.WalSegmentBytes)
            return false;

        using FileStream stream = File.OpenRead(path);
        Span<byte> header = stackalloc byte[WalFiles.HeaderBytes];
        return stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length
            && WalFiles.Begins(header, copy.SystemIdentifier, start);
    }
}
