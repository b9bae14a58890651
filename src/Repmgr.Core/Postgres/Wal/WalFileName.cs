using System.Globalization;

namespace Repmgr.Core.Postgres.Wal;

/// <summary>The name of a WAL segment: timeline, and number in two halves. XLogFileName() in src/include/access/xlog_internal.h.</summary>
public readonly record struct WalFileName(int Timeline, ulong Segment)
{
    private const int Digits = 24;

    public static WalFileName Of(int timeline, Lsn position, ulong segmentBytes) => new(timeline, position.Bytes / segmentBytes);

    /// <summary>Reads a name; false for history files, backup labels, and what is no segment.</summary>
    public static bool TryParse(string name, ulong segmentBytes, out WalFileName file)
    {
        file = default;
        if (name.Length != Digits
            || !uint.TryParse(name.AsSpan(0, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint timeline)
            || !uint.TryParse(name.AsSpan(8, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint high)
            || !uint.TryParse(name.AsSpan(16, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint low))
            return false;
        file = new WalFileName((int)timeline, (high * (0x1_0000_0000UL / segmentBytes)) + low);
        return true;
    }

    public string Text(ulong segmentBytes)
    {
        ulong perHigh = 0x1_0000_0000UL / segmentBytes;
        return string.Create(CultureInfo.InvariantCulture, $"{Timeline:X8}{Segment / perHigh:X8}{Segment % perHigh:X8}");
    }

    public static string History(int timeline) => string.Create(CultureInfo.InvariantCulture, $"{timeline:X8}.history");
}
