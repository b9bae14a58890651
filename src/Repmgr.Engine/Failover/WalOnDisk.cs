using System.Globalization;
using Microsoft.Win32.SafeHandles;
using Repmgr.Core.Postgres;
using Repmgr.Core.Postgres.Wal;
using Repmgr.Engine.Hosts;

namespace Repmgr.Engine.Failover;

/// <summary>The WAL of a server as it lies in <c>pg_wal</c>: of each segment the file of the newest timeline, as recovery reads it.</summary>
/// <param name="directories">Where to look, the first that has a file counts.</param>
/// <param name="segmentBytes"><c>wal_segment_size</c>.</param>
/// <param name="timelines">The newest first.</param>
internal sealed class WalOnDisk(IReadOnlyList<string> directories, ulong segmentBytes, IReadOnlyList<int> timelines) : IWalPages, IDisposable
{
    private SafeFileHandle? _file;
    private ulong _segment = ulong.MaxValue;

    public ulong SegmentBytes => segmentBytes;

    public IReadOnlyList<int> Timelines => timelines;

    /// <summary>Opens the WAL of a data directory; null when it holds none.</summary>
    /// <param name="dataDirectory">The server's.</param>
    /// <param name="overlay">A directory with files that are to take the place of those in <c>pg_wal</c>; null: none.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static WalOnDisk? Open(string dataDirectory, string? overlay = null)
    {
        string wal = Path.Combine(dataDirectory, "pg_wal");
        string[] places = overlay is null ? [wal] : [overlay, wal];
        int newest = 0;
        string? any = null;
        foreach (string path in places.SelectMany(Directory.EnumerateFiles))
        {
            string name = Path.GetFileName(path);
            if (name.Length != 24 || !int.TryParse(name.AsSpan(0, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int timeline))
                continue;
            // Of files that were kept for use the name says less than the first page.
            if (timeline > newest && SegmentBytesOf(path) is not null)
                (newest, any) = (timeline, path);
        }

        return any is not null && SegmentBytesOf(any) is { } size ? new WalOnDisk(places, size, Lineage(places, newest)) : null;
    }

    /// <summary>Where the valid WAL of a server ends, at the last complete record; null when that cannot be told.</summary>
    /// <param name="dataDirectory">The server's.</param>
    /// <param name="known">Up to here it is known to be valid; null: as the control file says.</param>
    /// <param name="binaries">Its programs.</param>
    public static async Task<Lsn?> EndAsync(string dataDirectory, Lsn? known, PostgresBinaries binaries, CancellationToken cancel)
    {
        if (known is null)
        {
            (ControlData? control, _) = await ControlFile.ReadAsync(binaries, dataDirectory, cancel);
            if (control is null)
                return null;
            known = control.End.Position;
        }

        try
        {
            using WalOnDisk? wal = Open(dataDirectory);
            return wal is null ? null : new WalWalk(wal).EndFrom(known.Value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public bool TryRead(Lsn start, Span<byte> page)
    {
        ulong segment = start.Bytes / segmentBytes;
        if (segment != _segment)
        {
            _file?.Dispose();
            _file = Find(segment);
            _segment = segment;
        }

        return _file is not null && RandomAccess.Read(_file, page, (long)(start.Bytes % segmentBytes)) == page.Length;
    }

    public void Dispose() => _file?.Dispose();

    private SafeFileHandle? Find(ulong segment)
    {
        foreach (int timeline in timelines)
        {
            string name = new WalFileName(timeline, segment).Text(segmentBytes);
            foreach (string directory in directories)
            {
                string path = Path.Combine(directory, name);
                if (File.Exists(path))
                    return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            }
        }

        return null;
    }

    private static ulong? SegmentBytesOf(string path)
    {
        Span<byte> page = stackalloc byte[64];
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return RandomAccess.Read(file, page, 0) == page.Length && page[1] == 0xD1 ? WalPageHeader.SegmentBytes(page) : null;
    }

    private static List<int> Lineage(string[] directories, int newest)
    {
        string? path = directories.Select(directory => Path.Combine(directory, WalFileName.History(newest))).FirstOrDefault(File.Exists);
        List<int> timelines = [newest];
        if (path is not null && TimelineHistory.TryParse(newest, File.ReadAllText(path), out TimelineHistory history))
            timelines.AddRange(history.Ancestors.Select(ancestor => ancestor.Timeline).Reverse());
        return timelines;
    }
}
