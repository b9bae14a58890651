using System.Text;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using static Repmgr.Tests.Cluster.World;

namespace Repmgr.Tests.Cluster;

public sealed class ClusterReportTests
{
    private static readonly (string Name, NodeProbe Probe)[] Probes =
    [
        ("writable", Writable()),
        ("in recovery", InRecovery()),
        ("refuses us", Rejected()),
        ("starting up", Rejected("57P03")),
        ("silent", Silent),
    ];

    // Every registered type, active or not, against everything that can be seen: what repmgr 5.3 prints, observed from its program.
    [Fact]
    public void The_status_of_every_registered_and_seen_state()
    {
        StringBuilder table = new();
        foreach (NodeType type in Enum.GetValues<NodeType>())
        {
            foreach (bool active in (bool[])[true, false])
            {
                foreach ((string name, NodeProbe probe) in Probes)
                {
                    string status = ClusterReport.Of(See(new NodeView(Record(1, type, active: active), probe))).Nodes[0].Status;
                    table.AppendLine($"{type,-7} {(active ? "active  " : "inactive")} {name,-11} |{status}|");
                }
            }
        }

        Assert.Equal(
            """
            Primary active   writable    |* running|
            Primary active   in recovery |! running as standby|
            Primary active   refuses us  |? running|
            Primary active   starting up |? unreachable|
            Primary active   silent      |? unreachable|
            Primary inactive writable    |! running|
            Primary inactive in recovery |! running as standby|
            Primary inactive refuses us  |! running|
            Primary inactive starting up |- failed|
            Primary inactive silent      |- failed|
            Standby active   writable    |! running as primary|
            Standby active   in recovery |  running|
            Standby active   refuses us  |? running|
            Standby active   starting up |? unreachable|
            Standby active   silent      |? unreachable|
            Standby inactive writable    |! running as primary|
            Standby inactive in recovery |! running|
            Standby inactive refuses us  |! running|
            Standby inactive starting up |- failed|
            Standby inactive silent      |- failed|
            Witness active   writable    |* running|
            Witness active   in recovery |* running|
            Witness active   refuses us  |? rejected|
            Witness active   starting up |? unreachable|
            Witness active   silent      |? unreachable|
            Witness inactive writable    |! running|
            Witness inactive in recovery |! running|
            Witness inactive refuses us  |! failed|
            Witness inactive starting up |- failed|
            Witness inactive silent      |- failed|

            """.ReplaceLineEndings("\n"),
            table.ToString());
    }

    // The upstream column for every way two nodes can be seen and attached.
    [Fact]
    public void The_upstream_of_every_seen_and_attached_state()
    {
        StringBuilder table = new();
        foreach ((string upstreamName, NodeProbe upstream) in Probes)
        {
            foreach (string? state in (string?[])["streaming", "catchup", "", null])
            {
                if (upstream.Running is null && state != "streaming")
                    continue;

                foreach ((string name, NodeProbe probe) in Probes)
                {
                    ClusterView view = See(
                        new NodeView(Record(1, NodeType.Primary), WithSender(upstream, state)),
                        new NodeView(Record(2, NodeType.Standby, 1), probe));
                    table.AppendLine($"{upstreamName,-11} {(state switch { null => "state hidden", "" => "detached", _ => state }),-12} {name,-11} |{ClusterReport.Of(view).Nodes[1].Upstream}|");
                }
            }
        }

        Assert.Equal(
            """
            writable    streaming    writable    |node1|
            writable    streaming    in recovery |node1|
            writable    streaming    refuses us  |node1|
            writable    streaming    starting up |node1|
            writable    streaming    silent      |node1|
            writable    catchup      writable    |? node1|
            writable    catchup      in recovery |? node1|
            writable    catchup      refuses us  |? node1|
            writable    catchup      starting up |? node1|
            writable    catchup      silent      |? node1|
            writable    detached     writable    |! node1|
            writable    detached     in recovery |! node1|
            writable    detached     refuses us  |? node1|
            writable    detached     starting up |? node1|
            writable    detached     silent      |? node1|
            writable    state hidden writable    |node1|
            writable    state hidden in recovery |node1|
            writable    state hidden refuses us  |node1|
            writable    state hidden starting up |node1|
            writable    state hidden silent      |node1|
            in recovery streaming    writable    |node1|
            in recovery streaming    in recovery |node1|
            in recovery streaming    refuses us  |node1|
            in recovery streaming    starting up |node1|
            in recovery streaming    silent      |node1|
            in recovery catchup      writable    |? node1|
            in recovery catchup      in recovery |? node1|
            in recovery catchup      refuses us  |? node1|
            in recovery catchup      starting up |? node1|
            in recovery catchup      silent      |? node1|
            in recovery detached     writable    |! node1|
            in recovery detached     in recovery |! node1|
            in recovery detached     refuses us  |? node1|
            in recovery detached     starting up |? node1|
            in recovery detached     silent      |? node1|
            in recovery state hidden writable    |node1|
            in recovery state hidden in recovery |node1|
            in recovery state hidden refuses us  |node1|
            in recovery state hidden starting up |node1|
            in recovery state hidden silent      |node1|
            refuses us  streaming    writable    |? node1|
            refuses us  streaming    in recovery |? node1|
            refuses us  streaming    refuses us  |? node1|
            refuses us  streaming    starting up |? node1|
            refuses us  streaming    silent      |? node1|
            starting up streaming    writable    |? node1|
            starting up streaming    in recovery |? node1|
            starting up streaming    refuses us  |? node1|
            starting up streaming    starting up |? node1|
            starting up streaming    silent      |? node1|
            silent      streaming    writable    |? node1|
            silent      streaming    in recovery |? node1|
            silent      streaming    refuses us  |? node1|
            silent      streaming    starting up |? node1|
            silent      streaming    silent      |? node1|

            """.ReplaceLineEndings("\n"),
            table.ToString());
    }

