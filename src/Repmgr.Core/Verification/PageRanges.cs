using System.Globalization;

namespace Repmgr.Core.Verification;

/// <summary>Pages next to each other in a file.</summary>
/// <param name="First">The first, counted from 0 within the file.</param>
/// <param name="Last">The last.</param>
public readonly record struct PageRange(long First, long Last)
{
    public long Count => Last - First + 1;

    public override string ToString() => First == Last
        ? First.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{First}-{Last}");
}

/// <summary>Pages of a file, as ranges: of a table that differs throughout, one takes no more room than of a single page.</summary>
public sealed class PageRanges
{
    private readonly List<PageRange> _ranges = [];

    public bool IsEmpty => _ranges.Count == 0;

    public long Count => _ranges.Sum(range => range.Count);

    /// <summary>How many there are, unless a page was added twice.</summary>
    public int RangeCount => _ranges.Count;

    public void Add(long page)
    {
        if (_ranges.Count > 0 && _ranges[^1].Last + 1 == page)
            _ranges[^1] = _ranges[^1] with { Last = page };
        else
            _ranges.Add(new PageRange(page, page));
    }

    /// <summary>In order, those that touch joined.</summary>
    public IReadOnlyList<PageRange> Ordered()
    {
        var ordered = new List<PageRange>();
        foreach (PageRange range in _ranges.OrderBy(range => range.First))
        {
            if (ordered.Count > 0 && range.First <= ordered[^1].Last + 1)
                ordered[^1] = ordered[^1] with { Last = Math.Max(ordered[^1].Last, range.Last) };
            else
                ordered.Add(range);
        }

        return ordered;
    }

    public IEnumerable<long> Pages => Ordered().SelectMany(range => Enumerable.Range(0, (int)range.Count).Select(at => range.First + at));
}
