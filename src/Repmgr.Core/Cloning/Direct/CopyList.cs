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
public sealed record CopyFile(string Path, long Bytes, RelationFile? Relation)
{
    public static CopyFile Of(ListedFile file) => new(file.Path, file.Bytes, RelationFile.TryRead(file.Path));
}

/// <summary>Decides what of a listing a base backup contains.</summary>
/// <param name="tablespaces">Those that were there when the backup began. One that came later is made by recovery.</param>
/// <param name="versionDirectory">The directory in each that belongs to the cluster.</param>
/// <remarks>
/// https://www.postgresql.org/docs/current/protocol-replication.html#PROTOCOL-REPLICATION-BASE-BACKUP, and sendDir() in
/// src/backend/backup/basebackup.c.
/// </remarks>
public sealed class CopyList(IEnumerable<uint> tablespaces, string versionDirectory)
{
    private readonly HashSet<string> _spaces = [.. tablespaces.Select(oid => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"pg_tblspc/{oid}"))];

    /// <summary>Whether a file or directory is part of it, as far as its path tells.</summary>
    public bool Contains(string path) => !IsLeftOut(path) && IsInTablespace(path);

    /// <summary>
    /// Leaves out what is lost with a crash, and so with a copy: temporary tables, and of unlogged ones all but the fork that says they
    /// are. A file that was made anew while its directory was read may be listed twice; it comes once.
    /// </summary>
    /// <param name="files">In the order <see cref="ListedFile.ByRelation"/>.</param>
    public static IEnumerable<ListedFile> Lasting(IEnumerable<ListedFile> files)
    {
        string? before = null;
        (string Directory, uint Number)? unlogged = null;
        foreach (ListedFile file in files)
        {
            if (file.Path == before)
                continue;
            before = file.Path;
            RelationFile? relation = RelationFile.TryRead(file.Path);
            if (relation is { IsTemporary: true })
                continue;
            if (relation is { Fork: "init" })
                unlogged = (relation.Directory, relation.Number);
            else if (relation is not null && (relation.Directory, relation.Number) == unlogged)
                continue;
            yield return file;
        }
    }

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
    private bool IsInTablespace(string path)
    {
        if (!path.StartsWith("pg_tblspc/", StringComparison.Ordinal))
            return true;
        string[] names = path.Split('/', 4);
        return names is not ["pg_tblspc", var oid, ..]
            || (_spaces.Contains($"pg_tblspc/{oid}") && (names.Length == 2 || names[2] == versionDirectory));
    }
}
