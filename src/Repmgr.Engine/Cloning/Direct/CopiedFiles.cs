using System.Collections.Concurrent;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>What came of one part of a file.</summary>
/// <param name="Bytes">How much of it there was; null: the file is gone on the source.</param>
/// <param name="Crc">CRC-32C of that.</param>
internal readonly record struct CopiedPart(long? Bytes, uint Crc);

/// <summary>Gathers the parts, and ends each file when it has all of them.</summary>
/// <param name="directory">The data directory.</param>
/// <param name="whole">Takes the files that are whole, with the CRC-32C of their contents; null: nobody asks for them.</param>
internal sealed class CopiedFiles(string directory, FileList? whole)
{
    private readonly ConcurrentDictionary<string, Gathering> _open = new();
    private readonly Lock _turn = new();

    /// <summary>Files that are whole.</summary>
    public long Count { get; private set; }

    /// <summary>Of all of them together.</summary>
    public long Bytes { get; private set; }

    /// <returns>Whether it was the file's last.</returns>
    public bool Add(FilePart part, CopiedPart copied)
    {
        Gathering gathering = _open.GetOrAdd(part.File.Path, _ => new Gathering(CopyParts.Count(part.File)));
        if (!gathering.Add(part.Index, copied))
            return false;
        _open.TryRemove(part.File.Path, out _);
        End(part.File, gathering.Parts);
        return true;
    }

    // A file that was cut off while it was copied ends here where its first gap is. What lies beyond was cut off there, or written
    // anew since; either way WAL from after the start of the backup tells of it, and recovery makes it.
    private void End(CopyFile file, CopiedPart[] parts)
    {
        string path = Path.Combine(directory, file.Path);
        if (parts.Any(part => part.Bytes is null))
        {
            File.Delete(path);
            return;
        }

        long bytes = 0;
        uint crc = 0;
        foreach (CopiedPart part in parts)
        {
            crc = Crc32CJoin.Join(crc, part.Crc, part.Bytes!.Value);
            bytes += part.Bytes.Value;
            if (part.Bytes < CopyParts.Longest)
                break;
        }

        using FileStream local = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        if (local.Length != bytes)
            local.SetLength(bytes);
        lock (_turn)
        {
            whole?.Add(new ListedFile(file.Path, bytes), crc);
            Count++;
            Bytes += bytes;
        }
    }

    private sealed class Gathering(int count)
    {
        private int _missing = count;

        public CopiedPart[] Parts { get; } = new CopiedPart[count];

        /// <summary>True for the one that completes it.</summary>
        public bool Add(int index, CopiedPart copied)
        {
            Parts[index] = copied;
            return Interlocked.Decrement(ref _missing) == 0;
        }
    }
}
