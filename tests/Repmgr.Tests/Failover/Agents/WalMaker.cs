using Repmgr.Core.Postgres;
using Repmgr.Core.Postgres.Wal;

namespace Repmgr.Tests.Failover.Agents;

/// <summary>Writes WAL as PostgreSQL lays it out, into memory: CopyXLogRecordToWAL() in src/backend/access/transam/xlog.c.</summary>
internal sealed class WalMaker(ulong segmentBytes, Lsn begin) : IWalPages
{
    private readonly Dictionary<ulong, byte[]> _pages = [];
    private ulong _at = begin.Bytes;
    private ulong _previous;

    public ulong SegmentBytes => segmentBytes;

    /// <summary>Where the last record ends.</summary>
    public Lsn End { get; private set; } = begin;

    public bool TryRead(Lsn start, Span<byte> page)
    {
        if (!_pages.TryGetValue(start.Bytes, out byte[]? there))
            return false;
        there.CopyTo(page);
        return true;
    }

    /// <returns>Where the record begins.</returns>
    public Lsn Append(int length, byte manager = 10, byte info = 0)
    {
        byte[] record = new byte[length];
        new Random(length).NextBytes(record);
        BitConverter.TryWriteBytes(record, length);
        BitConverter.TryWriteBytes(record.AsSpan(8), _previous);
        record[16] = info;
        record[17] = manager;
        uint crc = Crc32C.Append(Crc32C.Append(Crc32C.Start, record.AsSpan(24)), record.AsSpan(0, 20));
        BitConverter.TryWriteBytes(record.AsSpan(20), Crc32C.End(crc));

        ulong from = 0;
        for (int index = 0; index < length; index++)
        {
            if (_at % WalPageHeader.PageBytes == 0)
                BeginPage(remaining: index == 0 ? 0 : (uint)(length - index));
            if (index == 0)
                from = _at;
            PageAt(_at)[_at % WalPageHeader.PageBytes] = record[index];
            _at++;
        }

        _previous = from;
        _at = (_at + 7) / 8 * 8;
        if (manager == 0 && (info & 0xF0) == 0x40)
        {
            // The rest of the segment is filled with pages that hold nothing.
            while (_at % segmentBytes != 0)
            {
                _at = (_at / WalPageHeader.PageBytes * WalPageHeader.PageBytes) + WalPageHeader.PageBytes;
                if (_at % segmentBytes != 0)
                    BeginPage(0, advances: false);
            }
        }

        End = new Lsn(_at);
        return new Lsn(from);
    }

    public void Damage(Lsn position) => PageAt(position.Bytes)[position.Bytes % WalPageHeader.PageBytes] ^= 0xFF;

    private byte[] PageAt(ulong position) => _pages[position / WalPageHeader.PageBytes * WalPageHeader.PageBytes];

    private void BeginPage(uint remaining, bool advances = true)
    {
        byte[] page = new byte[WalPageHeader.PageBytes];
        bool isFirst = _at % segmentBytes == 0;
        BitConverter.TryWriteBytes(page, (ushort)0xD110);
        BitConverter.TryWriteBytes(page.AsSpan(2), (ushort)((remaining > 0 ? 1 : 0) | (isFirst ? 2 : 0)));
        BitConverter.TryWriteBytes(page.AsSpan(4), 1);
        BitConverter.TryWriteBytes(page.AsSpan(8), _at);
        BitConverter.TryWriteBytes(page.AsSpan(16), remaining);
        if (isFirst)
        {
            BitConverter.TryWriteBytes(page.AsSpan(32), (uint)segmentBytes);
            BitConverter.TryWriteBytes(page.AsSpan(36), (uint)WalPageHeader.PageBytes);
        }

        _pages[_at] = page;
        if (advances)
            _at += isFirst ? 40UL : 24UL;
    }
}
