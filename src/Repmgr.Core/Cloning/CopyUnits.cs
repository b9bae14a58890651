namespace Repmgr.Core.Cloning;

/// <summary>A file of the source as rsync lists it.</summary>
/// <param name="Path">Relative to the data directory or the tablespace.</param>
/// <param name="Bytes">Its size when it was listed.</param>
public sealed record SourceFile(string Path, long Bytes);

/// <summary>A tree to copy: the data directory, or one tablespace.</summary>
/// <param name="Name">For progress: <c>data directory</c>, or the tablespace's name.</param>
/// <param name="From">Directory on the source, ending in a slash.</param>
/// <param name="To">Directory here, ending in a slash.</param>
/// <param name="Filters">rsync filter rules, anchored at the tree's root.</param>
/// <param name="Files">The regular files in it.</param>
public sealed record CopyTree(
    string Name, string From, string To, IReadOnlyList<string> Filters, IReadOnlyList<SourceFile> Files);

/// <summary>What one rsync process copies.</summary>
/// <param name="Tree">Where it belongs.</param>
/// <param name="Below">The directory of the tree it walks (empty: the whole tree), ending in a slash unless empty.</param>
/// <param name="Files">Files to copy by name, relative to the tree; null: everything below, extraneous files deleted.</param>
/// <param name="Filters">rsync filter rules, anchored at <paramref name="Below"/>.</param>
/// <param name="Bytes">Size as listed, for progress and for the order.</param>
public sealed record CopyUnit(
    CopyTree Tree, string Below, IReadOnlyList<string>? Files, IReadOnlyList<string> Filters, long Bytes);

/// <summary>
/// Splits trees into units of which several can be copied side by side. Each file belongs to exactly one unit: large files
/// are handed out by name in lists of similar size; what is left goes by database directory; and the rest of the tree is one
/// unit, which also deletes the database directories that the source no longer has.
/// </summary>
public static class CopyUnits
{
    /// <summary>Files from this size on are handed out by name.</summary>
    public const long LargeFile = 8 << 20;

    // Every file by name is a pattern that rsync compares with each name in its directory; more would cost more than it wins.
    private const int MostLargeFiles = 4000;

    /// <summary>The units, largest first, so that the last to end is a small one.</summary>
    public static IReadOnlyList<CopyUnit> Split(IReadOnlyList<CopyTree> trees, int jobs)
    {
        List<(CopyTree Tree, SourceFile File)> large =
        [
            .. trees.SelectMany(tree => tree.Files.Select(file => (Tree: tree, File: file)))
                .Where(pair => jobs > 1 && pair.File.Bytes >= LargeFile && CanBeNamed(pair.File.Path))
                .OrderByDescending(pair => pair.File.Bytes)
                .ThenBy(pair => pair.File.Path, StringComparer.Ordinal)
                .Take(MostLargeFiles),
        ];
        long chunk = Math.Max(64L << 20, large.Sum(pair => pair.File.Bytes) / (jobs * 4L));
        var units = new List<CopyUnit>();
        foreach (CopyTree tree in trees)
        {
            List<SourceFile> named = [.. large.Where(pair => pair.Tree == tree).Select(pair => pair.File)];
            units.AddRange(Named(tree, named, chunk));
            units.AddRange(ByDirectory(tree, [.. named.Select(file => file.Path)]));
        }

        return [.. units.OrderByDescending(unit => unit.Bytes)];
    }

    private static IEnumerable<CopyUnit> Named(CopyTree tree, List<SourceFile> files, long chunk)
    {
        for (int from = 0; from < files.Count;)
        {
            int to = from;
            long bytes = 0;
            while (to < files.Count && (to == from || bytes + files[to].Bytes <= chunk))
                bytes += files[to++].Bytes;
            yield return new CopyUnit(tree, "", [.. files[from..to].Select(file => file.Path)], [], bytes);
            from = to;
        }
    }

    private static IEnumerable<CopyUnit> ByDirectory(CopyTree tree, HashSet<string> named)
    {
        List<IGrouping<string, SourceFile>> groups = [.. tree.Files.GroupBy(file => DatabaseDirectory(file.Path))];
        foreach (IGrouping<string, SourceFile> group in groups.Where(group => group.Key.Length > 0))
        {
            yield return new CopyUnit(
                tree,
                group.Key,
                null,
                [.. CopyRules.CommonFilters, .. group.Where(file => named.Contains(file.Path)).Select(file => "- /" + Escape(file.Path[group.Key.Length..]))],
                group.Where(file => !named.Contains(file.Path)).Sum(file => file.Bytes));
        }

        IEnumerable<SourceFile> rest = groups.Where(group => group.Key.Length == 0).SelectMany(group => group);
        yield return new CopyUnit(
            tree,
            "",
            null,
            [
                .. tree.Filters,
                .. groups.Where(group => group.Key.Length > 0).Select(group => "- /" + Escape(group.Key)),
                .. rest.Where(file => named.Contains(file.Path)).Select(file => "- /" + Escape(file.Path)),
            ],
            rest.Where(file => !named.Contains(file.Path)).Sum(file => file.Bytes));
    }

    // rsync lists bytes beyond ASCII as \#303, which would name another file.
    private static bool CanBeNamed(string path) => !path.Contains('\\', StringComparison.Ordinal);

    // base/OID/ in the data directory, PG_15_202209061/OID/ in a tablespace.
    private static string DatabaseDirectory(string path)
    {
        int first = path.IndexOf('/', StringComparison.Ordinal);
        int second = first < 0 ? -1 : path.IndexOf('/', first + 1);
        if (second < 0)
            return "";
        ReadOnlySpan<char> parent = path.AsSpan(0, first);
        bool holdsDatabases = parent is "base" || parent.StartsWith("PG_");
        return holdsDatabases && path.AsSpan(first + 1, second - first - 1).ContainsAnyExceptInRange('0', '9') is false
            ? path[..(second + 1)]
            : "";
    }

    // A backslash escapes only in a pattern that has a wildcard; in one that has none it stands for itself.
    private static string Escape(string path) => path.AsSpan().IndexOfAny("*?[") < 0
        ? path
        : string.Concat(path.Select(c => c is '*' or '?' or '[' or '\\' ? "\\" + c : c.ToString()));
}
