using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Cloning;

/// <summary>What <c>backup_label</c> says of where recovery of a copy begins.</summary>
/// <param name="Start">Position of the backup's checkpoint record's REDO point.</param>
/// <param name="Timeline">The timeline it was taken on.</param>
public sealed partial record BackupLabel(Lsn Start, uint Timeline)
{
    /// <summary>Where the backup begins that this one, an incremental, is built on; null for a full one.</summary>
    public Lsn? IncrementalFrom { get; init; }

    /// <summary>Reads the text that <c>pg_backup_stop</c> returns; null when it is not one.</summary>
    public static BackupLabel? TryRead(string text)
    {
        Match start = StartLine().Match(text);
        Match timeline = TimelineLine().Match(text);
        return start.Success && Lsn.TryParse(start.Groups[1].Value, out Lsn lsn) && timeline.Success
            && uint.TryParse(timeline.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out uint number)
            ? new BackupLabel(lsn, number) { IncrementalFrom = Lsn.TryParse(IncrementalLine().Match(text).Groups[1].Value, out Lsn from) ? from : null }
            : null;
    }

    [GeneratedRegex(@"^START WAL LOCATION: ([0-9A-F]+/[0-9A-F]+) \(file [0-9A-F]{24}\)", RegexOptions.Multiline)]
    private static partial Regex StartLine();

    // Written by build_backup_content() in src/backend/access/transam/xlogbackup.c since PostgreSQL 17.
    [GeneratedRegex("^INCREMENTAL FROM LSN: ([0-9A-F]+/[0-9A-F]+)$", RegexOptions.Multiline)]
    private static partial Regex IncrementalLine();

    [GeneratedRegex("^START TIMELINE: ([0-9]+)", RegexOptions.Multiline)]
    private static partial Regex TimelineLine();
}

/// <summary>Names of files in <c>pg_wal</c>.</summary>
public static class WalFiles
{
    /// <summary>The segments that hold every byte from start to end, both included, oldest first.</summary>
    /// <remarks>
    /// A position on a segment's first byte as the end means that nothing of that segment is needed; like the server's
    /// XLByteToPrevSeg, the last one is the segment before it.
    /// https://www.postgresql.org/docs/current/wal-internals.html
    /// </remarks>
    public static IReadOnlyList<string> Segments(uint timeline, Lsn start, Lsn end, long segmentBytes)
    {
        ulong size = (ulong)segmentBytes;
        ulong first = start.Bytes / size;
        ulong last = Math.Max(first, (end.Bytes - 1) / size);
        var names = new List<string>();
        for (ulong number = first; number <= last; number++)
            names.Add(Segment(timeline, number, size));
        return names;
    }

    /// <summary>As much of a segment's beginning as says whose it is.</summary>
    public const int HeaderBytes = 32;

    /// <summary>Whether a segment is of this cluster and begins at this position.</summary>
    /// <remarks>XLogLongPageHeaderData in src/include/access/xlog_internal.h, in the byte order of the machine.</remarks>
    public static bool Begins(ReadOnlySpan<byte> header, ulong systemIdentifier, Lsn start) =>
        MemoryMarshal.Read<ulong>(header[8..]) == start.Bytes && MemoryMarshal.Read<ulong>(header[24..]) == systemIdentifier;

    /// <summary>The history file of a timeline; the first has none.</summary>
    public static string? History(uint timeline) =>
        timeline > 1 ? string.Create(CultureInfo.InvariantCulture, $"{timeline:X8}.history") : null;

    private static string Segment(uint timeline, ulong number, ulong size)
    {
        ulong perLog = 0x1_0000_0000UL / size;
        return string.Create(CultureInfo.InvariantCulture, $"{timeline:X8}{number / perLog:X8}{number % perLog:X8}");
    }
}
