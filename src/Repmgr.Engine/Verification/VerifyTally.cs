using System.Collections.Concurrent;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Verification;

namespace Repmgr.Engine.Verification;

/// <summary>What was seen of one file's pages.</summary>
internal sealed class FileTally
{
    public PageRanges Differs { get; } = new();

    public PageRanges DamagedHere { get; } = new();

    public PageRanges DamagedOnSource { get; } = new();

    public PageRanges Unsettled { get; private set; } = new();

    public PageRanges OneSided { get; private set; } = new();

    public bool IsOpen => !Unsettled.IsEmpty || !OneSided.IsEmpty;

    /// <summary>Takes out what is to be looked at again.</summary>
    public (PageRanges Unsettled, PageRanges OneSided) TakeOpen()
    {
        (PageRanges, PageRanges) open = (Unsettled, OneSided);
        (Unsettled, OneSided) = (new PageRanges(), new PageRanges());
        return open;
    }
}

/// <summary>Gathers what the connections see.</summary>
internal sealed class VerifyTally
{
    private readonly ConcurrentDictionary<string, (CopyFile File, FileTally Tally)> _files = new();

    public IReadOnlyList<(CopyFile File, FileTally Tally)> Files => [.. _files.Values.OrderBy(entry => entry.File.Path, StringComparer.Ordinal)];

    public void Add(CopyFile file, long page, Func<FileTally, PageRanges> to)
    {
        FileTally tally = _files.GetOrAdd(file.Path, _ => (file, new FileTally())).Tally;
        lock (tally)
            to(tally).Add(page);
    }
}
