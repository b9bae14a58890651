using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Planning.Switchover;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Execution;
using Repmgr.Tests.Cluster;
using Repmgr.Tests.Failover.Reports;

namespace Repmgr.Tests.Planning;

public class SwitchoverPlannerTests
{
    private static readonly NodeId One = new(1), Two = new(2);

    private static readonly ClusterView Three = World.See(World.Primary(1, "node2", "node3"), World.Standby(2), World.Standby(3));

    private static readonly SwitchoverServer Ordinary = new(new ServerRoom(10, 0, 10, []), new Dictionary<string, long> { ["max_connections"] = 100 }, 0, false);

    internal static SwitchoverRequest Request(int candidate = 2, bool force = false) => new(
        new NodeId(candidate), Conninfo.Empty, force,
        new SwitchoverLimits(16, 128, TimeSpan.FromSeconds(300), TimeSpan.FromSeconds(600)),
        new SwitchoverTimes(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(20)));

    private static Planned Plan(
        ClusterView? cluster = null, int candidate = 2, bool force = false, SwitchoverServer? primary = null, SwitchoverServer? standby = null, AgentsView? agents = null) =>
        SwitchoverPlanner.Plan(Request(candidate, force), new SwitchoverSeen(cluster ?? Three, primary ?? Ordinary, standby ?? Ordinary, agents ?? Agents.View()));

    private static ClusterView With(NodeView changed) => World.See([.. Three.Nodes.Select(node => node.Record.Id == changed.Record.Id ? changed : node)]);

    private static NodeView Candidate(NodeProbe probe) => new(World.Record(2, NodeType.Standby, 1), probe);

    private static NodeView Primary(params WalSenderFacts[] senders)
    {
        NodeProbe.Primary probe = World.Writable();
        return new NodeView(World.Record(1, NodeType.Primary), probe with { Server = probe.Server with { Downstreams = senders } });
    }

    private static IReadOnlyList<Problem> Notices(Planned planned) => Assert.IsType<Planned.Ready>(planned).Notices;

    /// <summary>It is refused without force, and told with it.</summary>
    private static void Forcible(string message, Func<bool, Planned> plan)
    {
        Problem problem = Assert.Single(Assert.IsType<Planned.Refused>(plan(false)).Problems);
        Assert.Equal(message, problem.Message);
        Assert.Contains("--force", problem.Hint, StringComparison.Ordinal);
        Assert.Equal((message, null), (Assert.Single(Notices(plan(true))).Message, Assert.Single(Notices(plan(true))).Hint));
    }

    private static void Refused(string message, Func<bool, Planned> plan)
    {
        foreach (bool force in (bool[])[false, true])
            Assert.Contains(Assert.IsType<Planned.Refused>(plan(force)).Problems, problem => problem.Message == message);
    }

    [Fact]
    public void The_primary_is_checkpointed_waited_for_and_asked_and_all_others_are_seen_to_follow()
    {
        var ready = Assert.IsType<Planned.Ready>(Plan());
        Assert.Equal(
        [
            """write a checkpoint on node "node1" (ID: 1)""",
            """wait until node "node2" (ID: 2) is within 16 MB of node "node1" (ID: 1), at most 30 s""",
            """ask the agent of node "node1" (ID: 1) to stop its server and hand over to node "node2" (ID: 2), and wait until that takes writes, at most 60 s""",
            """wait until node "node1" (ID: 1) streams from node "node2" (ID: 2), at most 90 s""",
            """wait until node "node3" (ID: 3) streams from node "node2" (ID: 2), at most 20 s""",
        ], ready.Plan.Steps.Select(step => step.Describe()));
        Assert.Equal(3, ready.Plan.AftermathFrom);
        Assert.Empty(ready.Notices);
        Assert.DoesNotContain(Assert.IsType<Planned.Ready>(Plan(force: true)).Plan.Steps, step => step is Step.AwaitNear);
    }

    [Fact]
    public async Task Stopped_after_any_step_and_planned_again_it_ends_the_same()
    {
        SmallCluster whole = SmallCluster.Of(3);
        int steps = Ready(whole).Steps.Count;
        Finish(whole);
        Assert.False(whole.Servers[2].InRecovery);
        Assert.True(whole.Streams(whole.Servers[1]) && whole.Streams(whole.Servers[3]));
        for (int prefix = 0; prefix <= steps; prefix++)
        {
            SmallCluster cluster = SmallCluster.Of(3);
            foreach (Step step in Ready(cluster).Steps.Take(prefix))
                Assert.IsNotType<StepOutcome.Failed>(await cluster.RunAsync(step, TestContext.Current.CancellationToken));
            Finish(cluster);
            Assert.Equal(whole.Picture(), cluster.Picture());
            Finish(cluster);
            Assert.Equal(whole.Picture(), cluster.Picture());
        }
    }

