using CsCheck;
using Repmgr.Core.Postgres;
using Repmgr.Core.Postgres.Wal;

namespace Repmgr.Tests.Failover.Agents;

public sealed class WalWalkTests
{
    private const ulong Segment = 65536;
    private static readonly Lsn Begin = new(Segment * 5);

    [Fact]
    public void The_walk_ends_where_the_last_record_ends_wherever_it_is_begun() => Gen.Int[24, 40000].Array[1, 30].Sample(lengths =>
    {
        var wal = new WalMaker(Segment, Begin);
        List<Lsn> known = [];
        foreach (int length in lengths)
            known.Add(wal.Append(length));
        foreach (Lsn from in (Lsn[])[.. known, wal.End])
            Assert.Equal(wal.End, new WalWalk(wal).EndFrom(from));
    });

    [Fact]
    public void It_ends_before_a_record_that_is_damaged_whatever_lies_behind() =>
        Gen.Select(Gen.Int[24, 20000].Array[3, 20], Gen.Int[0, int.MaxValue], Gen.Int[0, int.MaxValue]).Sample((lengths, which, where) =>
        {
            var wal = new WalMaker(Segment, Begin);
            List<(Lsn From, Lsn To)> records = [];
            foreach (int length in lengths)
                records.Add((wal.Append(length), wal.End));
            int damaged = 1 + (which % (records.Count - 1));
            // The first bytes of a record, which lie on one page whatever follows.
            wal.Damage(new Lsn(records[damaged].From.Bytes + (ulong)(where % 4)));
            Assert.Equal(records[damaged - 1].To, new WalWalk(wal).EndFrom(records[0].To));
        });

    [Fact]
    public void A_record_that_switches_the_segment_ends_with_it()
    {
        var wal = new WalMaker(Segment, Begin);
        wal.Append(100);
        wal.Append(24, manager: 0, info: 0x40);
        Assert.Equal(new Lsn(Begin.Bytes + Segment), wal.End);
        Assert.Equal(wal.End, new WalWalk(wal).EndFrom(Begin));
        wal.Append(3000);
        Assert.Equal(wal.End, new WalWalk(wal).EndFrom(Begin));
    }

    [Fact]
    public void Where_there_is_no_wal_nothing_is_said()
    {
        Assert.Null(new WalWalk(new WalMaker(Segment, Begin)).EndFrom(Begin));
        var wal = new WalMaker(Segment, Begin);
        wal.Append(100);
        Assert.Null(new WalWalk(wal).EndFrom(new Lsn(Segment * 50)));
    }

    [Theory]
    [InlineData(1, 5UL, 16777216UL, "000000010000000000000005")]
    [InlineData(17, 256UL, 16777216UL, "000000110000000100000000")]
    [InlineData(2, 4UL, 1073741824UL, "000000020000000100000000")]
    public void Names_of_segments_are_those_of_PostgreSQL(int timeline, ulong segment, ulong bytes, string name)
    {
        Assert.Equal(name, new WalFileName(timeline, segment).Text(bytes));
        Assert.True(WalFileName.TryParse(name, bytes, out WalFileName read));
        Assert.Equal(new WalFileName(timeline, segment), read);
        Assert.False(WalFileName.TryParse("00000002.history", bytes, out _));
    }
}
