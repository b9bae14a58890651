using System.Data;
using System.Security.Cryptography;
using Npgsql;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>
/// Brings parts that are here already up to date. The hashes of our pages go to the source, which answers with those of its own
/// that differ: one reading on each side, and one round trip. While it works on one slice, the next is hashed here.
/// </summary>
internal sealed class PartComparer(DirectWork work, NpgsqlConnection connection, byte[] buffer, CancellationToken stop)
{
    private const int HashBytes = 16;

    // Long enough that a round trip does not count, and short enough that both sides are at work at once.
    private const int SliceBytes = 8 << 20;

    private readonly int _page = work.Source.PageBytes;

    public async Task<IReadOnlyList<PartSum>> CompareAsync(IReadOnlyList<FilePart> parts)
    {
        List<PartSum> sums = [.. parts.Select(part => new PartSum(part, work.Meter))];
        IReadOnlyList<Slice>? before = null;
        Task<NpgsqlDataReader>? answer = null;
        foreach (IReadOnlyList<Slice> batch in Batches(sums))
        {
            foreach (Slice slice in batch)
                Hash(slice);
            if (before is not null)
                await ReceiveAsync(await answer!.ConfigureAwait(false), before).ConfigureAwait(false);
            (before, answer) = (batch, AskAsync(batch));
        }

        if (before is not null)
            await ReceiveAsync(await answer!.ConfigureAwait(false), before).ConfigureAwait(false);
        return sums;
    }

    private IEnumerable<IReadOnlyList<Slice>> Batches(List<PartSum> sums)
    {
        var batch = new List<Slice>();
        int pages = 0;
        foreach (PartSum sum in sums)
        {
            FilePart part = sum.Part;
            int all = (int)((part.Expected + _page - 1) / _page);
            for (int first = 0; first < all; first += SliceBytes / _page)
            {
                var slice = new Slice(sum, part.Offset + ((long)first * _page), Math.Min(all - first, SliceBytes / _page));
                batch.Add(slice);
                pages += slice.Pages;
                if (pages < SliceBytes / _page)
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
        CopyFile copied = slice.Sum.Part.File;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        using FileStream file = work.Open(copied);
        for (int first = 0; first < slice.Pages; first += buffer.Length / _page)
        {
            int wanted = Math.Min(buffer.Length / _page, slice.Pages - first) * _page;
            int read = ReadFully(file, buffer.AsSpan(0, wanted), slice.Offset + ((long)first * _page));
            for (int at = 0; at < read; at += _page)
            {
                ReadOnlySpan<byte> page = buffer.AsSpan(at, Math.Min(_page, read - at));
                int index = first + (at / _page);
                SHA256.HashData(page, hash);
                hash[..HashBytes].CopyTo(slice.Hashes.AsSpan(index * HashBytes));
                slice.Set(index, page.Length, Crc32C.Of(page), work.IsSuspect(copied, (slice.Offset / _page) + index, page));
            }

            work.HasCompared(read);
            if (read < wanted)
                break;
        }
    }

    private static int ReadFully(FileStream file, Span<byte> into, long offset)
    {
        int all = 0;
        for (int read; all < into.Length && (read = RandomAccess.Read(file.SafeFileHandle, into[all..], offset + all)) > 0;)
            all += read;
        return all;
    }

    private Task<NpgsqlDataReader> AskAsync(IReadOnlyList<Slice> batch)
    {
        NpgsqlCommand command = SourceCommands.Compare(
            connection,
            [.. batch.Select(slice => new SourceCommands.Stretch(slice.Sum.Part.File.Path, slice.Offset, slice.Pages))],
            _page,
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
                byte[] page = new byte[_page];
                while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
                {
                    stop.ThrowIfCancellationRequested();
                    Slice slice = batch[reader.GetInt32(0) - 1];
                    int index = reader.GetInt32(1);
                    if (slice != current)
                    {
                        if (file is not null)
                            await file.DisposeAsync().ConfigureAwait(false);
                        (current, file) = (slice, null);
                    }

                    if (await reader.IsDBNullAsync(2, CancellationToken.None).ConfigureAwait(false))
                    {
                        slice.Sum.IsGone();
                        continue;
                    }

                    int bytes = await Answers.ReadAsync(reader, 2, page).ConfigureAwait(false);
                    file ??= work.Open(slice.Sum.Part.File);
                    Patch(file, slice, index, page.AsSpan(0, bytes));
                    await work.Limit.TakeAsync(bytes, stop).ConfigureAwait(false);
                }
            }
            finally
            {
                if (file is not null)
                    await file.DisposeAsync().ConfigureAwait(false);
            }
        }

        foreach (Slice slice in batch)
            slice.Close(_page);
    }

    private void Patch(FileStream file, Slice slice, int index, ReadOnlySpan<byte> page)
    {
        long offset = slice.Offset + ((long)index * _page);
        work.Write(slice.Sum.Part.File, file, page, offset);
        slice.Set(index, page.Length, Crc32C.Of(page), work.IsSuspect(slice.Sum.Part.File, offset / _page, page));
        work.HasMoved(page.Length);
    }

    /// <summary>Some pages of a part, and what is known of each.</summary>
    private sealed class Slice(PartSum sum, long offset, int pages)
    {
        private readonly uint[] _crcs = new uint[pages];
        private readonly int[] _lengths = new int[pages];
        private readonly bool[] _suspect = new bool[pages];

        public PartSum Sum => sum;

        public long Offset => offset;

        public int Pages => pages;

        /// <summary>Zeros for a page that is not here: no content has that hash.</summary>
        public byte[] Hashes { get; } = new byte[pages * HashBytes];

        public void Set(int index, int length, uint crc, bool isSuspect) =>
            (_lengths[index], _crcs[index], _suspect[index]) = (length, crc, isSuspect);

        public void Close(int pageBytes)
        {
            for (int index = 0; index < pages && !sum.HasEnded; index++)
            {
                sum.Add(_lengths[index], pageBytes, _crcs[index]);
                if (_suspect[index])
                    sum.Suspects.Add(offset + ((long)index * pageBytes));
            }
        }
    }
}
