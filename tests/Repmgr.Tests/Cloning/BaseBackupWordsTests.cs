using Repmgr.Core.Cloning;

namespace Repmgr.Tests.Cloning;

/// <summary>What an operator wrote for pg_basebackup is read as pg_basebackup reads it.</summary>
public sealed class BaseBackupWordsTests
{
    [Theory]
    [InlineData("--max-rate=10M", "10M")]
    [InlineData("--max-rate 10M", "10M")]
    [InlineData("-r 10M", "10M")]
    [InlineData("-r10M", "10M")]
    [InlineData("-Pvr 10M", "10M")]
    [InlineData("-Pvr10M", "10M")]
    [InlineData("-r 1M --max-rate=2M", "2M")]
    [InlineData("-l -r --verbose", null)] // a label that looks like an option
    [InlineData("-U r", null)]
    public void A_value_is_found_however_it_is_written(string words, string? expected) =>
        Assert.Equal(expected, BaseBackupWords.Value(words.Split(' '), BaseBackupWords.MaxRate));

    [Theory]
    [InlineData("-X fetch", true)]
    [InlineData("-PXfetch", true)]
    [InlineData("--wal-method=fetch", true)]
    [InlineData("-l X", false)]
    [InlineData("--label --wal-method", false)]
    public void An_option_is_there_or_is_another_ones_value(string words, bool expected) =>
        Assert.Equal(expected, BaseBackupWords.Has(words.Split(' '), BaseBackupWords.WalMethod));

    [Theory]
    [InlineData("-Pv -r 10M --waldir /wal --waldir=/wal --no-verify-checksums", "-Pv")]
    [InlineData("-X fetch --no-slot extra", "-X fetch --no-slot extra")]
    [InlineData("-Z 5 -r10M", "-Z 5")]
    public void What_the_direct_method_does_not_take_is_told_with_its_value(string words, string expected) =>
        Assert.Equal(expected.Split(' '), BaseBackupWords.Unused(words.Split(' ')));
}
