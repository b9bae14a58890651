using Npgsql;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Verification;
using Repmgr.Engine.Cloning.Direct;

namespace Repmgr.Engine.Verification;

/// <summary>Follows the files that were seen on one side only, until they are on both, or it is clear that they are not.</summary>
internal sealed class LoneFiles(LocalCopy here, SourceConnections source, IReadOnlyList<VerifiedFile> files)
{
    private const string SizesSql = "SELECT coalesce((SELECT s.size FROM pg_stat_file(i.path, true) AS s), 0) FROM unnest($1) WITH ORDINALITY AS i (path, ord) ORDER BY i.ord";

    // Enough to find one that has not changed for long.
    private const int PagesRead = 8;

    public IReadOnlyList<ListedFile> OnlyHere { get; private set; } = On(files, FileSide.Here);

    public IReadOnlyList<ListedFile> OnlyThere { get; private set; } = On(files, FileSide.There);

    public bool Any => OnlyHere.Count + OnlyThere.Count > 0;

    /// <summary>Looks again.</summary>
    /// <returns>Those that are on both sides by now, to be compared: the largest first.</returns>
    public async Task<IReadOnlyList<ListedFile>> LookAgainAsync(CancellationToken cancel)
    {
        IReadOnlyList<ListedFile> all = [.. OnlyHere, .. OnlyThere];
        if (all.Count == 0)
            return [];

        // Files come and go here after they do on a primary: so look here first.
        List<long> ours = [.. all.Select(file => here.Length(file.Path))];
        IReadOnlyList<long> theirs = await source.OnOneAsync(connection => SizesAsync(connection, all), cancel).ConfigureAwait(false);
        List<(ListedFile File, bool Here, bool There)> now = [.. all.Select((file, at) => (file with { Bytes = Math.Max(ours[at], theirs[at]) }, ours[at] > 0, theirs[at] > 0))];
        OnlyHere = [.. now.Where(entry => entry is { Here: true, There: false }).Select(entry => entry.File)];
        OnlyThere = [.. now.Where(entry => entry is { Here: false, There: true }).Select(entry => entry.File)];
        List<ListedFile> both = [.. now.Where(entry => entry is { Here: true, There: true }).Select(entry => entry.File)];
        both.Sort(ListedFile.LargestFirst);
        return both;
    }

    /// <summary>Those that must have been here, whatever has been replayed.</summary>
    public async Task<IReadOnlyList<ListedFile>> LostAsync(SettledPositions settled, int pageBytes, CancellationToken cancel)
    {
        if (!settled.HereRests)
            return [];

        var lost = new List<ListedFile>();
        foreach (ListedFile file in OnlyThere.Where(file => RelationFile.TryRead(file.Path) is not null && here.HasDirectoryOf(file.Path)))
        {
            byte[] pages = await source.OnOneAsync(connection => VerifySource.ReadAsync(connection, file.Path, 0, PagesRead * pageBytes), cancel).ConfigureAwait(false);
            if (Enumerable.Range(0, pages.Length / pageBytes).Any(page => settled.WasHere(pages.AsSpan(page * pageBytes, pageBytes))))
                lost.Add(file);
        }

        return lost;
    }

    private static async Task<IReadOnlyList<long>> SizesAsync(NpgsqlConnection connection, IReadOnlyList<ListedFile> files)
    {
        var command = new NpgsqlCommand(SizesSql, connection) { CommandTimeout = 0, Parameters = { new NpgsqlParameter<string[]> { TypedValue = [.. files.Select(file => file.Path)] } } };
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                var sizes = new List<long>(files.Count);
                while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
                    sizes.Add(reader.GetInt64(0));
                return sizes;
            }
        }
    }

    private static List<ListedFile> On(IReadOnlyList<VerifiedFile> files, FileSide side) => [.. files.Where(file => file.Side == side).Select(file => file.File)];
}
