using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Tests.Cluster;
using static Repmgr.Tests.Registration.SimulatedCluster;

namespace Repmgr.Tests.Registration;

public sealed class RegisterStandbyPlannerTests
{
    private static readonly NodeRecord Node = World.Record(2);

    [Fact]
    public void An_attached_standby_is_recorded_under_the_primary_whenever_it_is_stopped()
    {
        SimulatedCluster done = InEveryPrefix(() => Attached(), cluster => Plan(cluster, sync: true), mayRefuseWhenDone: true);

        Assert.Equal(Node with { Upstream = new NodeId(1) }, done.Table[Node.Id]);
    }

    [Fact]
    public void With_force_a_missing_upstream_gets_a_place_holder_whenever_it_is_stopped()
    {
        SimulatedCluster done = InEveryPrefix(() => Attached(), cluster => Plan(cluster, force: true, upstream: 7), mayRefuseWhenDone: false);

        Assert.Equal(new NodeId(7), done.Table[Node.Id].Upstream);
        Assert.False(done.Table[new NodeId(7)].Active);
    }

    [Fact]
    public void With_force_a_former_primary_becomes_a_standby_whenever_it_is_stopped()
    {
        SimulatedCluster done = InEveryPrefix(
            () =>
            {
                SimulatedCluster cluster = Attached();
                cluster.Register(World.Record(2, NodeType.Primary, active: false));
                return cluster;
            },
            cluster => Plan(cluster, force: true),
            mayRefuseWhenDone: false);

        Assert.Equal(Node with { Upstream = new NodeId(1) }, done.Table[Node.Id]);
    }

    [Fact]
    public void Everything_that_stands_in_the_way_is_said_at_once()
    {
        SimulatedCluster cluster = Attached(attached: []);
        cluster.Servers[2] = World.InRecovery(system: 5, version: new PostgresVersion(160004));
        cluster.Register(World.Record(2), World.Record(3, upstream: 1, name: "node2"));
        cluster.Rights = Allowed with { Schema = new SchemaRights(true, true, [new TableRights("nodes", TablePrivileges.Select)]) };

        Assert.Equal(
            [
                "the name \"node2\" belongs to node 3",
                "node 2 is already registered",
                "role \"repmgr\" lacks rights in database \"repmgr\"",
                "the standby runs PostgreSQL 16, the primary PostgreSQL 17",
                "the standby is no copy of the primary",
                "this standby is not attached to node \"node1\" (ID: 1)",
            ],
            Refusal(cluster).Problems.Select(problem => problem.Message));
    }

