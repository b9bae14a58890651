using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Problems;
using Repmgr.Tests.Cluster;
using static Repmgr.Tests.Registration.SimulatedCluster;

namespace Repmgr.Tests.Registration;

public sealed class UnregisterPlannerTests
{
    [Fact]
    public void A_standbys_record_goes_whenever_it_is_stopped()
    {
        SimulatedCluster done = InEveryPrefix(() => Three(), cluster => Plan(cluster, 3, NodeType.Standby), mayRefuseWhenDone: true);

        Assert.Equal([1, 2], done.Table.Keys.Select(id => id.Value));
    }

    [Fact]
    public void A_dead_former_primarys_record_goes_whenever_it_is_stopped()
    {
        SimulatedCluster done = InEveryPrefix(
            () =>
            {
                SimulatedCluster cluster = Three();
                cluster.Register(World.Record(4, NodeType.Primary, active: false));
                return cluster;
            },
            cluster => Plan(cluster, 4, NodeType.Primary),
            mayRefuseWhenDone: true);

        Assert.Equal([1, 2, 3], done.Table.Keys.Select(id => id.Value));
    }

    // What each of primary unregister's targets says, without and with --force: "" is "goes".
    [Fact]
    public void Every_target_of_primary_unregister()
    {
        (string Name, NodeRecord Record, NodeProbe Probe, string Plain, string Forced)[] cases =
        [
            ("the current primary", World.Record(1, NodeType.Primary), World.Writable(), "node 1 is the current primary|the record of node 1 is still marked as active", ""),
            ("a dead active one", World.Record(4, NodeType.Primary), World.Silent, "the record of node 4 is still marked as active", ""),
            ("a dead inactive one", World.Record(4, NodeType.Primary, active: false), World.Silent, "", ""),
            ("one back as standby", World.Record(4, NodeType.Primary, active: false), World.InRecovery(), "node 4 runs as a standby", ""),
            ("a dead standby", World.Record(4, NodeType.Standby, active: false), World.Silent, "node 4 cannot be reached and is registered as standby", "node 4 cannot be reached and is registered as standby"),
            ("a witness", World.Record(4, NodeType.Witness), World.Writable(), "node 4 is a witness", "node 4 is a witness"),
        ];
        foreach ((string name, NodeRecord record, NodeProbe probe, string plain, string forced) in cases)
        {
            SimulatedCluster cluster = new() { Servers = { [1] = World.Writable(), [record.Id.Value] = probe } };
            cluster.Register(World.Record(1, NodeType.Primary), record);
            Assert.Equal((name, plain), (name, Refusals(Plan(cluster, record.Id.Value, NodeType.Primary))));
            Assert.Equal((name, forced), (name, Refusals(Plan(cluster, record.Id.Value, NodeType.Primary, force: true))));
        }
    }

    [Fact]
    public void A_node_that_is_somebodys_upstream_stays_even_by_force()
    {
        SimulatedCluster cluster = Three();
        cluster.Register(World.Record(4, upstream: 3));

        foreach (NodeType type in (NodeType[])[NodeType.Standby, NodeType.Primary])
        {
            Problem problem = Assert.IsType<Planned.Refused>(Plan(cluster, 3, type, force: true)).Problems[0];
            Assert.Equal("other nodes still have node 3 as their upstream", problem.Message);
            Assert.Equal("They are: \"node4\" (ID: 4).", problem.Detail);
        }
    }

    [Fact]
    public void Standby_unregister_is_for_standbys_that_are_registered()
    {
        Assert.Equal("node 9 is not registered", Refusals(Plan(Three(), 9, NodeType.Standby)));

        SimulatedCluster cluster = Three();
        cluster.Register(World.Record(4, NodeType.Primary, active: false));
        Assert.Equal("node 4 is registered as primary, not as standby", Refusals(Plan(cluster, 4, NodeType.Standby)));
    }

    private static SimulatedCluster Three()
    {
        SimulatedCluster cluster = new() { Servers = { [1] = World.Writable(), [2] = World.InRecovery(), [3] = World.InRecovery() } };
        cluster.Register(World.Record(1, NodeType.Primary), World.Record(2, upstream: 1), World.Record(3, upstream: 1));
        return cluster;
    }

    private static Planned Plan(SimulatedCluster cluster, int target, NodeType type, bool force = false) =>
        UnregisterPlanner.Plan(new UnregisterRequest(new NodeId(target), type, Parse("host=node1"), force), cluster.View);

    private static string Refusals(Planned planned) =>
        planned is Planned.Refused refused ? string.Join('|', refused.Problems.Select(problem => problem.Message)) : "";
}