    // Three nodes, each in each state: only a cluster that is as it is registered has no issue, and every node that is not is named.
    [Fact]
    public void Every_disagreement_in_a_cluster_of_three_names_its_node()
    {
        foreach ((_, NodeProbe first) in Probes)
        {
            foreach ((_, NodeProbe second) in Probes)
            {
                foreach ((_, NodeProbe third) in Probes)
                {
                    ClusterReport report = ClusterReport.Of(See(
                        new NodeView(Record(1, NodeType.Primary), WithSenders(first, "node2", "node3")),
                        new NodeView(Record(2, NodeType.Standby, 1), second),
                        new NodeView(Record(3, NodeType.Standby, 1), third)));

                    bool asRegistered = first is NodeProbe.Primary && second is NodeProbe.Standby && third is NodeProbe.Standby;
                    Assert.Equal(asRegistered, report.Issues.Count == 0);
                    Assert.Equal(first is not NodeProbe.Primary, report.Issues.Any(issue => issue.StartsWith("node \"node1\"", StringComparison.Ordinal)));
                    if (second is not NodeProbe.Standby)
                        Assert.Contains(report.Issues, issue => issue.StartsWith("node \"node2\"", StringComparison.Ordinal));

                    int primaries = new[] { first, second, third }.Count(probe => probe is NodeProbe.Primary);
                    Assert.Equal(primaries > 1, report.Issues.Any(issue => issue.Contains("accept writes at the same time", StringComparison.Ordinal)));
                }
            }
        }
    }

    [Fact]
    public void A_standby_attached_elsewhere_is_named_with_where()
    {
        ClusterReport report = ClusterReport.Of(See(
            Primary(1, "node2"),
            new NodeView(Record(2, NodeType.Standby, 1), InRecovery(attached: "node3")),
            Standby(3)));

        Assert.Equal("! node1", report.Nodes[2].Upstream);
        Assert.Equal(["node \"node3\" (ID: 3) is attached to node \"node2\" (ID: 2), not to node \"node1\" (ID: 1)"], report.Issues);
    }

    [Fact]
    public void The_upstream_that_a_nodes_own_copy_names_is_shown()
    {
        NodeView third = Standby(3);
        ClusterReport report = ClusterReport.Of(See(
            Primary(1, "node2", "node3"), Standby(2), third with { OwnRecord = third.Record with { Upstream = new NodeId(2) } }));

        Assert.Equal("! node2", report.Nodes[2].Upstream);
        Assert.Equal(["node \"node3\" (ID: 3) names node 2 as its upstream in its own copy of the metadata, not node 1"], report.Issues);
    }

    [Fact]
    public void A_base_backup_with_a_nodes_name_is_no_attachment()
    {
        ClusterReport report = ClusterReport.Of(See(
            new NodeView(Record(1, NodeType.Primary), WithSender(Writable(), "backup")), Standby(2)));

        Assert.IsType<Attachment.None>(report.Nodes[1].Attachment);
    }

    [Fact]
    public void A_standby_that_streams_without_its_name_is_found_by_its_address_and_told_what_mends_it()
    {
        NodeProbe.Standby receiving(int node) => InRecovery(receiver: new WalReceiverFacts("streaming", 1, $"node{node}", 5432, null));
        NodeView nameless(int id) => new(Record(id, NodeType.Standby, 1), receiving(1));

        ClusterReport one = ClusterReport.Of(See(Primary(1, "node3", "walreceiver"), nameless(2), Standby(3)));
        Assert.Equal("node1", one.Nodes[1].Upstream);
        Assert.Equal(("walreceiver", "async"), one.Nodes[1].Attachment is Attachment.To to ? (to.Sender.ApplicationName, to.Sender.SyncState) : default);
        Assert.Equal(
            ["node \"node2\" (ID: 2) streams from its upstream node \"node1\" (ID: 1) as \"walreceiver\", not under its own name; "
                + "\"repmgr standby follow\" on it sets application_name=node2 in its primary_conninfo"],
            one.Issues);

        // Two of them cannot be told apart at the sender, but each says where it streams from.
        ClusterReport two = ClusterReport.Of(See(Primary(1, "walreceiver", "walreceiver"), nameless(2), nameless(3)));
        Assert.All(two.Nodes.Skip(1), node => Assert.Equal(("node1", null), (node.Upstream, ((Attachment.To)node.Attachment!).Sender.SyncState)));

        // A nameless sender that is somebody else's makes no attachment, nor does an address where nobody sends without a name.
        Assert.IsType<Attachment.None>(ClusterReport.Of(See(Primary(1, "walreceiver"), Standby(2))).Nodes[1].Attachment);
        Assert.IsType<Attachment.None>(ClusterReport.Of(See(Primary(1), nameless(2))).Nodes[1].Attachment);
    }

