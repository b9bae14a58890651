using System.Data;
using System.Security.Cryptography;
using Npgsql;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Verification;
using Repmgr.Engine.Cloning.Direct;

namespace Repmgr.Engine.Verification;

/// <summary>
/// What one connection does with some files: the hashes of our pages go to the source, which answers with those of its own that differ,
/// as a clone onto an existing copy does it. Nothing is written; what differs is judged.
/// </summary>
internal sealed class PartVerifier(VerifyWork work, NpgsqlConnection connection, CancellationToken stop)
{
    private const int HashBytes = 16;
    private const int SliceBytes = 8 << 20;

    private readonly byte[] _buffer = new byte[CopyParts.Chunk];
    private readonly byte[] _page = new byte[work.PageBytes];
    private readonly byte[] _own = new byte[work.PageBytes];
    private readonly PageJudge _judge = new(work.PageBytes);
    private readonly PageLooks _looks = new(work, connection, stop);
    private readonly HashSet<PageId> _suspects = [];

    public async Task CompareAsync(CopyRequest request)
    {
        IReadOnlyList<Slice>? before = null;
        Task<NpgsqlDataReader>? answer = null;
        foreach (IReadOnlyList<Slice> batch in Batches(request.Parts))
        {
            foreach (Slice slice in batch)
                Hash(slice);
            if (before is not null)
                await ReceiveAsync(await answer!.ConfigureAwait(false), before).ConfigureAwait(false);
            (before, answer) = (batch, AskAsync(batch));
        }

        if (before is not null)
            await ReceiveAsync(await answer!.ConfigureAwait(false), before).ConfigureAwait(false);
        await _looks.LookAsync(_suspects, hasCaughtUp: false).ConfigureAwait(false);
        _suspects.Clear();
    }

    /// <summary>Looks again at pages that could not be judged.</summary>
    public async Task LookAgainAsync(OpenPages open)
    {
        await _looks.LookAsync(open.Unsettled.Pages.Select(page => new PageId(open.File, page)), hasCaughtUp: false).ConfigureAwait(false);
        await _looks.LookAsync(open.OneSided.Pages.Select(page => new PageId(open.File, page)), open.HasCaughtUp).ConfigureAwait(false);
    }

    private IEnumerable<IReadOnlyList<Slice>> Batches(IReadOnlyList<FilePart> parts)
    {
        int most = SliceBytes / work.PageBytes;
        var batch = new List<Slice>();
        int pages = 0;
        foreach (FilePart part in parts)
        {
            int all = (int)((part.Expected + work.PageBytes - 1) / work.PageBytes);
            for (int first = 0; first < all; first += most)
            {
                var slice = new Slice(part.File, (part.Offset / work.PageBytes) + first, Math.Min(all - first, most));
                batch.Add(slice);
                pages += slice.Pages;
                if (pages < most)
                    continue;
                yield return batch;
                (batch, pages) = ([], 0);
            }
        }

        if (batch.Count > 0)
            yield return batch;
    }

    private void Hash(Slice slice)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        using FileStream? file = work.Here.TryOpen(slice.File.Path);
        for (int first = 0; first < slice.Pages; first += _buffer.Length / work.PageBytes)
        {
            int wanted = Math.Min(_buffer.Length / work.PageBytes, slice.Pages - first) * work.PageBytes;
            int read = LocalCopy.Read(file, _buffer.AsSpan(0, wanted), (slice.First + first) * work.PageBytes);
            for (int at = 0; at < read; at += work.PageBytes)
            {
                ReadOnlySpan<byte> page = _buffer.AsSpan(at, Math.Min(work.PageBytes, read - at));
                int index = first + (at / work.PageBytes);
                SHA256.HashData(page, hash);
                hash[..HashBytes].CopyTo(slice.Hashes.AsSpan(index * HashBytes));
                if (work.ChecksHere && work.IsDamaged(slice.File, slice.First + index, page))
                    _suspects.Add(new PageId(slice.File, slice.First + index));
            }

            work.HasCompared(read);
            if (read < wanted)
                break;
        }

        work.Meter.Add((long)slice.Pages * work.PageBytes);
    }

    private Task<NpgsqlDataReader> AskAsync(IReadOnlyList<Slice> batch)
    {
        NpgsqlCommand command = SourceCommands.Compare(
            connection,
            [.. batch.Select(slice => new SourceCommands.Stretch(slice.File.Path, slice.First * work.PageBytes, slice.Pages))],
            work.PageBytes,
            batch.Select(slice => slice.Hashes));
        return command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, CancellationToken.None);
    }

    private async Task ReceiveAsync(NpgsqlDataReader reader, IReadOnlyList<Slice> batch)
    {
        Slice? current = null;
        FileStream? file = null;
        await using (reader.ConfigureAwait(false))
        {
            try
            {
                while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
                {
                    stop.ThrowIfCancellationRequested();
                    Slice slice = batch[reader.GetInt32(0) - 1];
                    int index = reader.GetInt32(1);
                    if (slice != current)
                    {
                        if (file is not null)
                            await file.DisposeAsync().ConfigureAwait(false);
                        (current, file) = (slice, work.Here.TryOpen(slice.File.Path));
                    }

                    int bytes = await reader.IsDBNullAsync(2, CancellationToken.None).ConfigureAwait(false) ? 0 : await Answers.ReadAsync(reader, 2, _page).ConfigureAwait(false);
                    Judge(file, slice.File, slice.First + index, _page.AsSpan(0, bytes));
                    work.HasMoved(bytes);
                    await work.Limit.TakeAsync(bytes, stop).ConfigureAwait(false);
                }
            }
            finally
            {
                if (file is not null)
                    await file.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private void Judge(FileStream? here, CopyFile file, long page, ReadOnlySpan<byte> there)
    {
        int bytes = LocalCopy.Read(here, _own, page * work.PageBytes);
        PageVerdict verdict = _judge.Judge(_own.AsSpan(0, bytes), there, work.BlockInRelation(file, page), work.Settled, sourceEnd: null);
        if (verdict == PageVerdict.Differs || work.IsDamaged(file, page, there))
            _suspects.Add(new PageId(file, page));
        else if (verdict == PageVerdict.Unsettled && !_suspects.Contains(new PageId(file, page)))
            work.Tally.Add(file, page, tally => tally.Unsettled);
        else if (verdict == PageVerdict.OneSided)
            work.Tally.Add(file, page, tally => tally.OneSided);
    }

    /// <summary>Some pages of a file.</summary>
    private sealed class Slice(CopyFile file, long first, int pages)
    {
        public CopyFile File => file;

        public long First => first;

        public int Pages => pages;

        /// <summary>Zeros for a page that is not here: no content has that hash.</summary>
        public byte[] Hashes { get; } = new byte[pages * HashBytes];
    }
}

/// <summary>Pages of a file that could not be judged yet.</summary>
/// <param name="File">The file.</param>
/// <param name="Unsettled">One side may have yet to write or to replay them.</param>
/// <param name="OneSided">They are on one side only.</param>
/// <param name="HasCaughtUp">Twice since they were first seen, the side that is behind has replayed what the other had.</param>
internal sealed record OpenPages(CopyFile File, PageRanges Unsettled, PageRanges OneSided, bool HasCaughtUp);
