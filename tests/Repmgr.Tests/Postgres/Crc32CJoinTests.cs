using CsCheck;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Postgres;

public sealed class Crc32CJoinTests
{
    [Fact]
    public void The_sum_of_pieces_is_the_sum_of_the_whole() => Gen.Select(Gen.Byte.Array[0, 300], Gen.Byte.Array[0, 300]).Sample((one, two) =>
        Crc32C.Of([.. one, .. two]) == Crc32CJoin.Join(Crc32C.Of(one), Crc32C.Of(two), two.Length));

    [Fact]
    public void Nothing_at_all_sums_up_to_zero()
    {
        Assert.Equal(0u, Crc32C.Of([]));
        Assert.Equal(Crc32C.Of([1, 2, 3]), Crc32CJoin.Join(0, Crc32C.Of([1, 2, 3]), 3));
    }
}
