using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Postgres;
using Repmgr.Tests.Cluster;
using static Repmgr.Tests.Registration.SimulatedCluster;

namespace Repmgr.Tests.Registration;

public sealed class RegisterWitnessPlannerTests
{
    private static readonly NodeRecord Witness = World.Record(4, NodeType.Witness) with { Upstream = null };

    [Fact]
    public void A_witness_is_recorded_under_the_primary_whenever_it_is_stopped()
    {
        SimulatedCluster done = InEveryPrefix(Three, cluster => Plan(cluster, Witness), mayRefuseWhenDone: true);
        Assert.Equal(Witness with { Upstream = new NodeId(1) }, done.Table[new NodeId(4)]);
    }

    [Fact]
    public void The_number_of_another_node_is_refused_even_by_force()
    {
        Planned.Refused refused = Assert.IsType<Planned.Refused>(Plan(Three(), Witness with { Id = new NodeId(2) }, force: true));
        Assert.Contains(refused.Problems, problem => problem.Message == "node 2 is registered as standby");
    }

    [Fact]
    public void A_record_that_says_something_else_is_replaced_by_force_alone()
    {
        SimulatedCluster cluster = Three();
        cluster.Register(Witness with { Upstream = new NodeId(1), Location = "elsewhere" });
        Assert.IsType<Planned.Refused>(Plan(cluster, Witness));
        Assert.IsType<Planned.Ready>(Plan(cluster, Witness, force: true));
    }

    [Theory, InlineData("three:8008", "three", "8008"), InlineData("[::1]:9000", "::1", "9000")]
    public void Where_an_agent_listens_goes_through_a_conninfo(string address, string host, string port)
    {
        Conninfo conninfo = WitnessConninfo.Of(address);
        Assert.Equal((host, port, address), (conninfo["host"], conninfo["port"], WitnessConninfo.AddressIn(conninfo)));
        Assert.Null(WitnessConninfo.AddressIn(conninfo.With("application_name", "node4")));
    }

    private static Planned Plan(SimulatedCluster cluster, NodeRecord record, bool force = false) =>
        RegisterWitnessPlanner.Plan(new RegisterWitnessRequest(record, Conninfo.Empty, force), cluster.View);

    private static SimulatedCluster Three()
    {
        SimulatedCluster cluster = new() { Servers = { [1] = World.Writable(), [2] = World.InRecovery(), [3] = World.InRecovery() } };
        cluster.Register(World.Record(1, NodeType.Primary), World.Record(2, upstream: 1), World.Record(3, upstream: 1));
        return cluster;
    }
}
