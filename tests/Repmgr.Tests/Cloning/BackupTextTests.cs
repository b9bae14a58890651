using System.Buffers.Binary;
using System.Numerics;
using Repmgr.Core.Cloning;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Cloning;

public sealed class BackupTextTests
{
    [Fact]
    public void A_backup_label_says_where_recovery_starts()
    {
        const string Text = "START WAL LOCATION: 1/5000028 (file 000000030000000100000005)\nCHECKPOINT LOCATION: 1/5000060\n"
            + "BACKUP METHOD: streamed\nBACKUP FROM: standby\nSTART TIME: 2026-01-01 00:00:00 UTC\nLABEL: x\nSTART TIMELINE: 3\n";
        Assert.Equal(new BackupLabel(new Lsn(0x1_0500_0028), 3), BackupLabel.TryRead(Text));
        Assert.Null(BackupLabel.TryRead("nothing of the kind"));
    }

    [Theory]
    [InlineData(0x0000_0028UL, 0x0000_0138UL, 1)]
    [InlineData(0x0000_0028UL, 0x0100_0000UL, 1)]
    [InlineData(0x0000_0028UL, 0x0100_0001UL, 2)]
    [InlineData(0xFF00_0028UL, 0x1_0000_0028UL, 2)]
    public void Segments_hold_every_byte_from_start_to_stop(ulong start, ulong stop, int count) =>
        Assert.Equal(count, WalFiles.Segments(1, new Lsn(start), new Lsn(stop), 16 << 20).Count);

    [Fact]
    public void A_segment_is_named_as_the_server_names_it()
    {
        Assert.Equal(["0000000200000000000000FF", "000000020000000100000000"], WalFiles.Segments(2, new Lsn(0xFF00_0028), new Lsn(0x1_0000_0028), 16 << 20));
        Assert.Equal(["000000010000000000000003"], WalFiles.Segments(1, new Lsn(0xC000_0028), new Lsn(0xC000_0029), 1 << 30));
        Assert.Equal("0000000A.history", WalFiles.History(10));
        Assert.Null(WalFiles.History(1));
    }

    [Fact]
    public void A_tablespace_map_reads_back_whatever_the_path()
    {
        const string Odd = "/ts/with space\\and \nline";
        string? text = TablespaceMap.Write(
            [new TablespaceView(1, "a", "/ts/a", 0), new TablespaceView(2, "in place", "pg_tblspc/2", 0)], _ => Odd);
        Assert.Equal("1 /ts/with space\\\\and \\\nline\n", text);
        Assert.Equal(Odd, TablespaceMap.Read(text!)[1]);
        Assert.Null(TablespaceMap.Write([], path => path));
    }

    [Fact]
    public void Listings_and_progress_of_rsync_are_read()
    {
        const string Listing = "drwx------           4,096 2026/11/24 05:51:43 .\n-rw-------       1,048,576 2026/11/24 05:51:42 base/1/odd name\n"
            + "lrwxrwxrwx              16 2026/11/24 05:51:42 pg_tblspc/1 -> /ts\n-rw-------               0 2026/11/24 05:51:42 x\n";
        Assert.Equal([new SourceFile("base/1/odd name", 1048576), new SourceFile("x", 0)], RsyncListing.Read(Listing));
        Assert.Equal(1393264, RsyncListing.ProgressBytes("      1,393,264   0%   22.14MB/s    0:00:00 (xfr#3, to-chk=1208/1217)"));
        Assert.Equal(72, RsyncListing.ReceivedBytes("sent 8 bytes  received 72 bytes  10.67 bytes/sec"));
        Assert.Null(RsyncListing.ProgressBytes("total size is 0  speedup is 0.00"));
    }

    [Fact]
    public void A_torn_control_file_is_told_from_a_whole_one()
    {
        byte[] file = new byte[8192];
        new Random(1).NextBytes(file.AsSpan(0, 288));
        uint crc = uint.MaxValue;
        foreach (byte value in file.AsSpan(0, 288))
            crc = BitOperations.Crc32C(crc, value);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(288), ~crc);
        Assert.True(ControlFileCheck.IsWhole(file));
        for (int at = 0; at < 288; at++)
        {
            byte[] torn = [.. file];
            torn[at] ^= 1;
            Assert.False(ControlFileCheck.IsWhole(torn));
        }

        Assert.False(ControlFileCheck.IsWhole([]));
    }
}
