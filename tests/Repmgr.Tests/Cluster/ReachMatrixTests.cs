using Repmgr.Cli.Commands;
using Repmgr.Cli.Output;
using Repmgr.Core.Cluster;
using static Repmgr.Tests.Cluster.World;

namespace Repmgr.Tests.Cluster;

/// <summary>Who can connect to whom, put together from what nodes say.</summary>
public sealed class ReachMatrixTests
{
    private static readonly NodeRecord[] Three = [Record(1, NodeType.Primary), Record(2, NodeType.Standby, 1), Record(3, NodeType.Standby, 1)];

    private static readonly ReachRow FromOne = Row(1, null, null, "no answer within 2 s");

    [Fact]
    public void The_table_and_the_csv_are_those_of_repmgr_5()
    {
        ReachMatrix matrix = new(Three, [FromOne, Row(2, null, null, null)]);
        using var written = new StringWriter { NewLine = "\n" };
        ClusterMatrixText.Table(matrix).Write(written);
        Assert.Equal(
            """
             Name  | ID | 1 | 2 | 3
            -------+----+---+---+---
             node1 | 1  | * | * | x
             node2 | 2  | * | * | *
             node3 | 3  | ? | ? | ?

            """.ReplaceLineEndings("\n"),
            written.ToString());
        Assert.Equal(["1,1,0", "1,2,0", "1,3,-1", "2,1,0", "2,2,0", "2,3,0", "3,1,-2", "3,2,-2", "3,3,-2"], matrix.Csv);
        Assert.Equal(["node \"node1\" (ID: 1) cannot connect to node \"node3\" (ID: 3): no answer within 2 s"], matrix.Failures);
        Assert.True(matrix is { HasFailures: true, HasGaps: true });
    }

    // Of any two answers on one pair, over all there can be: what is known beats what is not, and having connected beats having failed.
    [Fact]
    public void The_best_that_any_node_knows_counts()
    {
        foreach (Reach one in Enum.GetValues<Reach>())
        {
            foreach (Reach other in Enum.GetValues<Reach>())
            {
                ReachMatrix matrix = new(Three, [.. Saying(one), .. Saying(other)]);
                Assert.Equal((Reach)Math.Min((int)one, (int)other), matrix.Of(new NodeId(2), new NodeId(3)));
            }
        }

        static IEnumerable<ReachRow> Saying(Reach reach) => reach == Reach.Unknown ? [] : [new ReachRow(new NodeId(2), [new ReachedNode(new NodeId(3), reach == Reach.Failed ? "refused" : null)])];
    }

    [Fact]
    public void What_is_printed_as_csv_is_read_back()
    {
        ReachMatrix matrix = new(Three, [FromOne, Row(2, null, "refused", null)]);
        ReachMatrix read = new(Three, ReachMatrix.Parse(string.Join("\r\n", matrix.Csv) + "\n"));
        Assert.Equal(matrix.Pairs.Select(pair => pair.Reach), read.Pairs.Select(pair => pair.Reach));
        // Over ssh no reason comes along.
        Assert.Equal("node \"node1\" (ID: 1) cannot connect to node \"node3\" (ID: 3)", read.Failures[0]);
    }

    [Fact]
    public void What_cluster_show_prints_on_a_node_is_a_row_and_what_else_a_login_prints_is_not()
    {
        ReachRow row = ReachMatrix.ParseShown(new NodeId(2), "Welcome, 1,2\n1,0,0\n2,0,1\n3,-1,-1\n4,7,0\n\n")!;
        Assert.Equal([(1, true), (2, true), (3, false)], row.To.Select(reached => (reached.Node.Value, reached.Failure is null)));
        Assert.Null(ReachMatrix.ParseShown(new NodeId(2), "bash: repmgr: command not found\n"));
        Assert.Empty(ReachMatrix.Parse("last login: today\n1,2,-2\n"));
    }

    [Fact]
    public void As_json_each_pair_is_named()
    {
        ReachMatrix matrix = new([.. Three.Take(2)], [Row(1, null, "refused")]);
        Golden.Matches("tests/Repmgr.Tests/Cluster/cluster-matrix.json", JsonText.Of(ClusterMatrixJson.Of(matrix, matrix.Failures), ClusterMatrixJsonContext.Default.ClusterMatrixJson, indented: true) + "\n");
    }

    private static ReachRow Row(int from, params string?[] failures) =>
        new(new NodeId(from), [.. failures.Select((failure, index) => new ReachedNode(new NodeId(index + 1), failure))]);
}
