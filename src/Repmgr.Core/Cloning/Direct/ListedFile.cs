namespace Repmgr.Core.Cloning.Direct;

/// <summary>A file as it was listed, there or here.</summary>
/// <param name="Path">Relative to the data directory; what lies in a tablespace begins with <c>pg_tblspc/OID/</c>.</param>
/// <param name="Bytes">Its size when it was listed.</param>
public readonly record struct ListedFile(string Path, long Bytes)
{
    /// <summary>
    /// Directory by directory. Within one the files of a relation stand together, and before them the fork that says it is unlogged:
    /// what is to be known of a file is known when its turn comes, however many there are.
    /// </summary>
    public static Comparison<ListedFile> ByRelation { get; } = (one, other) => CompareRelations(one.Path, other.Path);

    /// <summary>The largest first, so that the last to be copied is a small one.</summary>
    public static Comparison<ListedFile> LargestFirst { get; } = (one, other) =>
        one.Bytes != other.Bytes ? other.Bytes.CompareTo(one.Bytes) : string.CompareOrdinal(one.Path, other.Path);

    /// <summary>Goes through two lists side by side.</summary>
    /// <param name="here">In the order <see cref="ByRelation"/>.</param>
    /// <param name="there">In the same.</param>
    /// <returns>Each path once, with the file of either side that has it.</returns>
    public static IEnumerable<(ListedFile? Here, ListedFile? There)> Pair(IEnumerable<ListedFile> here, IEnumerable<ListedFile> there)
    {
        using IEnumerator<ListedFile> ours = here.GetEnumerator(), theirs = there.GetEnumerator();
        bool hasOurs = ours.MoveNext(), hasTheirs = theirs.MoveNext();
        while (hasOurs || hasTheirs)
        {
            int order = !hasTheirs ? -1 : !hasOurs ? 1 : ByRelation(ours.Current, theirs.Current);
            yield return (order <= 0 ? ours.Current : null, order >= 0 ? theirs.Current : null);
            if (order <= 0)
                hasOurs = ours.MoveNext();
            if (order >= 0)
                hasTheirs = theirs.MoveNext();
        }
    }

    private static int CompareRelations(ReadOnlySpan<char> one, ReadOnlySpan<char> other)
    {
        int slash = one.LastIndexOf('/'), otherSlash = other.LastIndexOf('/');
        int order = one[..Math.Max(0, slash)].SequenceCompareTo(other[..Math.Max(0, otherSlash)]);
        return order != 0 ? order : CompareNames(one[(slash + 1)..], other[(otherSlash + 1)..]);
    }

    // The number that a name begins with is the relation's; 16386_init comes before 16386, and both before 163860.
    private static int CompareNames(ReadOnlySpan<char> one, ReadOnlySpan<char> other)
    {
        int digits = Digits(one), otherDigits = Digits(other);
        int order = one[..digits].SequenceCompareTo(other[..otherDigits]);
        if (order != 0)
            return order;
        one = one[digits..];
        other = other[otherDigits..];
        bool isFirst = one.StartsWith("_init", StringComparison.Ordinal), isOtherFirst = other.StartsWith("_init", StringComparison.Ordinal);
        return isFirst == isOtherFirst ? one.SequenceCompareTo(other) : isFirst ? -1 : 1;
    }

    private static int Digits(ReadOnlySpan<char> name) => name.IndexOfAnyExceptInRange('0', '9') is var end && end < 0 ? name.Length : end;
}