    [Fact]
    public async Task A_step_that_is_done_twice_does_no_more_than_once()
    {
        SmallCluster once = SmallCluster.Of(3), twice = SmallCluster.Of(3);
        foreach (Step step in Ready(once).Steps)
        {
            _ = await once.RunAsync(step, TestContext.Current.CancellationToken);
            _ = await twice.RunAsync(step, TestContext.Current.CancellationToken);
            Assert.IsNotType<StepOutcome.Failed>(await twice.RunAsync(step, TestContext.Current.CancellationToken));
            Assert.Equal(once.Picture(), twice.Picture());
        }
    }

    [Fact]
    public void Where_the_roles_are_exchanged_already_the_others_are_seen_to_follow_also_who_is_down()
    {
        ClusterView after = World.See(new NodeView(World.Record(1), World.Silent), World.Primary(2, "node3"), World.Standby(3, 2), new NodeView(World.Record(4, NodeType.Witness), World.Silent));
        var ready = Assert.IsType<Planned.Ready>(Plan(after));
        Assert.Equal("node \"node2\" (ID: 2) is the primary already", Assert.Single(ready.Notices).Message);
        Assert.Equal([(One, 90), (new NodeId(3), 20)], ready.Plan.Steps.Cast<Step.AwaitStreaming>().Select(wait => (wait.Node.Id, (int)wait.Within.TotalSeconds)));
        Assert.Equal(0, ready.Plan.AftermathFrom);
    }

    [Fact]
    public void Only_a_standby_that_streams_from_the_primary_on_its_timeline_can_take_its_role()
    {
        Refused("node 7 is not registered", force => Plan(candidate: 7, force: force));
        Refused("node \"node2\" (ID: 2) is a witness", force => Plan(With(new NodeView(World.Record(2, NodeType.Witness), World.Silent)), force: force));
        Refused("node \"node2\" cannot be reached", force => Plan(With(Candidate(World.Silent)), force: force));
        Refused("node \"node2\" (ID: 2) is not active", force => Plan(Inactive(With(World.Primary(1, "node3"))), force: force));
        Refused("node \"node2\" (ID: 2) does not stream from node \"node1\" (ID: 1)", force => Plan(With(World.Primary(1, "node3")), force: force));
        Refused("node \"node2\" (ID: 2) is on timeline 2, and node \"node1\" (ID: 1) on timeline 1", force => Plan(With(Candidate(World.InRecovery(timeline: 2))), force: force));
        Refused("no primary can be reached", force => Plan(With(new NodeView(World.Record(1, NodeType.Primary), World.Silent)), force: force));
        Refused("2 nodes accept writes at the same time", force => Plan(With(World.Primary(3)), force: force));
    }

    /// <summary>A former primary is recorded as a standby by its own repmgrd, some seconds after it streams.</summary>
    [Fact]
    public void A_standby_that_streams_can_take_the_role_whatever_its_record_still_says() =>
        Assert.Equal("the record of node \"node2\" (ID: 2) says that it is not active", Assert.Single(Notices(Plan(Inactive(Three)))).Message);

    private static ClusterView Inactive(ClusterView cluster) =>
        World.See([.. cluster.Nodes.Select(node => node.Record.Id == Two ? new NodeView(node.Record with { Active = false }, node.Probe) : node)]);

    [Fact]
    public void What_the_agents_would_refuse_is_refused_before()
    {
        Refused("failover is paused, for 50 min more", force => Plan(force: force, agents: Agents.View(Agents.Paused)));
        Refused("node2 (ID: 2) cannot become primary", force => Plan(force: force, agents: Agents.View(report => report with { Ineligible = report.Node == Two ? "its priority is 0" : null })));
        Refused(
            "no node holds the lease, so there is nobody who could hand it over",
            force => Plan(force: force, agents: Agents.View(report => report with { Holder = null, Role = "Voting", LeaseLeft = null })));
        Refused(
            "node3 (ID: 3) holds the lease, and node \"node1\" (ID: 1) takes writes",
            force => Plan(force: force, agents: Agents.View(report => report with { Holder = new NodeId(3), Role = report.Node.Value == 3 ? "Serving" : "Voting" })));
    }

