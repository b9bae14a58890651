using System.Buffers.Binary;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Postgres;

/// <summary>The expected numbers come from another implementation, which finds the checksums that servers of 15 and 19 had stored.</summary>
public sealed class PageChecksumTests
{
    private static readonly byte[] Page = [.. Enumerable.Range(0, 8192).Select(i => (byte)((i * 7) + (i / 256 * 13) + 3))];

    [Theory]
    [InlineData(0U, 19978)]
    [InlineData(1U, 19979)]
    [InlineData(0x12345U, 12624)]
    public void The_checksum_is_that_of_postgresql(uint block, int expected)
    {
        Assert.Equal(expected, PageChecksum.Compute(Page, block));
        byte[] stored = Stored(Page, (ushort)expected);
        Assert.Equal(expected, PageChecksum.Compute(stored, block));
        Assert.Equal(PageState.Sound, PageChecksum.Check(stored, block));
        Assert.Equal(PageState.Damaged, PageChecksum.Check(stored, block + 1));
    }

    // Sixteen bits of checksum let one change in 65536 pass, so of as many flipped bits a few.
    [Fact]
    public void A_flipped_bit_is_found_as_surely_as_sixteen_bits_allow()
    {
        byte[] page = Stored(Page, PageChecksum.Compute(Page, 0));
        int missed = 0;
        for (int bit = 0; bit < page.Length * 8; bit++)
        {
            page[bit / 8] ^= (byte)(1 << (bit % 8));
            missed += PageChecksum.Check(page, 0) == PageState.Damaged ? 0 : 1;
            page[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.InRange(missed, 0, 4);
    }

    [Fact]
    public void A_new_page_is_all_zero()
    {
        byte[] page = new byte[8192];
        Assert.Equal(PageState.New, PageChecksum.Check(page, 0));
        page[8191] = 1;
        Assert.Equal(PageState.Damaged, PageChecksum.Check(page, 0));
    }

    [Fact]
    public void The_last_change_is_two_words_the_high_one_first()
    {
        byte[] page = new byte[8192];
        MachineUInt32(page, 0x1);
        MachineUInt32(page.AsSpan(4), 0xF000_0028);
        Assert.Equal(new Lsn(0x1_F000_0028), PageChecksum.LastChange(page));
    }

    [Theory]
    [InlineData("", 0U)]
    [InlineData("a", 0xC1D0_4330U)]
    [InlineData("123456789", 0xE306_9283U)]
    [InlineData("The quick brown fox jumps over the lazy dog", 0x2262_0404U)]
    public void Crc32c_is_castagnoli_s(string text, uint expected) => Assert.Equal(expected, Crc32C.Of(System.Text.Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Crc32c_is_the_same_in_whatever_pieces()
    {
        for (int cut = 0; cut <= 64; cut++)
            Assert.Equal(Crc32C.Of(Page.AsSpan(0, 64)), Crc32C.End(Crc32C.Append(Crc32C.Append(Crc32C.Start, Page.AsSpan(0, cut)), Page.AsSpan(cut, 64 - cut))));
    }

    private static byte[] Stored(byte[] page, ushort checksum)
    {
        byte[] copy = [.. page];
        if (BitConverter.IsLittleEndian)
            BinaryPrimitives.WriteUInt16LittleEndian(copy.AsSpan(8), checksum);
        else
            BinaryPrimitives.WriteUInt16BigEndian(copy.AsSpan(8), checksum);
        return copy;
    }

    private static void MachineUInt32(Span<byte> at, uint value) => BitConverter.TryWriteBytes(at, value);
}
