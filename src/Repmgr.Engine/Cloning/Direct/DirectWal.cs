using Npgsql;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Fetches the WAL that makes a copy consistent: at its end, while a slot holds it, or as it is written.</summary>
internal sealed class DirectWal(DirectCopy copy, PostgresConnector connector, IProgress<CopyProgress> progress)
{
    private static readonly TimeSpan WhileIdle = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan WhileBusy = TimeSpan.FromMilliseconds(5);

    private readonly HashSet<string> _here = new(StringComparer.Ordinal);

    /// <summary>
    /// Fetches the WAL as it is written, until what is done beside it is done. The source may remove a segment with the first
    /// checkpoint after its end.
    /// </summary>
    /// <param name="beside">Copies the files.</param>
    /// <param name="files">What they are copied with.</param>
    /// <param name="start">Where the backup began.</param>
    /// <param name="cancel">Ends both.</param>
    public async Task FollowAsync(Func<CancellationToken, Task> beside, DirectWork files, Lsn start, CancellationToken cancel)
    {
        SourceConnections connections = await SourceConnections.OpenAsync(copy.Source, 1, connector, files.Source, cancel).ConfigureAwait(false);
        await using (connections.ConfigureAwait(false))
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            Task copying = beside(stop.Token);
            try
            {
                uint timeline = await connections.OnOneAsync(TimelineAsync, stop.Token).ConfigureAwait(false);
                for (Lsn have = FirstByte(start); !copying.IsCompleted;)
                {
                    Lsn before = have;
                    have = await connections.OnOneAsync(connection => TakeWrittenAsync(connection, files, timeline, have), stop.Token).ConfigureAwait(false);
                    await Task.WhenAny(copying, Task.Delay(have == before ? WhileIdle : WhileBusy, stop.Token)).ConfigureAwait(false);
                }
            }
            finally
            {
                if (!copying.IsCompleted)
                    await stop.CancelAsync().ConfigureAwait(false);
                await Task.WhenAny(copying).ConfigureAwait(false);
            }

            await copying.ConfigureAwait(false);
        }
    }

    private async Task<Lsn> TakeWrittenAsync(NpgsqlConnection connection, DirectWork files, uint timeline, Lsn have)
    {
        Lsn written = await WrittenAsync(connection).ConfigureAwait(false);
        while (have < written)
        {
            string segment = WalFiles.Segments(timeline, have, new Lsn(have.Bytes + 1), copy.WalSegmentBytes)[0];
            long offset = (long)(have.Bytes % (ulong)copy.WalSegmentBytes);
            long bytes = Math.Min(Math.Min(CopyParts.Chunk, copy.WalSegmentBytes - offset), (long)(written.Bytes - have.Bytes));
            var file = new CopyFile("pg_wal/" + segment, copy.WalSegmentBytes, null);
            NpgsqlCommand command = SourceCommands.Read(connection, file.Path, offset, bytes);
            await using (command.ConfigureAwait(false))
            {
                if (await command.ExecuteScalarAsync(CancellationToken.None).ConfigureAwait(false) is not byte[] content || content.Length != bytes)
                    throw Removed(segment);
                // WAL that waits may be removed; the files make room for it.
                files.Limit.Count(content.Length);
                FileStream local = files.Open(file);
                await using (local.ConfigureAwait(false))
                    RandomAccess.Write(local.SafeFileHandle, content, offset);
            }

            have = new Lsn(have.Bytes + (ulong)bytes);
            if (offset + bytes == copy.WalSegmentBytes)
                Keep(segment, new Lsn(have.Bytes - (ulong)copy.WalSegmentBytes));
        }

        return have;
    }

    /// <summary>Fetches what is not here yet.</summary>
    /// <returns>How many segments there are.</returns>
    public async Task<int> FetchAsync(SourceConnections connections, DirectWork files, BackupEnd end, CancellationToken cancel)
    {
        IReadOnlyList<string> segments = WalFiles.Segments(end.Label.Timeline, end.Label.Start, end.Stop, copy.WalSegmentBytes);
        progress.Report(new CopyProgress("fetching the WAL of the backup"));
        DirectWork work = files.ForWal(copy.DataDirectory, new CopyMeter(segments.Count(IsMissing) * copy.WalSegmentBytes, progress, "fetching the WAL of the backup"));
        List<CopyFile> wanted = [.. segments.Where(IsMissing).Select(name => new CopyFile("pg_wal/" + name, copy.WalSegmentBytes, null))];
        if (WalFiles.History(end.Label.Timeline) is { } history)
            wanted.Add(new CopyFile("pg_wal/" + history, 0, null));
        using var turns = new CopyTurns(CopyParts.Split(wanted));
        await connections.RunAsync<CopyRequest>(turns.Next, (connection, stop) => new PartCopier(work, connection, stop).CopyAsync, cancel).ConfigureAwait(false);

        Lsn begins = FirstByte(end.Label.Start);
        foreach (string segment in segments)
        {
            if (IsMissing(segment))
                Keep(segment, begins);
            begins = new Lsn(begins.Bytes + (ulong)copy.WalSegmentBytes);
        }

        return segments.Count;
    }

    private bool IsMissing(string segment) => !_here.Contains(segment);

    private Lsn FirstByte(Lsn position) => new(position.Bytes / (ulong)copy.WalSegmentBytes * (ulong)copy.WalSegmentBytes);

    private void Keep(string segment, Lsn begins)
    {
        if (!IsWhole(Path.Combine(copy.DataDirectory, "pg_wal", segment), begins))
            throw Removed(segment);
        RsyncWal.MarkArchived(copy.DataDirectory, segment);
        _here.Add(segment);
    }

    private CopyFailure Removed(string segment)
    {
        (string why, string mend) = copy.Guard == WalGuard.Streamed
            ? ("No replication slot kept it, and it was gone before it could be fetched.", "See that the source has a free replication slot (and leave -w out), or raise wal_keep_size there")
            : ("The replication slot did not keep it: see max_slot_wal_keep_size on the source.", "Raise max_slot_wal_keep_size there");
        return new CopyFailure(
            new Problem($"the source has removed WAL segment {segment}, which the copy needs", why, mend + ", and run the command again; what is copied already is not copied again."),
            ExitCode.SystemFailure);
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

    private static async Task<uint> TimelineAsync(NpgsqlConnection connection) =>
        uint.Parse(await AskAsync(connection, SourceSql.Timeline).ConfigureAwait(false), System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<Lsn> WrittenAsync(NpgsqlConnection connection) =>
        Lsn.TryParse(await AskAsync(connection, SourceSql.Written).ConfigureAwait(false), out Lsn written) ? written : default;

    private static async Task<string> AskAsync(NpgsqlConnection connection, string sql)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await using (command.ConfigureAwait(false))
            return await command.ExecuteScalarAsync(CancellationToken.None).ConfigureAwait(false) as string ?? "";
    }
}
