using System.Runtime.InteropServices;

namespace Repmgr.Tests.Verification;

/// <summary>Makes pages as PostgreSQL lays them out.</summary>
internal static class PageWorld
{
    public const int Bytes = 8192;

    /// <summary>A page with one item of 40 bytes: a tuple of a table.</summary>
    /// <param name="lsn">Of its last change.</param>
    /// <param name="special">Bytes of its special space; 0 for a table.</param>
    public static byte[] Of(ulong lsn, int special = 0)
    {
        var page = new byte[Bytes];
        Write(page, 0, (uint)(lsn >> 32));
        Write(page, 4, (uint)lsn);
        int upper = Bytes - special - 40;
        U16(page, 12, 28);
        U16(page, 14, upper);
        U16(page, 16, Bytes - special);
        U16(page, 18, Bytes | 4);
        Write(page, 24, (uint)upper | (1u << 15) | (36u << 17)); // LP_NORMAL, 36 bytes
        page.AsSpan(upper, 36).Fill(0x11);
        return page;
    }

    /// <summary>Changes a byte.</summary>
    public static byte[] With(this byte[] page, int at, byte value)
    {
        byte[] changed = [.. page];
        changed[at] = value;
        return changed;
    }

    public static byte[] WithU16(this byte[] page, int at, int value)
    {
        byte[] changed = [.. page];
        U16(changed, at, value);
        return changed;
    }

    private static void U16(byte[] page, int at, int value) => MemoryMarshal.Write(page.AsSpan(at), (ushort)value);

    private static void Write(byte[] page, int at, uint value) => MemoryMarshal.Write(page.AsSpan(at), value);
}