    [Theory]
    [InlineData("host=node1", "node1", 5432, true)]
    [InlineData("host=node1 port=5433", "node1", 5432, false)]
    [InlineData("host=a,node1 port=1,5432", "node1", 5432, true)]
    [InlineData("host=a,node1 port=5432,1", "node1", 5432, false)]
    [InlineData("host=a,node1 port=7", "node1", 7, true)]
    [InlineData("host=x hostaddr=10.0.0.1", "10.0.0.1", 5432, true)]
    [InlineData("host=localhost", "127.0.0.1", 5432, true)]
    [InlineData("port=5432", "node1", 5432, false)]
    public void A_node_is_known_by_the_address_that_a_receiver_has(string conninfo, string host, int port, bool serves) =>
        Assert.Equal(serves, NodeReach.Serves(Record(1) with { Conninfo = conninfo }, new WalReceiverFacts("streaming", 1, host, port, null)));

    [Fact]
    public void Paused_replay_is_an_issue_only_with_something_to_replay()
    {
        ClusterReport idle = ClusterReport.Of(See(
            Primary(1, "node2"), new NodeView(Record(2, NodeType.Standby, 1), InRecovery(paused: true))));
        ClusterReport behind = ClusterReport.Of(See(
            Primary(1, "node2"), new NodeView(Record(2, NodeType.Standby, 1), InRecovery(replayed: new Lsn(0x2FFFF00), paused: true))));

        Assert.Empty(idle.Issues);
        Assert.Equal(["node \"node2\" (ID: 2) has paused replay with 256 bytes of WAL to be replayed"], behind.Issues);
    }

    [Fact]
    public void A_foreign_server_behind_a_conninfo_is_named()
    {
        ClusterReport report = ClusterReport.Of(See(
            Primary(1, "node2"), new NodeView(Record(2, NodeType.Standby, 1), InRecovery(system: 42))));

        Assert.Contains(report.Issues, issue => issue.Contains("not copies of one cluster", StringComparison.Ordinal));
    }

    [Fact]
    public void Lag_is_counted_from_the_primary_and_does_not_grow_while_nothing_is_written()
    {
        DateTimeOffset longAgo = Now.AddDays(-1);
        ReplicationLag Of(NodeProbe.Standby standby, WalSenderFacts? sender = null) =>
            ReplicationLag.Between(standby, Writable(new Lsn(0x3000100)), sender);

        Assert.Equal(
            new ReplicationLag(0, 0, TimeSpan.Zero),
            Of(InRecovery(new Lsn(0x3000100), new Lsn(0x3000100), commit: longAgo)));
        Assert.Equal(
            new ReplicationLag(0, 0, TimeSpan.Zero), Of(InRecovery(new Lsn(0x3000200), new Lsn(0x3000200))));
        Assert.Equal(
            new ReplicationLag(0x80, 0x100, TimeSpan.FromSeconds(5)),
            Of(InRecovery(new Lsn(0x3000000), new Lsn(0x3000080), commit: Now.AddSeconds(-5))));
        Assert.Equal(
            new ReplicationLag(0x80, 0x100, TimeSpan.FromSeconds(2)),
            Of(InRecovery(new Lsn(0x3000000), new Lsn(0x3000080), commit: longAgo), Sender("node2", lag: TimeSpan.FromSeconds(2))));
        Assert.Equal(
            new ReplicationLag(null, null, TimeSpan.FromSeconds(7)),
            ReplicationLag.Between(InRecovery(commit: Now.AddSeconds(-7)), null, null));
    }

    private static NodeProbe WithSender(NodeProbe probe, string? state) =>
        state == "" ? probe : With(probe, Sender("node2", state));

    private static NodeProbe WithSenders(NodeProbe probe, params string[] names) =>
        With(probe, [.. names.Select(name => Sender(name))]);

    private static NodeProbe With(NodeProbe probe, params WalSenderFacts[] senders) => probe switch
    {
        NodeProbe.Primary primary => primary with { Server = primary.Server with { Downstreams = senders } },
        NodeProbe.Standby standby => standby with { Server = standby.Server with { Downstreams = senders } },
        _ => probe,
    };
}
