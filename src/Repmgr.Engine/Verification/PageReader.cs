using System.Data;
using Npgsql;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Engine.Cloning.Direct;

namespace Repmgr.Engine.Verification;

/// <summary>A page to be looked at.</summary>
/// <param name="File">Its file.</param>
/// <param name="Page">Its number within the file.</param>
internal readonly record struct PageId(CopyFile File, long Page);

/// <summary>Reads single pages of the source, many in one answer.</summary>
internal sealed class PageReader(VerifyWork work, NpgsqlConnection connection, CancellationToken stop)
{
    /// <summary>How many are asked for at once.</summary>
    public const int Most = 256;

    private readonly byte[] _page = new byte[work.PageBytes];

    /// <summary>Reads them, in their order.</summary>
    /// <param name="pages">No more than <see cref="Most"/>.</param>
    /// <returns>Their contents; empty where the file is gone or not that long.</returns>
    public async Task<IReadOnlyList<byte[]>> ReadAsync(IReadOnlyList<PageId> pages)
    {
        byte[][] contents = [.. pages.Select(_ => Array.Empty<byte>())];
        NpgsqlCommand command = SourceCommands.Fetch(
            connection, [.. pages.Select(page => new SourceCommands.Stretch(page.File.Path, page.Page * work.PageBytes, 1))], work.PageBytes);
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, CancellationToken.None).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
                {
                    stop.ThrowIfCancellationRequested();
                    int index = reader.GetInt32(0) - 1;
                    if (await reader.IsDBNullAsync(2, CancellationToken.None).ConfigureAwait(false))
                        continue;
                    int bytes = await Answers.ReadAsync(reader, 2, _page).ConfigureAwait(false);
                    contents[index] = _page[..bytes];
                    work.HasMoved(bytes);
                    await work.Limit.TakeAsync(bytes, stop).ConfigureAwait(false);
                }
            }
        }

        return contents;
    }
}