    [Fact]
    public void Two_living_primaries_are_a_refusal_that_names_both()
    {
        SimulatedCluster cluster = Attached();
        cluster.Register(World.Record(3, NodeType.Standby, 1));
        cluster.Servers[3] = World.Writable(timeline: 2);

        Problem problem = Refusal(cluster, force: true).Problems.Single();
        Assert.Equal("2 nodes accept writes at the same time", problem.Message);
        Assert.Contains("Node \"node1\" (ID: 1) on timeline 1, registered as primary.", problem.Detail, StringComparison.Ordinal);
        Assert.Contains("Node \"node3\" (ID: 3) on timeline 2, registered as standby.", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_primary_is_who_accepts_writes_whatever_is_registered()
    {
        SimulatedCluster cluster = new() { Servers = { [1] = World.Silent, [2] = World.InRecovery(), [3] = World.Writable(timeline: 2, attached: "node2") } };
        cluster.Register(World.Record(1, NodeType.Primary), World.Record(3, NodeType.Standby, 1));

        var ready = Assert.IsType<Planned.Ready>(Plan(cluster));
        var write = Assert.IsType<Step.WriteNode>(Assert.Single(ready.Plan.Steps));
        Assert.Equal(new NodeId(3), write.Record.Upstream);
        Assert.Equal("node3", write.On["host"]);
        Assert.Contains(ready.Notices, notice => notice.Message == "node \"node3\" (ID: 3) accepts writes, but the records do not name it as the primary");
    }

    [Fact]
    public void Without_a_living_primary_nothing_can_be_recorded()
    {
        SimulatedCluster cluster = Attached();
        cluster.Servers[1] = World.Silent;

        Planned.Refused refused = Refusal(cluster, force: true);
        Assert.Equal((ExitCode.DbConnection, "no primary can be reached"), (refused.ExitCode, refused.Problems.Single().Message));
    }

    [Fact]
    public void A_server_that_accepts_writes_is_no_standby()
    {
        SimulatedCluster cluster = Attached();
        cluster.Servers[2] = World.Writable();

        Assert.Equal("the server of node 2 is no standby", Refusal(cluster).Problems.Single().Message);
    }

    [Fact]
    public void A_standby_that_does_not_run_is_recorded_only_by_force()
    {
        SimulatedCluster cluster = Attached(attached: []);
        cluster.Servers[2] = World.Silent;

        Planned.Refused refused = Refusal(cluster);
        Assert.Equal(ExitCode.DbConnection, refused.ExitCode);
        Assert.Contains("--force", refused.Problems[0].Hint, StringComparison.Ordinal);
        Assert.IsType<Planned.Ready>(Plan(cluster, force: true));
    }

    [Fact]
    public void A_node_cannot_be_its_own_upstream_nor_take_the_primarys_id()
    {
        Assert.Contains(Refusal(Attached(), upstream: 2, force: true).Problems, problem => problem.Message == "node 2 cannot be its own upstream");

        SimulatedCluster cluster = new() { Servers = { [2] = World.Writable(attached: "node2") } };
        cluster.Register(World.Record(2, NodeType.Primary));
        Planned planned = RegisterStandbyPlanner.Plan(Request(true, null, false), new StandbySeen(World.InRecovery(), cluster.View, cluster.Metadata));
        Assert.Equal(["node 2 is the primary"], Assert.IsType<Planned.Refused>(planned).Problems.Select(problem => problem.Message));
    }

    [Fact]
    public void A_receiver_at_the_upstream_under_another_name_is_attached_and_told_what_to_set()
    {
        SimulatedCluster cluster = Attached(attached: ["walreceiver"]);
        cluster.Servers[2] = World.InRecovery(receiver: new WalReceiverFacts("streaming", 1, "node1", 5432, null));

        Problem notice = Assert.Single(Assert.IsType<Planned.Ready>(Plan(cluster)).Notices);
        Assert.Contains("application_name=node2", notice.Hint, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("streaming", "node9", 5432)]
    [InlineData("streaming", "node1", 5433)]
    [InlineData("waiting", "node1", 5432)]
    public void A_receiver_elsewhere_or_waiting_is_not_attached(string status, string host, int port)
    {
        SimulatedCluster cluster = Attached(attached: ["walreceiver"]);
        cluster.Servers[2] = World.InRecovery(receiver: new WalReceiverFacts(status, 1, host, port, null));

        Problem problem = Refusal(cluster).Problems.Single();
        Assert.Contains($"{host}:{port}", problem.Detail, StringComparison.Ordinal);
        Assert.Contains("application_name=node2", problem.Hint, StringComparison.Ordinal);
    }

    private static SimulatedCluster Attached(params string[] attached)
    {
        SimulatedCluster cluster = new()
        {
            Servers = { [1] = World.Writable(attached: attached), [2] = World.InRecovery() },
        };
        cluster.Register(World.Record(1, NodeType.Primary));
        return cluster;
    }

    private static SimulatedCluster Attached() => Attached("node2");

    private static Planned Plan(SimulatedCluster cluster, bool force = false, int? upstream = null, bool sync = false) =>
        RegisterStandbyPlanner.Plan(
            Request(force, upstream, sync),
            new StandbySeen(cluster.Servers[2], cluster.View, PrimarySearch.In(cluster.View) is PrimarySearch.Found ? cluster.Metadata : null));

    private static RegisterStandbyRequest Request(bool force, int? upstream, bool sync) =>
        new(Node, Parse("host=node2 user=repmgr"), upstream is { } id ? new NodeId(id) : null, force, sync ? new SyncWait(null) : null, []);

    private static Planned.Refused Refusal(SimulatedCluster cluster, bool force = false, int? upstream = null) =>
        Assert.IsType<Planned.Refused>(Plan(cluster, force, upstream));
}
