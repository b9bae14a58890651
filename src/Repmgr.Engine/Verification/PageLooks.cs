using Npgsql;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;
using Repmgr.Core.Verification;
using Repmgr.Engine.Cloning.Direct;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Verification;

/// <summary>
/// Looks at single pages again. What was read while a server wrote it may be torn, and what was read first here and then there may have
/// changed in between: only what is wrong each time is wrong.
/// </summary>
internal sealed class PageLooks(VerifyWork work, NpgsqlConnection connection, CancellationToken stop)
{
    private const int Looks = 3;
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(50);

    private readonly PageJudge _judge = new(work.PageBytes);
    private readonly PageReader _reader = new(work, connection, stop);
    private readonly byte[] _page = new byte[work.PageBytes];
    private readonly GarbageLimit _garbage = new();

    /// <summary>Looks at them until nothing is wrong with any, or it stays wrong.</summary>
    /// <param name="pages">The pages.</param>
    /// <param name="hasCaughtUp">All has been replayed that was there when they were seen on one side only: then they should be on both.</param>
    public async Task LookAsync(IEnumerable<PageId> pages, bool hasCaughtUp)
    {
        foreach (PageId[] batch in pages.Chunk(PageReader.Most))
        {
            await LookAsync(batch, hasCaughtUp).ConfigureAwait(false);
            _garbage.Hold(); // a table that was changed throughout is one file to be looked at
        }
    }

    private async Task LookAsync(PageId[] batch, bool hasCaughtUp)
    {
        List<(PageId Page, PageFault Fault)> wrong = [.. batch.Select(page => (page, PageFault.None))];
        for (int look = 0; look < Looks && wrong.Count > 0; look++)
        {
            if (look > 0)
                await Task.Delay(Between, stop).ConfigureAwait(false);
            wrong = await LookOnceAsync([.. wrong.Select(entry => entry.Page)], hasCaughtUp).ConfigureAwait(false);
        }

        foreach ((PageId page, PageFault fault) in wrong)
        {
            if (fault.HasFlag(PageFault.DamagedHere))
                work.Tally.Add(page.File, page.Page, tally => tally.DamagedHere);
            if (fault.HasFlag(PageFault.DamagedOnSource))
                work.Tally.Add(page.File, page.Page, tally => tally.DamagedOnSource);
            if (fault == PageFault.Differs)
                work.Tally.Add(page.File, page.Page, tally => tally.Differs);
        }
    }

    private async Task<List<(PageId Page, PageFault Fault)>> LookOnceAsync(PageId[] pages, bool hasCaughtUp)
    {
        IReadOnlyList<byte[]> theirs = await _reader.ReadAsync(pages).ConfigureAwait(false);
        List<byte[]> ours = [.. pages.Select(ReadHere)];
        // After ours were read: what is in them later than this was never written there.
        Lsn? end = work.Settled.SourceLeads ? await VerifySource.EndAsync(connection).ConfigureAwait(false) : null;
        var wrong = new List<(PageId, PageFault)>();
        for (int at = 0; at < pages.Length; at++)
        {
            PageFault fault = Judge(pages[at], ours[at], theirs[at], end, hasCaughtUp);
            if (fault != PageFault.None)
                wrong.Add((pages[at], fault));
        }

        return wrong;
    }

    private PageFault Judge(PageId id, ReadOnlySpan<byte> here, ReadOnlySpan<byte> there, Lsn? end, bool hasCaughtUp)
    {
        (CopyFile file, long page) = id;
        PageFault damage = (work.ChecksHere && work.IsDamaged(file, page, here) ? PageFault.DamagedHere : PageFault.None)
            | (work.IsDamaged(file, page, there) ? PageFault.DamagedOnSource : PageFault.None);
        if (damage != PageFault.None)
            return damage;

        switch (_judge.Judge(here, there, work.BlockInRelation(file, page), work.Settled, end))
        {
            case PageVerdict.Differs:
            case PageVerdict.OneSided when hasCaughtUp:
                return PageFault.Differs;
            case PageVerdict.Unsettled:
                work.Tally.Add(file, page, tally => tally.Unsettled);
                return PageFault.None;
            case PageVerdict.OneSided:
                work.Tally.Add(file, page, tally => tally.OneSided);
                return PageFault.None;
            default:
                return PageFault.None;
        }
    }

    private byte[] ReadHere(PageId page)
    {
        using FileStream? file = work.Here.TryOpen(page.File.Path);
        return _page[..LocalFile.Read(file, _page, page.Page * work.PageBytes)];
    }

    [Flags]
    private enum PageFault
    {
        None = 0,
        Differs = 1,
        DamagedHere = 2,
        DamagedOnSource = 4,
    }
}
