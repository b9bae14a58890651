using System.Data;
using Npgsql;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Fetches parts whole, in chunks that stream in one answer, straight into place.</summary>
internal sealed class PartFetcher(DirectWork work, NpgsqlConnection connection, byte[] buffer, CancellationToken stop)
{
    public async Task<IReadOnlyList<PartSum>> FetchAsync(IReadOnlyList<FilePart> parts)
    {
        List<PartSum> sums = [.. parts.Select(part => new PartSum(part, work.Meter))];
        NpgsqlCommand command = SourceCommands.Fetch(
            connection, [.. parts.Select(part => new SourceCommands.Stretch(part.File.Path, part.Offset, (int)(part.Bytes / CopyParts.Chunk)))], CopyParts.Chunk);
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, CancellationToken.None).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
                await ReceiveAsync(reader, sums).ConfigureAwait(false);
        }

        return sums;
    }

    private async Task ReceiveAsync(NpgsqlDataReader reader, List<PartSum> sums)
    {
        PartSum? current = null;
        FileStream? file = null;
        try
        {
            while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
            {
                stop.ThrowIfCancellationRequested();
                PartSum sum = sums[reader.GetInt32(0) - 1];
                int chunk = reader.GetInt32(1);
                if (sum != current)
                {
                    if (file is not null)
                        await file.DisposeAsync().ConfigureAwait(false);
                    (current, file) = (sum, null);
                }

                if (await reader.IsDBNullAsync(2, CancellationToken.None).ConfigureAwait(false))
                {
                    sum.IsGone();
                    continue;
                }

                int bytes = await Answers.ReadAsync(reader, 2, buffer).ConfigureAwait(false);
                if (sum.HasEnded)
                    continue;
                file ??= work.Open(sum.Part.File);
                Write(file, sum, sum.Part.Offset + ((long)chunk * CopyParts.Chunk), buffer.AsSpan(0, bytes));
                await work.Limit.TakeAsync(bytes, stop).ConfigureAwait(false);
            }
        }
        finally
        {
            if (file is not null)
                await file.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Write(FileStream file, PartSum sum, long offset, ReadOnlySpan<byte> content)
    {
        int page = work.Source.PageBytes;
        for (int at = 0; at < content.Length; at += page)
        {
            if (work.IsSuspect(sum.Part.File, (offset + at) / page, content[at..Math.Min(at + page, content.Length)]))
                sum.Suspects.Add(offset + at);
        }

        work.Write(sum.Part.File, file, content, offset);
        sum.Add(content.Length, CopyParts.Chunk, Crc32C.Of(content));
        work.HasMoved(content.Length);
    }
}

/// <summary>Reads contents out of answers.</summary>
internal static class Answers
{
    /// <returns>How many bytes of the buffer it filled.</returns>
    public static async Task<int> ReadAsync(NpgsqlDataReader reader, int column, Memory<byte> buffer)
    {
        Stream content = await reader.GetStreamAsync(column, CancellationToken.None).ConfigureAwait(false);
        await using (content.ConfigureAwait(false))
        {
            int length = (int)content.Length;
            await content.ReadExactlyAsync(buffer[..length], CancellationToken.None).ConfigureAwait(false);
            return length;
        }
    }
}
