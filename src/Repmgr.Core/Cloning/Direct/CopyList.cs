namespace Repmgr.Core.Cloning.Direct;

/// <summary>What the source has in its data directory.</summary>
/// <param name="Path">Relative to the data directory; what lies in a tablespace begins with <c>pg_tblspc/OID/</c>.</param>
/// <param name="IsDirectory">A directory, or a link to one.</param>
/// <param name="Bytes">Its size when it was listed.</param>
public readonly record struct SourceEntry(string Path, bool IsDirectory, long Bytes);

/// <summary>A file to copy.</summary>
/// <param name="Path">Relative to the data directory, there and here.</param>
/// <param name="Bytes">Its size when it was listed.</param>
/// <param name="Relation">The relation whose pages it holds; null: none.</param>
public sealed record CopyFile(string Path, long Bytes, RelationFile? Relation);

/// <summary>What of a listing a base backup contains.</summary>
/// <param name="Directories">To be there, in an order in which they can be made.</param>
/// <param name="Files">To be copied.</param>
/// <remarks>
/// https://www.postgresql.org/docs/current/protocol-replication.html#PROTOCOL-REPLICATION-BASE-BACKUP, and sendDir() in
/// src/backend/backup/basebackup.c.
/// </remarks>
public sealed record CopyList(IReadOnlyList<string> Directories, IReadOnlyList<CopyFile> Files)
{
    public long Bytes => Files.Sum(file => file.Bytes);

    /// <param name="entries">All that is listed; the contents of directories that are left out may be missing.</param>
    /// <param name="tablespaces">Those that were there when the backup began. One that came later is made by recovery.</param>
    /// <param name="versionDirectory">The directory in each that belongs to the cluster.</param>
    public static CopyList Of(IReadOnlyList<SourceEntry> entries, IEnumerable<uint> tablespaces, string versionDirectory)
    {
        // A database's thousands of files lie in one directory: its name is kept once.
        var directories = new HashSet<string>(StringComparer.Ordinal);
        HashSet<string> spaces = [.. tablespaces.Select(oid => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"pg_tblspc/{oid}"))];
        List<SourceEntry> belongs = [.. entries.Where(entry => !IsLeftOut(entry.Path) && IsInTablespace(entry.Path, spaces, versionDirectory))];
        List<CopyFile> files = [.. belongs.Where(entry => !entry.IsDirectory).Select(entry => new CopyFile(entry.Path, entry.Bytes, RelationFile.TryRead(entry.Path, directories)))];

        // What an unlogged table holds is lost with a crash, and so with a copy: only the fork that says it is one stays.
        HashSet<(string, uint)> unlogged = [.. files.Select(file => file.Relation).OfType<RelationFile>().Where(relation => relation.Fork == "init").Select(Key)];
        return new CopyList(
            [.. belongs.Where(entry => entry.IsDirectory).Select(entry => entry.Path).Order(StringComparer.Ordinal)],
            [.. files.Where(file => file.Relation is not { } relation || !(relation.IsTemporary || (relation.Fork != "init" && unlogged.Contains(Key(relation)))))]);
    }

    private static (string, uint) Key(RelationFile relation) => (relation.Directory, relation.Number);

    // Without making strings of the parts: there may be a million files.
    private static bool IsLeftOut(string path)
    {
        ReadOnlySpan<char> all = path;
        int slash = all.IndexOf('/');
        if (slash < 0 ? IsLeftOutAtTheTop(path) : IsEmptied(all[..slash]))
            return true;
        foreach (Range part in all.Split('/'))
        {
            if (all[part].StartsWith("pgsql_tmp", StringComparison.Ordinal) || all[part].StartsWith("pg_internal.init", StringComparison.Ordinal))
                return true;
        }

        return path == CopyRules.ControlFile;
    }

    private static bool IsEmptied(ReadOnlySpan<char> directory)
    {
        foreach (string name in CopyRules.EmptyDirectories)
        {
            if (directory.SequenceEqual(name))
                return true;
        }

        return directory is "pg_wal";
    }

    private static bool IsLeftOutAtTheTop(string name) =>
        CopyRules.TopLevelFiles.Contains(name)
        || name.StartsWith(CopyRules.OwnPrefix, StringComparison.Ordinal)
        || name.EndsWith(CopyRules.BeforeClone, StringComparison.Ordinal)
        || name == "lost+found";

    // Clusters of other versions may keep theirs in the same directory.
    private static bool IsInTablespace(string path, HashSet<string> spaces, string versionDirectory)
    {
        if (!path.StartsWith("pg_tblspc/", StringComparison.Ordinal))
            return true;
        string[] names = path.Split('/', 4);
        return names is not ["pg_tblspc", var oid, ..]
            || (spaces.Contains($"pg_tblspc/{oid}") && (names.Length == 2 || names[2] == versionDirectory));
    }
}
