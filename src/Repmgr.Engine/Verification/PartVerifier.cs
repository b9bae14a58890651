using Npgsql;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Verification;
using Repmgr.Engine.Cloning.Direct;

namespace Repmgr.Engine.Verification;

/// <summary>What one connection does with some files. Nothing is written; what differs is judged.</summary>
internal sealed class PartVerifier(VerifyWork work, NpgsqlConnection connection, CancellationToken stop)
    : PageComparison<PageSlice>(work, connection, new byte[CopyParts.Chunk], stop)
{
    private readonly VerifyWork _work = work;
    private readonly byte[] _own = new byte[work.PageBytes];
    private readonly PageJudge _judge = new(work.PageBytes);
    private readonly PageLooks _looks = new(work, connection, stop);
    private readonly HashSet<PageId> _suspects = [];

    public async Task CompareAsync(CopyRequest request)
    {
        await RunAsync(request.Parts.SelectMany(part => Stretches(part).Select(stretch => new PageSlice(part.File, stretch.Offset, stretch.Pages)))).ConfigureAwait(false);
        await _looks.LookAsync(_suspects, hasCaughtUp: false).ConfigureAwait(false);
        _suspects.Clear();
    }

    /// <summary>Looks again at pages that could not be judged.</summary>
    public async Task LookAgainAsync(OpenPages open)
    {
        await _looks.LookAsync(open.Unsettled.Pages.Select(page => new PageId(open.File, page)), hasCaughtUp: false).ConfigureAwait(false);
        await _looks.LookAsync(open.OneSided.Pages.Select(page => new PageId(open.File, page)), open.HasCaughtUp).ConfigureAwait(false);
    }

    protected override FileStream? Open(CopyFile file) => _work.Here.TryOpen(file.Path);

    protected override void Hashed(PageSlice slice, int index, ReadOnlySpan<byte> page)
    {
        PageId id = Id(slice, index);
        if (_work.ChecksHere && _work.IsDamaged(id.File, id.Page, page))
            _suspects.Add(id);
    }

    protected override void Differs(PageSlice slice, int index, FileStream? here, ReadOnlySpan<byte> theirs)
    {
        PageId id = Id(slice, index);
        int bytes = LocalFile.Read(here, _own, id.Page * _work.PageBytes);
        PageVerdict verdict = _judge.Judge(_own.AsSpan(0, bytes), theirs, _work.BlockInRelation(id.File, id.Page), _work.Settled, sourceEnd: null);
        if (verdict == PageVerdict.Differs || _work.IsDamaged(id.File, id.Page, theirs))
            _suspects.Add(id);
        else if (verdict == PageVerdict.Unsettled && !_suspects.Contains(id))
            _work.Tally.Add(id.File, id.Page, tally => tally.Unsettled);
        else if (verdict == PageVerdict.OneSided)
            _work.Tally.Add(id.File, id.Page, tally => tally.OneSided);
    }

    // The server removes files as tables are dropped: a page of nothing.
    protected override void IsGone(PageSlice slice, int index, FileStream? here) => Differs(slice, index, here, []);

    protected override void End(PageSlice slice) => _work.Meter.Add((long)slice.Pages * _work.PageBytes);

    private PageId Id(PageSlice slice, int index) => new(slice.File, (slice.Offset / _work.PageBytes) + index);
}

/// <summary>Pages of a file that could not be judged yet.</summary>
/// <param name="File">The file.</param>
/// <param name="Unsettled">One side may have yet to write or to replay them.</param>
/// <param name="OneSided">They are on one side only.</param>
/// <param name="HasCaughtUp">Twice since they were first seen, the side that is behind has replayed what the other had.</param>
internal sealed record OpenPages(CopyFile File, PageRanges Unsettled, PageRanges OneSided, bool HasCaughtUp);
