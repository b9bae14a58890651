using Repmgr.Core.Cloning.Direct;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Puts any number of files in order, in little memory: runs that fit are sorted there, kept on disk, and then read side by side.</summary>
/// <param name="path">Where the disk's part is made, if there is need of it.</param>
/// <param name="order">The order.</param>
/// <param name="run">How many are sorted in memory.</param>
internal sealed class SortedFiles(string path, Comparison<ListedFile> order, int run = 1 << 14) : IDisposable
{
    private readonly FileList _disk = new(path);
    private readonly List<(long From, long To)> _runs = [];
    private readonly List<ListedFile> _last = [];

    public long Count { get; private set; }

    /// <summary>Of all files together.</summary>
    public long Bytes { get; private set; }

    /// <exception cref="FileListException">There is no room for it.</exception>
    public void Add(ListedFile file)
    {
        if (_last.Count == run)
            WriteRun();
        _last.Add(file);
        Count++;
        Bytes += file.Bytes;
    }

    /// <summary>All of them, in order.</summary>
    public IEnumerable<ListedFile> InOrder()
    {
        _last.Sort(order);
        return _runs.Count == 0 ? _last : Merge([.. _runs.Select(place => _disk.Read(place.From, place.To).Select(entry => entry.File)), _last]);
    }

    public void Clear()
    {
        _disk.Clear();
        _runs.Clear();
        _last.Clear();
        (Count, Bytes) = (0, 0);
    }

    public void Dispose() => _disk.Dispose();

    private void WriteRun()
    {
        _last.Sort(order);
        long from = _disk.End;
        foreach (ListedFile file in _last)
            _disk.Add(file);
        _runs.Add((from, _disk.End));
        _last.Clear();
    }

    private IEnumerable<ListedFile> Merge(IReadOnlyList<IEnumerable<ListedFile>> runs)
    {
        var next = new PriorityQueue<IEnumerator<ListedFile>, ListedFile>(Comparer<ListedFile>.Create(order));
        try
        {
            foreach (IEnumerator<ListedFile> begins in runs.Select(begins => begins.GetEnumerator()).Where(begins => begins.MoveNext()))
                next.Enqueue(begins, begins.Current);
            while (next.TryPeek(out IEnumerator<ListedFile>? first, out ListedFile file))
            {
                yield return file;
                if (first.MoveNext())
                    next.DequeueEnqueue(first, first.Current);
                else
                    next.Dequeue().Dispose();
            }
        }
        finally
        {
            foreach ((IEnumerator<ListedFile> rest, _) in next.UnorderedItems)
                rest.Dispose();
        }
    }
}
