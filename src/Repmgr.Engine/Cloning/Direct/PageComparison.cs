using System.Data;
using System.Security.Cryptography;
using Npgsql;
using Repmgr.Core.Cloning.Direct;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>
/// Compares pages here with the source's. The hashes of our pages go to the source, which answers with those of its own that differ:
/// one reading on each side, and one round trip. While it works on one batch of slices, the next is hashed here. What is done with
/// a page that was hashed and with one that differs is for the derived class to say.
/// </summary>
/// <param name="work">What it works with.</param>
/// <param name="connection">To the source.</param>
/// <param name="buffer">For what is read here: a chunk.</param>
/// <param name="stop">Ends it.</param>
internal abstract class PageComparison<TSlice>(SourceWork work, NpgsqlConnection connection, byte[] buffer, CancellationToken stop)
    where TSlice : PageSlice
{
    // Long enough that a round trip does not count, and short enough that both sides are at work at once.
    private const int BatchBytes = 8 << 20;

    private readonly int _page = work.PageBytes;
    private readonly byte[] _theirs = new byte[work.PageBytes];

    /// <summary>Opens what is here to be read; null: nothing is.</summary>
    protected abstract FileStream? Open(CopyFile file);

    /// <summary>A page that is here was hashed. The last of a file may be shorter than a page.</summary>
    protected abstract void Hashed(TSlice slice, int index, ReadOnlySpan<byte> page);

    /// <summary>A page is another on the source, and is empty where the file ends before it.</summary>
    /// <param name="slice">Its slice.</param>
    /// <param name="index">Its number within the slice.</param>
    /// <param name="here">The file here; null: there is none.</param>
    /// <param name="theirs">The source's page.</param>
    protected abstract void Differs(TSlice slice, int index, FileStream? here, ReadOnlySpan<byte> theirs);

    /// <summary>The source does not have the file, of which this was to be a page.</summary>
    protected abstract void IsGone(TSlice slice, int index, FileStream? here);

    /// <summary>All of a slice's pages were compared.</summary>
    protected abstract void End(TSlice slice);

    /// <summary>Where the slices of a part begin in its file, and how many pages they have.</summary>
    protected IEnumerable<(long Offset, int Pages)> Stretches(FilePart part)
    {
        int all = (int)((part.Expected + _page - 1) / _page);
        for (int first = 0; first < all; first += BatchBytes / _page)
            yield return (part.Offset + ((long)first * _page), Math.Min(all - first, BatchBytes / _page));
    }

    protected async Task RunAsync(IEnumerable<TSlice> slices)
    {
        IReadOnlyList<TSlice>? before = null;
        Task<NpgsqlDataReader>? answer = null;
        foreach (IReadOnlyList<TSlice> batch in Batches(slices))
        {
            foreach (TSlice one in batch)
                Hash(one);
            if (before is not null)
                await ReceiveAsync(await answer!.ConfigureAwait(false), before).ConfigureAwait(false);
            (before, answer) = (batch, AskAsync(batch));
        }

        if (before is not null)
            await ReceiveAsync(await answer!.ConfigureAwait(false), before).ConfigureAwait(false);
    }

    private IEnumerable<IReadOnlyList<TSlice>> Batches(IEnumerable<TSlice> slices)
    {
        var batch = new List<TSlice>();
        int pages = 0;
        foreach (TSlice slice in slices)
        {
            batch.Add(slice);
            pages += slice.Pages;
            if (pages < BatchBytes / _page)
                continue;
            yield return batch;
            (batch, pages) = ([], 0);
        }

        if (batch.Count > 0)
            yield return batch;
    }

    private void Hash(TSlice slice)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        using FileStream? file = Open(slice.File);
        for (int first = 0; first < slice.Pages; first += buffer.Length / _page)
        {
            int wanted = Math.Min(buffer.Length / _page, slice.Pages - first) * _page;
            int read = LocalFile.Read(file, buffer.AsSpan(0, wanted), slice.Offset + ((long)first * _page));
            for (int at = 0; at < read; at += _page)
            {
                ReadOnlySpan<byte> page = buffer.AsSpan(at, Math.Min(_page, read - at));
                int index = first + (at / _page);
                SHA256.HashData(page, hash);
                hash[..PageSlice.HashBytes].CopyTo(slice.Hashes.AsSpan(index * PageSlice.HashBytes));
                Hashed(slice, index, page);
            }

            work.HasCompared(read);
            if (read < wanted)
                break;
        }
    }

    private Task<NpgsqlDataReader> AskAsync(IReadOnlyList<TSlice> batch)
    {
        NpgsqlCommand command = SourceCommands.Compare(
            connection,
            [.. batch.Select(slice => new SourceCommands.Stretch(slice.File.Path, slice.Offset, slice.Pages))],
            _page,
            batch.Select(slice => slice.Hashes));
        return command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, CancellationToken.None);
    }

    private async Task ReceiveAsync(NpgsqlDataReader reader, IReadOnlyList<TSlice> batch)
    {
        TSlice? current = null;
        FileStream? here = null;
        await using (reader.ConfigureAwait(false))
        {
            try
            {
                while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
                {
                    stop.ThrowIfCancellationRequested();
                    TSlice slice = batch[reader.GetInt32(0) - 1];
                    if (slice != current)
                    {
                        if (here is not null)
                            await here.DisposeAsync().ConfigureAwait(false);
                        (current, here) = (slice, Open(slice.File));
                    }

                    await TakeAsync(reader, slice, here).ConfigureAwait(false);
                }
            }
            finally
            {
                if (here is not null)
                    await here.DisposeAsync().ConfigureAwait(false);
            }
        }

        foreach (TSlice slice in batch)
            End(slice);
    }

    private async ValueTask TakeAsync(NpgsqlDataReader reader, TSlice slice, FileStream? here)
    {
        int index = reader.GetInt32(1);
        if (await reader.IsDBNullAsync(2, CancellationToken.None).ConfigureAwait(false))
        {
            IsGone(slice, index, here);
            return;
        }

        int bytes = await Answers.ReadAsync(reader, 2, _theirs).ConfigureAwait(false);
        Differs(slice, index, here, _theirs.AsSpan(0, bytes));
        work.HasMoved(bytes);
        await work.Limit.TakeAsync(bytes, stop).ConfigureAwait(false);
    }
}

/// <summary>Some pages of a file, and their hashes here.</summary>
/// <param name="file">The file.</param>
/// <param name="offset">Where in the file they begin.</param>
/// <param name="pages">How many there are.</param>
internal class PageSlice(CopyFile file, long offset, int pages)
{
    public const int HashBytes = 16;

    public CopyFile File => file;

    public long Offset => offset;

    public int Pages => pages;

    /// <summary>Zeros for a page that is not here: no content has that hash.</summary>
    public byte[] Hashes { get; } = new byte[pages * HashBytes];
}
