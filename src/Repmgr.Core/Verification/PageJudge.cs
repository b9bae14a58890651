using Repmgr.Core.Postgres;

namespace Repmgr.Core.Verification;

/// <summary>What two readings of one page say.</summary>
public enum PageVerdict
{
    /// <summary>Nothing that WAL tells of differs.</summary>
    Same,

    /// <summary>One side has changed it after the position up to which both are known to be on disk: the other may have yet to write it, or to replay it.</summary>
    Unsettled,

    /// <summary>
    /// There is a page on one side only, or something that is no page. Files grow, shrink and go without a position: whether the
    /// other side lags behind only shows once it has caught up.
    /// </summary>
    OneSided,

    /// <summary>One of the two is wrong.</summary>
    Differs,
}

/// <summary>What is known of the order in which the two sides change.</summary>
/// <param name="Here">All changes before this position are in the files here: where recovery of this copy would begin.</param>
/// <param name="Source">The same of the source's files.</param>
/// <param name="SourceLeads">The source is a primary: nothing here can be newer than what it has.</param>
/// <param name="HereRests">No server runs here: nothing is being copied or cut off at this moment.</param>
/// <param name="Diverged">Both have WAL the other does not: neither will become the other by replaying.</param>
public sealed record SettledPositions(Lsn Here, Lsn Source, bool SourceLeads, bool HereRests, bool Diverged)
{
    /// <summary>Whether a page of the source, as it is there now, must be here whatever has been replayed.</summary>
    /// <param name="page">The page; empty: there is none.</param>
    /// <remarks>A primary that has not changed a page since has neither cut it off nor made it anew.</remarks>
    public bool WasHere(ReadOnlySpan<byte> page) =>
        SourceLeads && page.ContainsAnyExcept((byte)0) && PageChecksum.LastChange(page) is { Bytes: > 0 } last && last <= Here;
}

/// <summary>
/// Decides whether a page that is not the same on both sides is wrong, or is only ahead of the other. A page carries the position of its
/// last change; all changes before the last checkpoint are on disk. So a page that lacks a change from before it is wrong, and so are two
/// pages that differ and had the same change last. Keeps two buffers: one judge for each connection.
/// </summary>
/// <param name="pageBytes"><c>block_size</c></param>
/// <remarks>https://www.postgresql.org/docs/current/storage-page-layout.html, https://www.postgresql.org/docs/current/wal-internals.html</remarks>
public sealed class PageJudge(int pageBytes)
{
    private readonly byte[] _here = new byte[pageBytes];
    private readonly byte[] _source = new byte[pageBytes];

    /// <param name="here">The page here; empty when the file is not that long.</param>
    /// <param name="source">The page on the source.</param>
    /// <param name="block">Its number within the relation.</param>
    /// <param name="settled">What was known before either was read.</param>
    /// <param name="sourceEnd">The end of a primary's WAL, looked up after the page here was read; null: not known.</param>
    public PageVerdict Judge(ReadOnlySpan<byte> here, ReadOnlySpan<byte> source, uint block, SettledPositions settled, Lsn? sourceEnd)
    {
        if (here.SequenceEqual(source))
            return PageVerdict.Same;

        bool nothingHere = !here.ContainsAnyExcept((byte)0);
        bool nothingThere = !source.ContainsAnyExcept((byte)0);
        if (nothingHere && nothingThere)
            return PageVerdict.Same;
        bool isHere = here.Length == pageBytes && !nothingHere;
        bool isThere = source.Length == pageBytes && !nothingThere;
        if (isHere && isThere && IsSameMasked(here, source, block))
            return PageVerdict.Same;
        if (settled.Diverged)
            return PageVerdict.Differs;
        return (isHere, isThere) switch
        {
            (true, true) => ByPosition(PageChecksum.LastChange(here), PageChecksum.LastChange(source), settled, sourceEnd),
            (false, true) when nothingHere => NothingHere(here.Length, source, settled),
            // An empty page was added to the file, and what it holds may not have been written yet.
            (true, false) when nothingThere && source.Length == pageBytes && PageChecksum.LastChange(here) > settled.Source => PageVerdict.Unsettled,
            _ => PageVerdict.OneSided,
        };
    }

    private PageVerdict NothingHere(int length, ReadOnlySpan<byte> source, SettledPositions settled)
    {
        // The end of a file may be missing because it is being copied at this moment (CREATE DATABASE).
        if ((length == pageBytes || settled.HereRests) && settled.WasHere(source))
            return PageVerdict.Differs;
        return length == pageBytes && PageChecksum.LastChange(source) > settled.Here ? PageVerdict.Unsettled : PageVerdict.OneSided;
    }

    private static PageVerdict ByPosition(Lsn here, Lsn source, SettledPositions settled, Lsn? sourceEnd) =>
        here == source ? PageVerdict.Differs
        : here < source ? (source <= settled.Here ? PageVerdict.Differs : PageVerdict.Unsettled)
        : here <= settled.Source || (settled.SourceLeads && here > sourceEnd) ? PageVerdict.Differs
        : PageVerdict.Unsettled;

    private bool IsSameMasked(ReadOnlySpan<byte> here, ReadOnlySpan<byte> source, uint block)
    {
        here.CopyTo(_here);
        source.CopyTo(_source);
        PageMask.Apply(_here, block);
        PageMask.Apply(_source, block);
        return _here.AsSpan().SequenceEqual(_source);
    }
}
