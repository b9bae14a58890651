namespace Repmgr.Core.Postgres.Wal;

/// <summary>The pages of a write-ahead log, wherever they lie.</summary>
public interface IWalPages
{
    /// <summary>Bytes in a segment: a power of two (<c>wal_segment_size</c>).</summary>
    ulong SegmentBytes { get; }

    /// <summary>Fills in the page that begins at a position; false when there is none.</summary>
    bool TryRead(Lsn start, Span<byte> page);
}

/// <summary>The header of a page of WAL.</summary>
/// <param name="Address">Where the page says that it begins: a recycled segment says where it began before.</param>
/// <param name="Remaining">Bytes of a record that began on an earlier page.</param>
/// <param name="Length">Bytes of the header itself.</param>
/// <param name="IsContinued">The page begins within a record.</param>
/// <param name="OverwritesBroken">The record that began on an earlier page was never completed, and is to be skipped.</param>
/// <remarks>XLogPageHeaderData and XLogLongPageHeaderData in src/include/access/xlog_internal.h.</remarks>
public readonly record struct WalPageHeader(ushort Magic, int Timeline, Lsn Address, uint Remaining, int Length, bool IsContinued, bool OverwritesBroken)
{
    /// <summary>XLOG_BLCKSZ as every distribution builds it.</summary>
    public const int PageBytes = 8192;

    private const int ShortLength = 24;
    private const int LongLength = 40;
    private const ushort FirstIsContinued = 1, IsLong = 2, FirstOverwritesBroken = 8;
    private const ushort AllFlags = 0xF;

    /// <summary>Reads the header of the page at a position; null when that is no page, or another one.</summary>
    public static WalPageHeader? Read(ReadOnlySpan<byte> page, Lsn at)
    {
        ushort flags = BitConverter.ToUInt16(page[2..]);
        var header = new WalPageHeader(
            BitConverter.ToUInt16(page),
            BitConverter.ToInt32(page[4..]),
            new Lsn(BitConverter.ToUInt64(page[8..])),
            BitConverter.ToUInt32(page[16..]),
            (flags & IsLong) != 0 ? LongLength : ShortLength,
            (flags & FirstIsContinued) != 0,
            (flags & FirstOverwritesBroken) != 0);
        return header.Magic >> 8 == 0xD1 && (flags & ~AllFlags) == 0 && header.Address == at ? header : null;
    }

    /// <summary>Bytes in a segment, as the first page of one says it; null when it does not.</summary>
    public static ulong? SegmentBytes(ReadOnlySpan<byte> page) =>
        (BitConverter.ToUInt16(page[2..]) & IsLong) != 0 && BitConverter.ToUInt32(page[32..]) is var bytes && uint.IsPow2(bytes) ? bytes : null;
}
