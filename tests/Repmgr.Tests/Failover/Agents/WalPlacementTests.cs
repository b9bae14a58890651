using Repmgr.Core.Postgres;
using Repmgr.Engine.Failover;

namespace Repmgr.Tests.Failover.Agents;

/// <summary>Fetched WAL comes into place without gaps (docs/adr/0109).</summary>
public sealed class WalPlacementTests : IDisposable
{
    private const string History = "00000002.history";

    private static readonly string[] InOrder =
        [History, "000000010000000000000003", "000000020000000000000003", "000000020000000000000004", "0000000200000000000000FF", "000000020000000100000000"];

    private readonly string _directory = Directory.CreateTempSubdirectory("repmgr-wal").FullName;

    public WalPlacementTests()
    {
        Directory.CreateDirectory(Staging);
        Directory.CreateDirectory(Wal);
        foreach (string name in InOrder)
            File.WriteAllText(Path.Combine(Staging, name), name);
    }

    private string Staging => Path.Combine(_directory, "staging");

    private string Wal => Path.Combine(_directory, "pg_wal");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void What_is_fetched_is_put_in_place_and_takes_the_place_of_what_was_there()
    {
        File.WriteAllText(Path.Combine(Wal, InOrder[2]), "half of it");
        WalPlacement.Place(Staging, Wal);
        Assert.Equal(InOrder.Order(StringComparer.Ordinal), Names());
        Assert.All(InOrder, name => Assert.Equal(name, File.ReadAllText(Path.Combine(Wal, name))));
    }

    [Fact]
    public void Whichever_file_cannot_be_placed_none_that_comes_after_it_is_there()
    {
        for (int broken = 0; broken < InOrder.Length; broken++)
        {
            Directory.Delete(Wal, recursive: true);
            Directory.CreateDirectory(Path.Combine(Wal, InOrder[broken]));
            Assert.ThrowsAny<Exception>(() => WalPlacement.Place(Staging, Wal));
            Assert.Equal(InOrder[..broken].Order(StringComparer.Ordinal), Names());
        }
    }

    [Fact]
    public void A_segment_is_asked_for_under_the_timeline_that_recovery_reads_it_from()
    {
        const ulong Size = 16 * 1024 * 1024;
        var history = new TimelineHistory(5, [new(1, new Lsn((3 * Size) + 100)), new(2, new Lsn((3 * Size) + 200)), new(4, new Lsn(7 * Size))]);
        Assert.Equal([1, 1, 1, 4, 4, 4, 4, 5, 5], Enumerable.Range(0, 9).Select(segment => history.OfSegment((ulong)segment, Size)));
        Assert.Equal(1, TimelineHistory.First.OfSegment(9, Size));
    }

    [Fact]
    public void Commits_are_counted_from_the_table_of_pg_waldump()
    {
        const string Table =
            """
            WAL statistics between 0/3000000 and 0/3000A00:
            Type                                           N      (%)          Record size      (%)             FPI size      (%)        Combined size      (%)
            ----                                           -      ---          -----------      ---             --------      ---        -------------      ---
            Transaction/COMMIT                            12 ( 50.00)                  408 ( 30.00)                    0 (  0.00)                  408 ( 10.00)
            Transaction/COMMIT_PREPARED                    1 ( 50.00)                  408 ( 30.00)                    0 (  0.00)                  408 ( 10.00)
            Total                                         24                          1360 [ 40.00%]                2040 [ 60.00%]                 3400 [100%]
            """;
        Assert.Equal(12, LostWal.Count(Table));
        Assert.Equal(0, LostWal.Count(Table.Replace("Transaction/COMMIT ", "Transaction/ABORT ", StringComparison.Ordinal)));
        Assert.Null(LostWal.Count("pg_waldump: error: could not find a valid record after 0/3000000"));
    }

    private IEnumerable<string> Names() => Directory.GetFiles(Wal).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal);
}
