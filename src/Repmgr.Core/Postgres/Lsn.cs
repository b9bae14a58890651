using System.Globalization;

namespace Repmgr.Core.Postgres;

/// <summary>A write-ahead-log position, in bytes from the start of the log.</summary>
/// <remarks>Written as <c>X/X</c>: https://www.postgresql.org/docs/current/datatype-pg-lsn.html</remarks>
public readonly record struct Lsn(ulong Bytes) : IComparable<Lsn>
{
    public static Lsn Zero => default;

    public static Lsn Max(Lsn left, Lsn right) => left.Bytes >= right.Bytes ? left : right;

    /// <summary>Bytes from <paramref name="right"/> to <paramref name="left"/>; negative when left lies before right.</summary>
    public static long operator -(Lsn left, Lsn right) => unchecked((long)(left.Bytes - right.Bytes));

    public static bool operator <(Lsn left, Lsn right) => left.Bytes < right.Bytes;

    public static bool operator >(Lsn left, Lsn right) => left.Bytes > right.Bytes;

    public static bool operator <=(Lsn left, Lsn right) => left.Bytes <= right.Bytes;

    public static bool operator >=(Lsn left, Lsn right) => left.Bytes >= right.Bytes;

    public int CompareTo(Lsn other) => Bytes.CompareTo(other.Bytes);

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Bytes >> 32:X}/{Bytes & 0xFFFF_FFFF:X}");

    /// <summary>Reads <c>X/X</c>: two hexadecimal numbers of at most eight digits each.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Lsn lsn)
    {
        lsn = default;
        int slash = text.IndexOf('/');
        if (slash is < 1 or > 8 || text.Length - slash is < 2 or > 9)
            return false;

        if (!uint.TryParse(text[..slash], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint high)
            || !uint.TryParse(text[(slash + 1)..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint low))
            return false;

        lsn = new Lsn(((ulong)high << 32) | low);
        return true;
    }
}
