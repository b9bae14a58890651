using Repmgr.Core.Cloning.Direct;

namespace Repmgr.Core.Verification;

/// <summary>Which files are compared, and which are on one side only.</summary>
/// <param name="Both">To be compared page by page; of the two sizes the larger.</param>
/// <param name="OnlyHere">Not on the source.</param>
/// <param name="OnlyThere">Not here.</param>
public sealed record VerifiedFiles(IReadOnlyList<CopyFile> Both, IReadOnlyList<CopyFile> OnlyHere, IReadOnlyList<CopyFile> OnlyThere)
{
    /// <summary>A file of length nothing does not count: a dropped table's stays until the next checkpoint, on a primary only.</summary>
    /// <param name="here">What of the files here a base backup would contain.</param>
    /// <param name="there">The same of the source.</param>
    public static VerifiedFiles Of(IEnumerable<CopyFile> here, IEnumerable<CopyFile> there)
    {
        Dictionary<string, CopyFile> ours = here.Where(IsCompared).ToDictionary(file => file.Path);
        var both = new List<CopyFile>();
        var onlyThere = new List<CopyFile>();
        foreach (CopyFile theirs in there.Where(IsCompared))
        {
            if (ours.Remove(theirs.Path, out CopyFile? own))
                both.Add(theirs.Bytes >= own.Bytes ? theirs : own);
            else if (theirs.Bytes > 0)
                onlyThere.Add(theirs);
        }

        return new VerifiedFiles(both, [.. ours.Values.Where(file => file.Bytes > 0)], onlyThere);
    }

    /// <summary>
    /// Tables and indexes, and the maps that say which file is which catalog's. Free space and visibility maps are changed without WAL,
    /// on either side; the other files have no positions by which to tell old from new.
    /// </summary>
    private static bool IsCompared(CopyFile file) =>
        file.Relation is { Fork: "main" or "init" } || file.Path.EndsWith("/pg_filenode.map", StringComparison.Ordinal);
}
