namespace Repmgr.PostgresTests.Clone;

/// <summary>In how many pages two copies of a cluster differ, file by file: what a copy by difference has to move.</summary>
/// <remarks>
/// A standby that has replayed everything still differs from its primary. Hint bits and what is marked dead in indexes are not
/// written to WAL of themselves, and each side sets them when a query happens to look.
/// https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-WAL-LOG-HINTS
/// </remarks>
/// <param name="Differing">Bytes in pages that differ or are missing.</param>
/// <param name="Bytes">Of all files.</param>
/// <param name="Files">How many.</param>
internal sealed record PageDifference(long Differing, long Bytes, int Files)
{
    private const int Page = 8192;

    /// <summary>
    /// Each page that differs, and what the protocol of rsync adds: four bytes for a block that is the same, and for each file
    /// its line in the list, its checksum, and the frame around its blocks.
    /// </summary>
    public long MostToMove => Differing + (Bytes / Page * 4) + (Files * 200L);

    public PageDifference And(PageDifference other) => new(Differing + other.Differing, Bytes + other.Bytes, Files + other.Files);

    public static PageDifference Between(string source, string target)
    {
        var sum = new PageDifference(0, 0, 0);
        var walk = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        foreach (FileInfo file in new DirectoryInfo(source).EnumerateFiles("*", walk))
        {
            string path = Path.GetRelativePath(source, file.FullName);
            if (!path.StartsWith("pg_wal/", StringComparison.Ordinal))
                sum = sum.And(new PageDifference(Differs(file.FullName, Path.Combine(target, path)), file.Length, 1));
        }

        return sum;
    }

    private static long Differs(string source, string target)
    {
        byte[] ours = File.ReadAllBytes(source);
        byte[] theirs = File.Exists(target) ? File.ReadAllBytes(target) : [];
        long bytes = 0;
        for (int at = 0; at < ours.Length; at += Page)
        {
            ReadOnlySpan<byte> page = ours.AsSpan(at, Math.Min(Page, ours.Length - at));
            bool same = at + page.Length <= theirs.Length && page.SequenceEqual(theirs.AsSpan(at, page.Length));
            bytes += same ? 0 : page.Length;
        }

        return bytes;
    }
}
