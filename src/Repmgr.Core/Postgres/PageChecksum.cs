using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Repmgr.Core.Postgres;

/// <summary>What the bytes of a page say of themselves.</summary>
public enum PageState
{
    /// <summary>Nothing but zeros: the file was extended, and the page has not been written yet.</summary>
    New,

    /// <summary>The stored checksum is the computed one.</summary>
    Sound,

    /// <summary>
    /// It is not, or the header is that of a new page but the page is not all zero. The server would refuse to read it:
    /// PageIsVerified in src/backend/storage/page/bufpage.c.
    /// </summary>
    Damaged,
}

/// <summary>The checksum of a page of a relation, in a cluster that has data checksums on.</summary>
/// <remarks>
/// 32 FNV-1a sums side by side, one for each 32-bit column of the page, folded into one: src/include/storage/checksum_impl.h.
/// Numbers are in the byte order of the machine, as all of a data directory is.
/// </remarks>
public static class PageChecksum
{
    private const int Sums = 32;
    private const int RowBytes = Sums * sizeof(uint);
    private const uint Prime = 16777619;

    // PageHeaderData in src/include/storage/bufpage.h: pd_lsn (two words, the high one first), pd_checksum, pd_flags, pd_lower, pd_upper.
    private const int ChecksumAt = 8;
    private const int UpperAt = 14;

    private static ReadOnlySpan<uint> Offsets =>
    [
        0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
        0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
        0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
        0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756,
    ];

    /// <summary>Compares what a page carries with what it should carry.</summary>
    /// <param name="page">A whole page: 8192 bytes unless the server was built with another block size.</param>
    /// <param name="block">Its number within the relation, which goes on over the relation's segment files.</param>
    public static PageState Check(ReadOnlySpan<byte> page, uint block) =>
        IsNew(page) ? page.ContainsAnyExcept((byte)0) ? PageState.Damaged : PageState.New
        : Stored(page) == Compute(page, block) ? PageState.Sound
        : PageState.Damaged;

    /// <summary>The position of the last change of this page (<c>pd_lsn</c>).</summary>
    /// <remarks>
    /// A page read while the server wrote it is torn, and its checksum wrong. When this lies after the start of the backup, recovery
    /// writes the whole page anew. Of a torn page this field may be the old or the new one, so one that is damaged and older is read again.
    /// </remarks>
    public static Lsn LastChange(ReadOnlySpan<byte> page) =>
        new(((ulong)MemoryMarshal.Read<uint>(page) << 32) | MemoryMarshal.Read<uint>(page[sizeof(uint)..]));

    /// <summary>Whether the header is that of a page nobody has written to: <c>pd_upper</c> is zero.</summary>
    public static bool IsNew(ReadOnlySpan<byte> page) => MemoryMarshal.Read<ushort>(page[UpperAt..]) == 0;

    /// <summary>What the page carries in <c>pd_checksum</c>.</summary>
    public static ushort Stored(ReadOnlySpan<byte> page) => MemoryMarshal.Read<ushort>(page[ChecksumAt..]);

    /// <summary>What it should carry there; the field itself does not count.</summary>
    public static ushort Compute(ReadOnlySpan<byte> page, uint block)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(page.Length % RowBytes, 0, nameof(page));
        Span<byte> first = stackalloc byte[RowBytes];
        page[..RowBytes].CopyTo(first);
        first.Slice(ChecksumAt, sizeof(ushort)).Clear();

        Columns sums = Columns.Load(MemoryMarshal.AsBytes(Offsets));
        sums.Mix(Columns.Load(first));
        for (int at = RowBytes; at < page.Length; at += RowBytes)
            sums.Mix(Columns.Load(page.Slice(at, RowBytes)));
        sums.Mix(default);
        sums.Mix(default);
        return (ushort)(((sums.Fold() ^ block) % ushort.MaxValue) + 1);
    }

    /// <summary>The 32 columns in eight vectors: as many chains as hide the latency of the multiplication, on any processor we build for.</summary>
    private struct Columns
    {
        private Vector128<uint> _a, _b, _c, _d, _e, _f, _g, _h;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Columns Load(ReadOnlySpan<byte> row)
        {
            ref uint first = ref Unsafe.As<byte, uint>(ref MemoryMarshal.GetReference(row[..RowBytes]));
            return new Columns
            {
                _a = Vector128.LoadUnsafe(ref first, 0),
                _b = Vector128.LoadUnsafe(ref first, 4),
                _c = Vector128.LoadUnsafe(ref first, 8),
                _d = Vector128.LoadUnsafe(ref first, 12),
                _e = Vector128.LoadUnsafe(ref first, 16),
                _f = Vector128.LoadUnsafe(ref first, 20),
                _g = Vector128.LoadUnsafe(ref first, 24),
                _h = Vector128.LoadUnsafe(ref first, 28),
            };
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Mix(Columns row)
        {
            _a = Mix(_a, row._a);
            _b = Mix(_b, row._b);
            _c = Mix(_c, row._c);
            _d = Mix(_d, row._d);
            _e = Mix(_e, row._e);
            _f = Mix(_f, row._f);
            _g = Mix(_g, row._g);
            _h = Mix(_h, row._h);
        }

        public readonly uint Fold()
        {
            Vector128<uint> folded = _a ^ _b ^ _c ^ _d ^ _e ^ _f ^ _g ^ _h;
            return folded[0] ^ folded[1] ^ folded[2] ^ folded[3];
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static Vector128<uint> Mix(Vector128<uint> sum, Vector128<uint> value)
        {
            Vector128<uint> mixed = sum ^ value;
            return (mixed * Prime) ^ (mixed >>> 17);
        }
    }
}
