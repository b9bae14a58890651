using System.Buffers.Binary;
using System.Text;
using Repmgr.Core.Cloning.Direct;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>
/// A list of files that takes no memory: it is kept on disk, in a file that loses its name as soon as it is made. So nothing of it
/// stays, however the program ends. A short list never gets there.
/// </summary>
/// <param name="path">Where the file is made.</param>
internal sealed class FileList(string path) : IDisposable
{
    private const int BlockBytes = 16 << 10;
    private const int CrcAt = 4, BytesAt = 8, PathAt = 16; // The length of the path is at 0.

    private FileStream? _file;
    private byte[] _block = [];
    private int _filled;
    private long _written;

    /// <summary>Where the next entry will be.</summary>
    public long End => _written + _filled;

    /// <exception cref="FileListException">There is no room for it.</exception>
    public void Add(ListedFile file, uint crc = 0)
    {
        int length = Encoding.UTF8.GetByteCount(file.Path);
        if (_filled + PathAt + length > _block.Length)
            WriteOut(PathAt + length);

        Span<byte> entry = _block.AsSpan(_filled, PathAt + length);
        BinaryPrimitives.WriteInt32LittleEndian(entry, length);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[CrcAt..], crc);
        BinaryPrimitives.WriteInt64LittleEndian(entry[BytesAt..], file.Bytes);
        Encoding.UTF8.GetBytes(file.Path, entry[PathAt..]);
        _filled += entry.Length;
    }

    /// <summary>What lies between two ends that there were. Several may read at once, while nothing is added.</summary>
    public IEnumerable<(ListedFile File, uint Crc)> Read(long from, long to)
    {
        byte[] block = new byte[4096];
        while (from < to)
        {
            int filled = Read(block, from, to);
            int at = 0;
            for (int next; (next = EndOfEntry(block.AsSpan(0, filled), at)) > 0; at = next)
                yield return Entry(block.AsSpan(at, next - at));
            if (at == 0)
                block = new byte[block.Length * 2]; // for the longest of paths
            from += at;
        }
    }

    public void Clear() => (_written, _filled) = (0, 0);

    public void Dispose() => _file?.Dispose();

    /// <returns>Where the entry ends that begins there; 0 when the block has only the beginning of it.</returns>
    private static int EndOfEntry(ReadOnlySpan<byte> block, int at)
    {
        int end = block.Length - at < PathAt ? int.MaxValue : at + PathAt + BinaryPrimitives.ReadInt32LittleEndian(block[at..]);
        return end <= block.Length ? end : 0;
    }

    private static (ListedFile File, uint Crc) Entry(ReadOnlySpan<byte> entry) => (
        new ListedFile(Encoding.UTF8.GetString(entry[PathAt..]), BinaryPrimitives.ReadInt64LittleEndian(entry[BytesAt..])),
        BinaryPrimitives.ReadUInt32LittleEndian(entry[CrcAt..]));

    // What was not written out yet is still in the block.
    private int Read(Span<byte> into, long from, long to)
    {
        int wanted = (int)Math.Min(into.Length, to - from);
        int onDisk = (int)Math.Clamp(_written - from, 0, wanted);
        if (onDisk > 0 && LocalFile.Read(_file, into[..onDisk], from) < onDisk)
            throw new EndOfStreamException($"a list of files in \"{Path.GetDirectoryName(path)}\" is shorter than it was written");
        if (wanted > onDisk)
            _block.AsSpan((int)(from + onDisk - _written), wanted - onDisk).CopyTo(into[onDisk..]);
        return wanted;
    }

    private void WriteOut(int needed)
    {
        try
        {
            if (_filled > 0)
                RandomAccess.Write((_file ??= Make(path)).SafeFileHandle, _block.AsSpan(0, _filled), _written);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FileListException(e);
        }

        _written += _filled;
        _filled = 0;
        if (_block.Length < needed)
            _block = new byte[Math.Max(needed, BlockBytes)];
    }

    private static FileStream Make(string path)
    {
        File.Delete(path);
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            BufferSize = 0,
        });
        File.Delete(path);
        return file;
    }
}

/// <summary>A list of files could not be written.</summary>
internal sealed class FileListException(Exception cause) : IOException(cause.Message, cause);
