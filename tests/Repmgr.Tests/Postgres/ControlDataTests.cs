using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Tests.Postgres;

public class ControlDataTests
{
    private const string Standby = """
        pg_control version number:            1300
        Catalog version number:               202307071
        Database system identifier:           7711609978924671884
        Database cluster state:               shut down in recovery
        pg_control last modified:             Tue Nov 24 05:45:15 2026
        Latest checkpoint location:           0/15CEAB8
        Latest checkpoint's REDO location:    0/15CEA80
        Latest checkpoint's REDO WAL file:    000000010000000000000001
        Latest checkpoint's TimeLineID:       2
        Latest checkpoint's PrevTimeLineID:   1
        Minimum recovery ending location:     1/15CEAB8
        Min recovery ending loc's timeline:   3
        Backup start location:                0/0
        wal_log_hints setting:                on
        Bytes per WAL segment:                16777216
        Data page checksum version:           1
        """;

    [Fact]
    public void Reads_what_pg_controldata_prints()
    {
        Assert.True(ControlData.TryParse(Standby, out ControlData? data, out _));
        Assert.Equal(
            new ControlData(
                7711609978924671884,
                DatabaseState.ShutDownInRecovery,
                new Lsn(0x15CEAB8),
                new Lsn(0x15CEA80),
                2,
                new Lsn(0x1_015CEAB8),
                3,
                Lsn.Zero,
                DataChecksums: true,
                WalLogHints: true,
                16777216,
                1300,
                202307071),
            data);
        Assert.True(data!.IsShutDownCleanly);
    }

    [Fact]
    public void A_standby_ends_at_its_minimum_recovery_point_and_a_primary_at_its_checkpoint()
    {
        Assert.True(ControlData.TryParse(Standby, out ControlData? data, out _));
        Assert.Equal((3, new Lsn(0x1_015CEAB8)), data!.End);
        Assert.Equal((2, new Lsn(0x15CEAB8)), (data with { MinimumRecoveryEnd = Lsn.Zero, MinimumRecoveryTimeline = 0 }).End);
    }

    [Theory]
    [InlineData("Database cluster state")]
    [InlineData("Min recovery ending loc's timeline")]
    [InlineData("wal_log_hints setting")]
    public void Names_the_line_that_is_missing(string label)
    {
        string without = string.Join('\n', Standby.Split('\n').Where(line => !line.StartsWith(label, StringComparison.Ordinal)));
        Assert.False(ControlData.TryParse(without, out _, out Problem? problem));
        Assert.Contains(label, problem!.Detail);
    }
}