    [Fact]
    public void How_far_it_lags_is_told_or_refused()
    {
        Planned Lagging(int seconds, bool force) => Plan(With(Primary(World.Sender("node2", lag: TimeSpan.FromSeconds(seconds)), World.Sender("node3"))) is var cluster
            ? World.See([.. cluster.Nodes.Select(node => node.Record.Id == Two ? Candidate(World.InRecovery(replayed: new Lsn(0x2000000))) : node)]) : null, force: force);
        Assert.Empty(Notices(Lagging(299, false)));
        Assert.Equal("node \"node2\" (ID: 2) lags 5 min behind", Assert.Single(Notices(Lagging(300, false))).Message);
        Forcible("node \"node2\" (ID: 2) lags 10 min behind", force => Lagging(600, force));
        Forcible("replay is paused on node \"node2\" (ID: 2)", force => Plan(With(Candidate(World.InRecovery(paused: true))), force: force));
    }

    [Fact]
    public void What_the_primary_archives_and_who_copies_it_is_looked_at()
    {
        Assert.Empty(Notices(Plan(primary: Ordinary with { ArchiveBacklog = 15 })));
        Assert.Empty(Notices(Plan(primary: Ordinary with { ArchiveBacklog = null })));
        Assert.Equal("16 files of WAL wait to be archived on node \"node1\" (ID: 1)", Assert.Single(Notices(Plan(primary: Ordinary with { ArchiveBacklog = 16 }))).Message);
        Forcible("128 files of WAL wait to be archived on node \"node1\" (ID: 1)", force => Plan(force: force, primary: Ordinary with { ArchiveBacklog = 128 }));
        Forcible("1 base backup is being taken from node \"node1\" (ID: 1)", force => Plan(With(Primary(World.Sender("node2"), World.Sender("node3"), World.Sender("pg_basebackup", "backup"))), force: force));
        Refused("node \"node1\" (ID: 1) is in exclusive backup mode", force => Plan(force: force, primary: Ordinary with { IsInExclusiveBackup = true }));
    }

    [Fact]
    public void The_new_primary_has_room_for_all_and_the_former_one_can_be_its_standby()
    {
        Assert.Empty(Notices(Plan(standby: Ordinary with { Room = new ServerRoom(2, 0, 2, []) })));
        Forcible("node \"node2\" (ID: 2) has not enough room for its standbys", force => Plan(force: force, standby: Ordinary with { Room = new ServerRoom(1, 0, 10, []) }));
        Forcible("node \"node2\" (ID: 2) has not enough room for its standbys", force => Plan(force: force, standby: Ordinary with { Room = new ServerRoom(10, 0, 1, []) }));
        Forcible("node \"node1\" (ID: 1) could not come back as a standby", force => Plan(force: force, standby: Ordinary with { Capacities = new Dictionary<string, long> { ["max_connections"] = 101 } }));
        Assert.Empty(Notices(Plan(primary: Ordinary with { Capacities = new Dictionary<string, long> { ["max_connections"] = 101 } })));
    }

    [Fact]
    public void Who_is_away_and_another_location_is_told()
    {
        ClusterView away = With(new NodeView(World.Record(3, NodeType.Standby, 1), World.Silent));
        Assert.Equal("node \"node3\" (ID: 3) cannot be reached, and is not waited for", Assert.Single(Notices(Plan(away))).Message);
        Assert.DoesNotContain(Assert.IsType<Planned.Ready>(Plan(away)).Plan.Steps, step => step is Step.AwaitStreaming { Node.Id.Value: 3 });
        Assert.Equal(
            "the primary moves from location \"default\" to \"paris\"",
            Assert.Single(Notices(Plan(With(new NodeView(World.Record(2, NodeType.Standby, 1) with { Location = "paris" }, World.InRecovery()))))).Message);
    }

    [Fact]
    public void All_that_speaks_against_it_is_told_at_once() =>
        Assert.Equal(3, Assert.IsType<Planned.Refused>(Plan(
            With(Candidate(World.InRecovery(paused: true))), agents: Agents.View(Agents.Paused), primary: Ordinary with { ArchiveBacklog = 500 })).Problems.Count);

    private static Plan Ready(SmallCluster cluster) => Assert.IsType<Planned.Ready>(cluster.PlanSwitchover(2)).Plan;

    private static void Finish(SmallCluster cluster) =>
        Assert.IsType<PlanOutcome.Done>(new PlanExecutor(cluster, new NoLog()).RunAsync(Ready(cluster), TestContext.Current.CancellationToken).Result);
}
