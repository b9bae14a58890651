using Repmgr.Core.Cloning.Direct;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>What of a data directory, there or here, a base backup would contain.</summary>
/// <param name="rule">Decides that.</param>
/// <param name="path">Where the list of files is kept that does not fit into memory.</param>
internal sealed class ListedTree(CopyList rule, string path) : IDisposable
{
    private readonly SortedFiles _files = new(path, ListedFile.ByRelation);
    private readonly List<string> _directories = [];

    /// <summary>In an order in which they can be made. There are as many as databases, whatever these hold.</summary>
    public IEnumerable<string> Directories => _directories.Order(StringComparer.Ordinal);

    /// <summary>In the order <see cref="ListedFile.ByRelation"/>.</summary>
    public IEnumerable<ListedFile> Files => CopyList.Lasting(_files.InOrder());

    public void Add(SourceEntry entry)
    {
        if (!rule.Contains(entry.Path))
            return;
        if (entry.IsDirectory)
            _directories.Add(entry.Path);
        else
            _files.Add(new ListedFile(entry.Path, entry.Bytes));
    }

    public void Clear()
    {
        _directories.Clear();
        _files.Clear();
    }

    public void Dispose() => _files.Dispose();
}
