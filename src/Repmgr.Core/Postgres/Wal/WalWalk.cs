namespace Repmgr.Core.Postgres.Wal;

/// <summary>
/// Walks the records of a write-ahead log as recovery does, checking each one's CRC and that it follows the one before it, and says where
/// the valid ones end.
/// </summary>
/// <remarks>
/// XLogReadRecord() and ValidXLogRecord() in src/backend/access/transam/xlogreader.c. Recovery ends at the first record that is not valid;
/// what lies behind it counts for nothing, whatever it looks like.
/// </remarks>
public sealed class WalWalk(IWalPages pages)
{
    private const int HeaderLength = 24, CrcAt = 20;

    /// <summary>A record is at most 1 GB; xlogreader.c refuses longer ones (XLogRecordMaxSize).</summary>
    private const uint LongestRecord = 1020 * 1024 * 1024;

    private const byte XlogManager = 0, SwitchInfo = 0x40;

    private readonly byte[] _page = new byte[WalPageHeader.PageBytes];
    private Lsn? _loaded;
    private byte[] _record = new byte[WalPageHeader.PageBytes];

    /// <summary>Where the last valid record ends, seen from a place that is known to lie within valid WAL.</summary>
    /// <param name="known">Up to here the WAL is known to be valid.</param>
    /// <returns>Null when no record could be read there, so that nothing can be said.</returns>
    public Lsn? EndFrom(Lsn known)
    {
        _loaded = null;
        ulong size = pages.SegmentBytes;
        ulong segment = known.Bytes / size * size;
        // Where a segment holds no beginning of a record, one before it does: the last record may just have filled it, or fill it whole.
        for (int back = 0; back < 4; back++)
        {
            if (EndInFrom(new Lsn(segment)) is { } end)
                return end;
            if (segment < size)
                break;
            segment -= size;
        }

        return null;
    }

    private Lsn? EndInFrom(Lsn page)
    {
        if (FirstRecordAfter(page) is not { } position)
            return null;
        Lsn? end = null, before = null;
        while (Read(position, before) is { } record)
        {
            if (record.Length > 0)
                (end, before) = (record.Next, position);
            else
                before = null;
            position = record.Next;
        }

        return end;
    }

    /// <summary>Where the first record begins on or after a page that may begin within one.</summary>
    private Lsn? FirstRecordAfter(Lsn page)
    {
        while (Load(page) is { } header)
        {
            ulong end = (ulong)header.Length + (header.IsContinued ? Aligned(header.Remaining) : 0);
            if (end < WalPageHeader.PageBytes)
                return new Lsn(page.Bytes + end);
            page = new Lsn(page.Bytes + WalPageHeader.PageBytes);
        }

        return null;
    }

    /// <summary>The record at a position: its length, and where the next one begins. Length 0: a broken one that is to be skipped.</summary>
    private (uint Length, Lsn Next)? Read(Lsn position, Lsn? before)
    {
        Lsn pageStart = PageOf(position);
        if (Load(pageStart) is not { } header)
            return null;
        int offset = (int)(position.Bytes - pageStart.Bytes);
        if (offset == 0)
        {
            if (header.IsContinued)
                return null;
            offset = header.Length;
            position = new Lsn(pageStart.Bytes + (ulong)offset);
        }

        uint length = BitConverter.ToUInt32(_page.AsSpan(offset));
        if (length is < HeaderLength or > LongestRecord)
            return null;
        if (_record.Length < length)
            _record = new byte[Math.Max(length, (uint)_record.Length * 2)];

        uint taken = Math.Min(length, (uint)(WalPageHeader.PageBytes - offset));
        _page.AsSpan(offset, (int)taken).CopyTo(_record);
        ulong next = position.Bytes + Aligned(length);
        // A header that says nonsense is not followed over a gigabyte of pages.
        if (taken >= HeaderLength && !IsPlausible(position, before))
            return null;
        while (taken < length)
        {
            pageStart = new Lsn(pageStart.Bytes + WalPageHeader.PageBytes);
            if (Load(pageStart) is not { } more)
                return null;
            if (more.OverwritesBroken)
                return (0, new Lsn(pageStart.Bytes + (ulong)more.Length));
            uint left = length - taken;
            if (!more.IsContinued || more.Remaining != left)
                return null;
            uint part = Math.Min(left, (uint)(WalPageHeader.PageBytes - more.Length));
            _page.AsSpan(more.Length, (int)part).CopyTo(_record.AsSpan((int)taken));
            taken += part;
            next = pageStart.Bytes + (ulong)more.Length + Aligned(part);
        }

        if (!IsPlausible(position, before) || !HasItsCrc(length))
            return null;
        bool isSwitch = _record[17] == XlogManager && (_record[16] & 0xF0) == SwitchInfo;
        ulong size = pages.SegmentBytes;
        return (length, new Lsn(isSwitch ? (next + size - 1) / size * size : next));
    }

    private bool IsPlausible(Lsn position, Lsn? before)
    {
        var previous = new Lsn(BitConverter.ToUInt64(_record.AsSpan(8)));
        return before is { } expected ? previous == Unheadered(expected) : previous < position;
    }

    // xl_prev names the record's own first byte, behind the header where it is the first of a page.
    private Lsn Unheadered(Lsn position)
    {
        if (position.Bytes % WalPageHeader.PageBytes != 0)
            return position;
        int header = position.Bytes % pages.SegmentBytes == 0 ? 40 : 24;
        return new Lsn(position.Bytes + (ulong)header);
    }

    private bool HasItsCrc(uint length)
    {
        uint crc = Crc32C.Append(Crc32C.Start, _record.AsSpan(HeaderLength, (int)length - HeaderLength));
        crc = Crc32C.Append(crc, _record.AsSpan(0, CrcAt));
        return Crc32C.End(crc) == BitConverter.ToUInt32(_record.AsSpan(CrcAt));
    }

    private WalPageHeader? Load(Lsn start)
    {
        if (_loaded != start)
        {
            _loaded = null;
            if (!pages.TryRead(start, _page))
                return null;
            _loaded = start;
        }

        return WalPageHeader.Read(_page, start);
    }

    private static Lsn PageOf(Lsn position) => new(position.Bytes / WalPageHeader.PageBytes * WalPageHeader.PageBytes);

    private static ulong Aligned(uint bytes) => (bytes + 7UL) & ~7UL;
}
