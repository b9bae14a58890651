using Repmgr.Core.Cloning;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Verification;
using Repmgr.Tests.Cloning;

namespace Repmgr.Tests.Verification;

/// <summary>What is compared, and how it is said.</summary>
public sealed class VerifyTests
{
    [Fact]
    public void Ranges_join_whatever_order_pages_come_in()
    {
        var ranges = new PageRanges();
        foreach (long page in new long[] { 7, 8, 9, 3, 10, 4, 9 })
            ranges.Add(page);
        Assert.Equal(["3-4", "7-10"], ranges.Ordered().Select(range => range.ToString()));
        Assert.Equal([3, 4, 7, 8, 9, 10], ranges.Pages);
    }

    [Fact]
    public void Compared_are_relations_and_the_maps_of_their_files()
    {
        ListedFile[] here = [File("base/5/1"), File("base/5/1_fsm"), File("base/5/1_vm"), File("base/5/2", 1 << 20), File("base/5/3"), File("base/5/4", 0), File("pg_xact/0000"), File("postgresql.conf")];
        ListedFile[] there = [File("base/5/1"), File("base/5/2"), File("base/5/5"), File("base/5/6", 0), File("base/5/pg_filenode.map", 512), File("pg_xact/0001")];
        Array.Sort(here, ListedFile.ByRelation);
        Array.Sort(there, ListedFile.ByRelation);
        ILookup<FileSide, ListedFile> files = VerifiedFile.Of(here, there).ToLookup(file => file.Side, file => file.File);
        Assert.Equal([("base/5/1", 8192L), ("base/5/2", 1L << 20)], files[FileSide.Both].Select(file => (file.Path, file.Bytes)));
        Assert.Equal(["base/5/3"], files[FileSide.Here].Select(file => file.Path));
        Assert.Equal(["base/5/pg_filenode.map", "base/5/5"], files[FileSide.There].Select(file => file.Path));
    }

    [Theory]
    [InlineData(1, 100, 1, 100, false)]
    [InlineData(1, 90, 2, 200, false)] // left at 95
    [InlineData(1, 96, 2, 200, true)]
    [InlineData(2, 200, 1, 96, true)] // it is the source that went on
    [InlineData(2, 200, 1, 90, false)]
    public void Whoever_has_gone_past_the_fork_has_diverged(int here, ulong at, int there, ulong thereAt, bool diverged)
    {
        Assert.Equal(diverged, Divergence.Of(History(here, at), History(there, thereAt)) is not null);

        static CopyHistory History(int timeline, ulong settled) => new(
            timeline, new Lsn(settled), timeline == 1 ? TimelineHistory.First : new TimelineHistory(2, [new TimelineHistory.Ancestor(1, new Lsn(95))]));
    }

    [Fact]
    public void Two_that_were_promoted_apart_have_diverged_and_an_unknown_history_says_nothing()
    {
        CopyHistory here = new(2, new Lsn(10), new TimelineHistory(2, [new TimelineHistory.Ancestor(1, new Lsn(95))]));
        CopyHistory there = new(2, new Lsn(10), new TimelineHistory(2, [new TimelineHistory.Ancestor(1, new Lsn(96))]));
        Assert.Contains("promoted apart", Divergence.Of(here, there), StringComparison.Ordinal);
        Assert.Null(Divergence.Of(here with { Timeline = 3, History = null }, there));
    }

    [Fact]
    public void A_finding_is_a_line_and_the_verdict_counts()
    {
        FileFinding[] findings =
        [
            new("base/5/16400", FileFault.Differs, [new PageRange(7, 7), new PageRange(9, 12)]) { Database = "shop", Relation = "public.orders" },
            new("base/5/16401", FileFault.MissingHere, []) { Database = "shop" },
            new("global/1262", FileFault.DamagedHere, [new PageRange(0, 0)]),
        ];
        Assert.Equal(
            ["base/5/16400 (public.orders in shop): 5 pages differ: blocks 7, 9-12", "base/5/16401 (in shop): missing here", "global/1262: 1 page here is damaged: block 0"],
            findings.Select(VerifyText.Line));
        Problem verdict = VerifyText.Verdict(Result(findings), "node1")!;
        Assert.Equal("the data here is not that of node1", verdict.Message);
        Assert.Equal("5 pages differ, 1 file is missing here, 1 page here is damaged.", verdict.Detail);
        Assert.Null(VerifyText.Verdict(Result([]), "node1"));
        Assert.Contains("do not clone from it", VerifyText.Verdict(Result([findings[2] with { Fault = FileFault.DamagedOnSource }]), "node1")!.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void What_could_not_be_judged_is_said_and_no_finding()
    {
        VerifyResult result = Result([]) with { Unsettled = [new UnsettledFile("base/5/16400", 3), new UnsettledFile("base/5/16401", 0)], CaughtUp = true };
        Assert.True(result.IsSame);
        Assert.Equal("3 pages and 1 file could not be judged", VerifyText.Rest(result)!.Message);
        Assert.Contains("run CHECKPOINT on the source, then here", VerifyText.Rest(result)!.Hint, StringComparison.Ordinal);
        Assert.Null(VerifyText.Rest(Result([])));
    }

    [Fact]
    public void Only_copies_of_the_same_cluster_are_compared()
    {
        Assert.Empty(Problems(CloneWorld.OldCopy));
        Assert.Contains("different clusters", Assert.Single(Problems(new TargetContent.Cluster(15, 1, null))).Message, StringComparison.Ordinal);
        Assert.Contains("another major version", Assert.Single(Problems(new TargetContent.Cluster(14, CloneWorld.System, null))).Message, StringComparison.Ordinal);
        Assert.Contains("unfinished clone", Assert.Single(Problems(new TargetContent.Unfinished(new UnfinishedClone(CloneWorld.System, 15, CloneMethod.Direct, []), false))).Message, StringComparison.Ordinal);
        Assert.Contains("no PostgreSQL cluster", Assert.Single(Problems(new TargetContent.Empty())).Message, StringComparison.Ordinal);
        CloneSource narrow = CloneWorld.Source with { Rights = CloneWorld.Source.Rights with { Superuser = false, MissingFileFunctions = CloneRights.FileFunctions } };
        Assert.Contains("GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint, boolean) TO \"repmgr\";", Assert.Single(Problems(CloneWorld.OldCopy, narrow)).Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("base/5/16400.2", 5u, 0u, 16400u)]
    [InlineData("pg_tblspc/77/PG_15_202209061/5/16401", 5u, 77u, 16401u)]
    [InlineData("global/1262", null, 1664u, 1262u)]
    public void A_path_says_where_the_catalogs_have_it(string path, uint? database, uint tablespace, uint number) =>
        Assert.Equal(new RelationPlace(database, tablespace, number), RelationPlace.TryRead(path));

    private static IReadOnlyList<Problem> Problems(TargetContent content, CloneSource? source = null) =>
        VerifyChecks.Of("/data", content, source ?? CloneWorld.Source, "node1", "repmgr", null);

    private static ListedFile File(string path, long bytes = 8192) => new(path, bytes);

    private static VerifyResult Result(IReadOnlyList<FileFinding> findings) => new()
    {
        Findings = findings,
        Unsettled = [],
        Files = 1,
        BytesCompared = 8192,
        BytesMoved = 0,
        Jobs = 1,
        Duration = TimeSpan.FromSeconds(1),
        SettledHere = new Lsn(1),
        SettledOnSource = new Lsn(2),
        CaughtUp = false,
    };
}
