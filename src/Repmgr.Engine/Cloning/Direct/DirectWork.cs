using System.Collections.Concurrent;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>A page on the source that its checksum does not fit.</summary>
/// <param name="Path">The file.</param>
/// <param name="Block">The page's number within the file.</param>
internal readonly record struct DamagedPage(string Path, long Block);

/// <summary>What all connections of one copy work with.</summary>
internal sealed class DirectWork(string directory, FileList? whole, SourceIdentity source, Lsn start, bool verify, RateLimit limit, CopyMeter meter)
    : SourceWork(source, limit, meter)
{
    // Stretches of a file that were written are given to the disk in pieces of this size.
    private const long WrittenOut = 8 << 20;

    private readonly ConcurrentDictionary<string, Lock> _turns = new();

    public CopiedFiles Copied { get; } = new(directory, whole);

    public ConcurrentQueue<DamagedPage> Damaged { get; } = new();

    /// <summary>The same source, for files whose bytes do not count among those of the cluster.</summary>
    public DirectWork ForWal(string directory, CopyMeter meter) => new(directory, whole: null, Source, start, verify: false, Limit, meter);

    public string Local(CopyFile file) => Path.Combine(directory, file.Path);

    /// <summary>A part is copied.</summary>
    public void Add(FilePart part, CopiedPart copied)
    {
        if (Copied.Add(part, copied))
            _turns.TryRemove(part.File.Path, out _);
    }

    /// <summary>Opens the copy of a file, or begins one.</summary>
    public FileStream Open(CopyFile file) => new(Local(file), new FileStreamOptions
    {
        Mode = FileMode.OpenOrCreate,
        Access = FileAccess.ReadWrite,
        Share = FileShare.ReadWrite | FileShare.Delete,
        BufferSize = 0,
        UnixCreateMode = file.Path.EndsWith(".key", StringComparison.Ordinal) ? UnixFileMode.UserRead | UnixFileMode.UserWrite : Source.FileMode,
    });

    /// <summary>Writes into the copy of a file, at which others may be too, and has the disk begin with what is complete.</summary>
    public void Write(CopyFile file, FileStream copy, ReadOnlySpan<byte> content, long offset)
    {
        if (CopyParts.Count(file) == 1)
        {
            RandomAccess.Write(copy.SafeFileHandle, content, offset);
        }
        else
        {
            // The file system has one lock for this, at which it spins.
            lock (_turns.GetOrAdd(file.Path, _ => new Lock()))
                RandomAccess.Write(copy.SafeFileHandle, content, offset);
        }

        long end = (offset + content.Length) / WrittenOut * WrittenOut;
        if (end > offset)
            NativeFile.BeginToWriteOut(copy.SafeFileHandle, end - WrittenOut, WrittenOut);
    }

    /// <summary>
    /// Whether a page is damaged for all that can be seen. One that was changed after the backup began does not matter: recovery
    /// writes it anew. One that was read while the server wrote it is torn, and sound when it is read again.
    /// </summary>
    /// <param name="file">The file it is from.</param>
    /// <param name="block">Its number within the file.</param>
    /// <param name="page">Its content.</param>
    public bool IsSuspect(CopyFile file, long block, ReadOnlySpan<byte> page) =>
        verify && Source.HasChecksums && file.Relation is { } relation && page.Length == PageBytes
        && PageChecksum.Check(page, (uint)((relation.Segment * (long)Source.SegmentPages) + block)) == PageState.Damaged
        && PageChecksum.LastChange(page) < start;
}
