using Repmgr.Core.Cloning.Direct;

namespace Repmgr.Core.Verification;

/// <summary>Where a file is.</summary>
public enum FileSide
{
    /// <summary>It is compared page by page.</summary>
    Both,

    /// <summary>Not on the source.</summary>
    Here,

    /// <summary>Not here.</summary>
    There,
}

/// <summary>A file that is compared, or is on one side only.</summary>
/// <param name="File">Of the two sizes it has the larger.</param>
/// <param name="Side">Where it is.</param>
public readonly record struct VerifiedFile(ListedFile File, FileSide Side)
{
    /// <summary>A file of length nothing does not count: a dropped table's stays until the next checkpoint, on a primary only.</summary>
    /// <param name="here">What of the files here a base backup would contain, in the order <see cref="ListedFile.ByRelation"/>.</param>
    /// <param name="there">The same of the source.</param>
    public static IEnumerable<VerifiedFile> Of(IEnumerable<ListedFile> here, IEnumerable<ListedFile> there)
    {
        foreach ((ListedFile? ours, ListedFile? theirs) in ListedFile.Pair(here.Where(IsCompared), there.Where(IsCompared)))
        {
            if (ours is { } own && theirs is { } other)
                yield return new VerifiedFile(other.Bytes >= own.Bytes ? other : own, FileSide.Both);
            else if ((ours ?? theirs) is { Bytes: > 0 } lone)
                yield return new VerifiedFile(lone, ours is null ? FileSide.There : FileSide.Here);
        }
    }

    /// <summary>
    /// Tables and indexes, and the maps that say which file is which catalog's. Free space and visibility maps are changed without WAL,
    /// on either side; the other files have no positions by which to tell old from new.
    /// </summary>
    private static bool IsCompared(ListedFile file) =>
        RelationFile.TryRead(file.Path) is { Fork: "main" or "init" } || file.Path.EndsWith("/pg_filenode.map", StringComparison.Ordinal);
}
