using Npgsql;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>What one connection does with a request: fetch what is not here, compare what is, and look again at pages that seem damaged.</summary>
internal sealed class PartCopier
{
    private const int Looks = 5;

    // With so many the disk is at fault, and not the moment at which they were read.
    private const int MostLookedAt = 100;

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    private readonly DirectWork _work;
    private readonly NpgsqlConnection _connection;
    private readonly CancellationToken _stop;
    private readonly byte[] _buffer = new byte[CopyParts.Chunk];
    private readonly PartFetcher _fetcher;
    private readonly PartComparer _comparer;

    public PartCopier(DirectWork work, NpgsqlConnection connection, CancellationToken stop)
    {
        (_work, _connection, _stop) = (work, connection, stop);
        _fetcher = new PartFetcher(work, connection, _buffer, stop);
        _comparer = new PartComparer(work, connection, _buffer, stop);
    }

    public async Task CopyAsync(CopyRequest request)
    {
        List<FilePart> here = [.. request.Parts.Where(IsHere)];
        List<FilePart> missing = [.. here.Count == 0 ? request.Parts : request.Parts.Except(here)];
        IEnumerable<PartSum> sums =
        [
            .. missing.Count == 0 ? [] : await _fetcher.FetchAsync(missing).ConfigureAwait(false),
            .. here.Count == 0 ? [] : await _comparer.CompareAsync(here).ConfigureAwait(false),
        ];
        foreach (PartSum sum in sums)
        {
            if (sum.Suspects.Count > 0)
                await LookAgainAsync(sum).ConfigureAwait(false);
            _work.Add(sum.Part, sum.Close());
        }
    }

    // Of files that do not consist of pages, and are small, the whole is fetched: they may have grown since, and must be in one piece.
    private bool IsHere(FilePart part)
    {
        bool hasPages = part.File.Bytes > CopyParts.Chunk || (part.File.Bytes > 0 && part.File.Bytes % _work.Source.PageBytes == 0);
        return hasPages && new FileInfo(_work.Local(part.File)) is { Exists: true } file && file.Length > part.Offset;
    }

    private async Task LookAgainAsync(PartSum sum)
    {
        FilePart part = sum.Part;
        FileStream file = _work.Open(part.File);
        await using (file.ConfigureAwait(false))
        {
            foreach (long offset in sum.Suspects)
            {
                if (await SoundAsync(part.File, offset).ConfigureAwait(false) is { } content)
                    RandomAccess.Write(file.SafeFileHandle, content, offset);
                else
                    _work.Damaged.Enqueue(new DamagedPage(part.File.Path, offset / _work.Source.PageBytes));
            }

            sum.Correct(Crc(file, part.Offset, sum.Bytes));
        }
    }

    /// <summary>The page, once it is read whole; null when it stays damaged.</summary>
    private async Task<byte[]?> SoundAsync(CopyFile file, long offset)
    {
        byte[]? content = null;
        for (int look = 0; look < (_work.Damaged.Count < MostLookedAt ? Looks : 1); look++)
        {
            await Task.Delay(Between, _stop).ConfigureAwait(false);
            NpgsqlCommand command = SourceCommands.Read(_connection, file.Path, offset, _work.Source.PageBytes);
            await using (command.ConfigureAwait(false))
                content = await command.ExecuteScalarAsync(CancellationToken.None).ConfigureAwait(false) as byte[];
            // What is no page any more was cut off meanwhile.
            if (content?.Length != _work.Source.PageBytes)
                return [];
            if (!_work.IsSuspect(file, offset / _work.Source.PageBytes, content))
                return content;
        }

        return null;
    }

    private uint Crc(FileStream file, long offset, long bytes)
    {
        uint state = Crc32C.Start;
        while (bytes > 0)
        {
            int read = RandomAccess.Read(file.SafeFileHandle, _buffer.AsSpan(0, (int)Math.Min(_buffer.Length, bytes)), offset);
            if (read == 0)
                break;
            state = Crc32C.Append(state, _buffer.AsSpan(0, read));
            (offset, bytes) = (offset + read, bytes - read);
        }

        return Crc32C.End(state);
    }
}
