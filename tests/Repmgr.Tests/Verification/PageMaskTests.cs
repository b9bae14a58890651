using Repmgr.Core.Verification;

namespace Repmgr.Tests.Verification;

/// <summary>What a primary and its standby need not agree on, and what they must.</summary>
public sealed class PageMaskTests
{
    private const int Tuple = PageWorld.Bytes - 40;

    [Theory]
    [InlineData(0)] // position
    [InlineData(8)] // checksum
    [InlineData(10)] // PD_HAS_FREE_LINES and its fellows
    [InlineData(20)] // pd_prune_xid
    [InlineData(100)] // the hole
    [InlineData(Tuple + 8)] // command id
    [InlineData(Tuple + 21)] // hint bits
    [InlineData(Tuple + 37)] // padding
    public void What_is_not_in_the_wal_does_not_count(int at) => Assert.True(Same(PageWorld.Of(1), PageWorld.Of(1).With(at, 5)));

    [Theory]
    [InlineData(18)] // page size and version
    [InlineData(24)] // item
    [InlineData(Tuple)] // xmin
    [InlineData(Tuple + 16)] // position within the table
    [InlineData(Tuple + 18)] // t_infomask2
    [InlineData(Tuple + 30)] // content
    public void Everything_else_of_a_table_does(int at) => Assert.False(Same(PageWorld.Of(1), PageWorld.Of(1).With(at, 5)));

    [Fact]
    public void Of_a_frozen_tuple_only_hints_about_its_end_are_left_out()
    {
        byte[] frozen = PageWorld.Of(1).WithU16(Tuple + 20, 0x300);
        Assert.True(Same(frozen, PageWorld.Of(1).WithU16(Tuple + 20, 0xB00)));
        Assert.False(Same(frozen, PageWorld.Of(1).WithU16(Tuple + 20, 0x100)));
    }

    [Fact]
    public void A_speculative_insertion_has_a_token_that_replay_does_not_know() =>
        Assert.True(Same(PageWorld.Of(1).WithU16(Tuple + 12, 9).WithU16(Tuple + 14, 9).WithU16(Tuple + 16, 0xFFFE), PageWorld.Of(1).WithU16(Tuple + 12, 0).WithU16(Tuple + 14, 3).WithU16(Tuple + 16, 1), block: 3));

    [Theory]
    [InlineData(16, 12, 1, 14, 3)] // B-tree leaf: vacuum cycle
    [InlineData(16, 12, 1, 12, 1 | 64)] // B-tree leaf: BTP_HAS_GARBAGE
    [InlineData(16, 12, 2, 12, 2 | 32)] // B-tree: BTP_SPLIT_END
    public void Hints_of_a_b_tree_do_not_count(int special, int flagsAt, int flags, int changedAt, int changed)
    {
        byte[] page = PageWorld.Of(1, special).WithU16(PageWorld.Bytes - special + flagsAt, flags);
        Assert.True(Same(page, page.WithU16(PageWorld.Bytes - special + changedAt, changed)));
    }

    [Theory]
    [InlineData(0xFF80, 2)] // hash bucket
    [InlineData(0xFF81, 1)] // GiST leaf
    [InlineData(3, 1)] // B-tree leaf
    public void Dead_items_of_leaves_are_hints(int id, int flags)
    {
        byte[] page = PageWorld.Of(1, 16).WithU16(PageWorld.Bytes - 4, flags).WithU16(PageWorld.Bytes - 2, id);
        byte[] dead = page.With(25, (byte)(page[25] | 0x80)).With(26, (byte)(page[26] | 1)); // LP_DEAD
        Assert.True(Same(page, dead));
        Assert.False(Same(page, page.With(PageWorld.Bytes - 30, 9)));
    }

    [Theory]
    [InlineData(8, 4, 6)] // GIN_DELETED
    [InlineData(16, 4, 12)] // BTP_DELETED
    public void What_a_deleted_page_still_holds_does_not_count(int special, int flags, int flagsAt)
    {
        byte[] page = PageWorld.Of(1, special).WithU16(PageWorld.Bytes - special + flagsAt, flags);
        Assert.True(Same(page, page.With(PageWorld.Bytes - special - 20, 9).WithU16(12, 24).WithU16(14, PageWorld.Bytes - special)));
    }

    [Fact]
    public void A_sequence_is_ahead_on_the_standby()
    {
        byte[] page = PageWorld.Of(1, 8).WithU16(PageWorld.Bytes - 8, 0x1717);
        Assert.True(Same(page, page.With(PageWorld.Bytes - 20, 9)));
        Assert.False(Same(page, page.With(PageWorld.Bytes - 20, 9), block: 1));
    }

    [Fact]
    public void The_first_page_of_an_spgist_index_remembers_what_was_used_last() =>
        Assert.True(Same(SpGist(flags: 1), SpGist(flags: 1).With(PageWorld.Bytes - 20, 9)) && !Same(SpGist(flags: 4), SpGist(flags: 4).With(PageWorld.Bytes - 20, 9)));

    [Fact]
    public void What_an_spgist_page_without_items_had_before_does_not_count() =>
        Assert.True(Same(SpGist(flags: 4).WithU16(12, 24), SpGist(flags: 4).WithU16(12, 24).With(3000, 9)));

    [Fact]
    public void A_header_that_makes_no_sense_leaves_all_that_follows_to_be_compared()
    {
        byte[] broken = PageWorld.Of(1).WithU16(12, 60_000);
        Assert.True(Same(broken, broken.With(8, 9)));
        Assert.False(Same(broken, broken.With(100, 9)));
    }

    private static byte[] SpGist(int flags) => PageWorld.Of(1, 8).WithU16(PageWorld.Bytes - 8, flags).WithU16(PageWorld.Bytes - 2, 0xFF82);

    private static bool Same(byte[] one, byte[] other, uint block = 0)
    {
        byte[] left = [.. one], right = [.. other];
        Assert.False(left.SequenceEqual(right));
        PageMask.Apply(left, block);
        PageMask.Apply(right, block);
        return left.SequenceEqual(right);
    }
}
