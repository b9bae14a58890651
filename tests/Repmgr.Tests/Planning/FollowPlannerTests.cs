using Repmgr.Core.Checks;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Execution;
using Repmgr.Tests.Cluster;

namespace Repmgr.Tests.Planning;

public class FollowPlannerTests
{
    private static readonly ReplicationRights All = new("repmgr", true, true, true, true, true, "repmgr");
    private static readonly ReplicationRights None = new("repmgr", false, false, false, false, false, "node_db");
    private static readonly Lsn Here = new(0x3000000);

    private static Conninfo Parse(string conninfo) => Conninfo.TryParse(conninfo, out Conninfo? parsed, out _) ? parsed : Conninfo.Empty;

    private static readonly FollowRequest Request = new(
        World.Record(3, NodeType.Standby, 1), Parse("host=node3 user=repmgr"), new ReplicationCredentials(null, null, null),
        UseSlots: false, Restart: false, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(30));

    private static readonly FollowSeen Seen = new(
        World.InRecovery(receiver: new WalReceiverFacts("streaming", 1, "node1", 5432, null)),
        new FollowerView(All, new ReplicationSource(Parse("host=node1 user=repmgr application_name=node3"), null), null),
        new CopyEnd(World.SystemIdentifier, 1, Here, Here, true, TimelineHistory.First),
        new UpstreamView(
            new NodeView(World.Record(2, NodeType.Primary), World.Writable(timeline: 2)),
            Parse("host=node2 user=repmgr"),
            new SourceEnd(World.SystemIdentifier, 2, new Lsn(0x3000100), new TimelineHistory(2, [new(1, Here)]), true, true),
            null,
            new ServerRoom(10, 0, 10, []),
            All),
        World.Record(2, NodeType.Primary),
        Parse("host=node2 user=repmgr"),
        new NodeView(World.Record(1, NodeType.Primary, active: false), World.Silent),
        Parse("host=node1"));

    private static Planned.Ready Ready(Planned planned) => Assert.IsType<Planned.Ready>(planned);

    private static IReadOnlyList<Problem> Refused(Planned planned) => Assert.IsType<Planned.Refused>(planned).Problems;

    [Fact]
    public void It_is_pointed_there_seen_to_stream_and_recorded()
    {
        Plan plan = Ready(FollowPlanner.Plan(Request, Seen)).Plan;
        Assert.Collection(
            plan.Steps,
            step => Assert.Equal("host=node2 user=repmgr dbname=repmgr application_name=node3", Assert.IsType<Step.Repoint>(step).Source.PrimaryConninfo.Reveal()),
            step => Assert.IsType<Step.AwaitStreaming>(step),
            step => Assert.Equal(new NodeId(2), Assert.IsType<Step.WriteNode>(step).Record.Upstream));
        Assert.Equal(2, plan.AftermathFrom);
        Assert.Equal(Seen.Follower!.Source, Assert.IsType<Step.Repoint>(Assert.Single(plan.WayBack!)).Source);
    }

    [Fact]
    public void Where_nothing_was_streaming_there_is_no_way_back_and_it_is_said()
    {
        Plan plan = Ready(FollowPlanner.Plan(Request, Seen with { Local = World.InRecovery() })).Plan;
        Assert.Null(plan.WayBack);
        Assert.Contains("stays pointed", plan.Steps.OfType<Step.AwaitStreaming>().Single().Otherwise);
    }

    [Fact]
    public void Slots_are_made_first_and_the_old_one_goes_last()
    {
        FollowSeen seen = Seen with
        {
            Follower = Seen.Follower! with { Source = Seen.Follower!.Source! with { SlotName = "repmgr_slot_3" } },
            Former = new NodeView(World.Record(1, NodeType.Standby, 2), World.InRecovery()),
        };
        Plan plan = Ready(FollowPlanner.Plan(Request with { UseSlots = true }, seen)).Plan;
        Assert.Equal("repmgr_slot_3", Assert.IsType<Step.ReserveSlot>(plan.Steps[0]).Slot);
        Assert.Equal("repmgr_slot_3", Assert.IsType<Step.DropSlot>(plan.Steps[^1]).Slot);
        Assert.True(plan.Steps.Count - 1 >= plan.AftermathFrom);
        Assert.IsType<Step.DropSlot>(plan.WayBack![^1]);
    }

    [Fact]
    public void A_slot_on_a_dead_upstream_is_told_of()
    {
        FollowSeen seen = Seen with { Follower = Seen.Follower! with { Source = Seen.Follower!.Source! with { SlotName = "s" } } };
        Assert.Contains("pg_drop_replication_slot('s')", Assert.Single(Ready(FollowPlanner.Plan(Request, seen)).Notices).Hint);
    }

    [Fact]
    public void A_slot_that_an_operator_configured_is_used_on_the_new_upstream_too()
    {
        FollowSeen seen = Seen with { Follower = Seen.Follower! with { Source = Seen.Follower!.Source! with { SlotName = "mine" } } };
        Assert.Equal("mine", Ready(FollowPlanner.Plan(Request, seen)).Plan.Steps.OfType<Step.ReserveSlot>().Single().Slot);
    }

    [Fact]
    public void All_that_is_in_the_way_is_said_at_once()
    {
        IReadOnlyList<Problem> problems = Refused(FollowPlanner.Plan(Request with { UseSlots = true }, Seen with
        {
            Follower = new FollowerView(None, null, null),
            Copy = Seen.Copy! with { Replayed = new Lsn(0x3000001) },
            Upstream = Seen.Upstream with { Room = new ServerRoom(3, 3, 1, [new SlotView("other", false, null, false)]), Rights = None },
        }));
        Assert.Equal(4, problems.Count); // Rights, histories, WAL senders, slots.
        Assert.Contains("GRANT pg_monitor", problems[0].Detail);
        Assert.Contains("ALTER SYSTEM ON PARAMETER", problems[0].Detail);
        Assert.Contains("REPLICATION", problems[0].Detail);
        Assert.All(problems, problem => Assert.NotNull(problem.Hint));
        Assert.Contains("in database \"node_db\" of the primary", problems[0].Hint); // A right on a function holds in one database.
    }

    [Fact]
    public void A_standby_that_streams_without_a_name_is_not_taken_for_another_that_uses_its_slot()
    {
        var server = (NodeProbe.Primary)World.Writable(attached: "walreceiver");
        FollowSeen seen = Seen with
        {
            Local = World.InRecovery(receiver: new WalReceiverFacts("streaming", 1, "node1", 5432, "repmgr_slot_3")),
            Upstream = Seen.Upstream with
            {
                Node = new NodeView(World.Record(1, NodeType.Primary), server),
                Room = new ServerRoom(1, 1, 1, [new SlotView("repmgr_slot_3", true, 77, false)]),
            },
        };
        Assert.IsType<Step.Repoint>(Ready(FollowPlanner.Plan(Request with { UseSlots = true }, seen)).Plan.Steps[0]);
    }

    [Fact]
    public void An_upstream_that_refuses_replication_is_exit_23_before_anything_is_touched()
    {
        var refused = Assert.IsType<Planned.Refused>(FollowPlanner.Plan(Request, Seen with
        {
            Upstream = Seen.Upstream with { End = null, Refused = new Problem("no replication for us", null, "Change pg_hba.conf.") },
        }));
        Assert.Equal(ExitCode.FollowFailed, refused.ExitCode);
    }

    [Fact]
    public void Another_system_or_a_diverged_timeline_is_refused()
    {
        Assert.Contains("different clusters", Assert.Single(Refused(FollowPlanner.Plan(Request, Seen with { Copy = Seen.Copy! with { SystemIdentifier = 1 } }))).Message);
        Assert.Contains("diverge", Assert.Single(Refused(FollowPlanner.Plan(Request, Seen with { Copy = Seen.Copy! with { Timeline = 5 } }))).Message);
    }

    [Fact]
    public void Another_major_version_is_refused() =>
        Assert.Contains("different versions", Assert.Single(Refused(FollowPlanner.Plan(Request, Seen with
        {
            Local = World.InRecovery(version: new PostgresVersion(160001)),
        }))).Message);

    [Theory]
    [InlineData(true, true, false, false, typeof(RepointWay.Sql))]
    [InlineData(false, false, true, false, typeof(RepointWay.File))] // No right, but its own files.
    [InlineData(true, true, true, false, typeof(RepointWay.Sql))] // The server has a lock on its file, we have not.
    [InlineData(true, true, true, true, typeof(RepointWay.File))] // A restart may find a server that is not there to be asked.
    [InlineData(true, false, false, false, null)]
    public void The_configuration_is_changed_where_there_is_a_right_to(bool alters, bool reloads, bool file, bool restart, Type? way) =>
        Assert.Equal(way, FollowPlanner.WayTo(
            new FollowerView(None with { AltersSource = alters, Reloads = reloads }, null, file ? "/data" : null),
            new ReplicationSource(Parse("host=a"), null),
            restart)?.GetType());

    [Fact]
    public void A_password_never_goes_through_SQL()
    {
        var source = new ReplicationSource(Parse("host=a password=secret"), null);
        Assert.IsType<RepointWay.File>(FollowPlanner.WayTo(new FollowerView(All, null, "/data"), source, restart: false));
        Assert.Null(FollowPlanner.WayTo(new FollowerView(All, null, null), source, restart: false));
    }

    [Fact]
    public void What_the_standby_logs_in_with_is_kept() => Assert.Equal(
        "host=node2 user=replicator passfile=/p password=x application_name=node3 sslcert=/c",
        FollowPlanner.SourceTo(
            World.Record(3), Parse("host=node2 user=repmgr dbname=d"), new ReplicationCredentials("replicator", null, null),
            Parse("host=node1 user=other passfile=/p password=x sslcert=/c"), null, new PostgresVersion(150000)).PrimaryConninfo.Reveal());

    [Fact]
    public void A_primary_is_not_pointed_anywhere() => Assert.Contains("is a primary", Assert.Single(Refused(FollowPlanner.Plan(Request, Seen with { Local = World.Writable() }))).Message);

    // Whom to follow.

    private static FollowTarget Choose(string? wanted, params NodeView[] nodes) => FollowTarget.Choose(new NodeId(3), wanted, World.See(nodes));

    [Fact]
    public void Without_a_name_it_is_the_primary_and_with_one_that_node()
    {
        NodeView[] nodes = [World.Primary(1), World.Standby(2), World.Standby(3)];
        Assert.Equal(new NodeId(1), Assert.IsType<FollowTarget.Chosen>(Choose(null, nodes)).Upstream.Record.Id);
        Assert.Equal(new NodeId(2), Assert.IsType<FollowTarget.Chosen>(Choose("2", nodes)).Upstream.Record.Id);
        Assert.Equal(new NodeId(2), Assert.IsType<FollowTarget.Chosen>(Choose("node2", nodes)).Upstream.Record.Id);
        Assert.Contains("\"node1\" (ID: 1)", Assert.IsType<FollowTarget.None>(Choose("node9", nodes)).Problems[0].Detail);
    }

    [Fact]
    public void The_primary_is_told_that_it_is_the_primary()
    {
        Problem problem = Assert.Single(Assert.IsType<FollowTarget.None>(Choose(null, new NodeView(World.Record(3, NodeType.Primary), World.Writable()))).Problems);
        Assert.Equal("node \"node3\" (ID: 3) is the primary itself", problem.Message);
        Assert.Contains("standby clone --force", problem.Hint);
    }

    [Theory]
    [InlineData("3", "cannot follow itself")]
    [InlineData("4", "close a circle")]
    [InlineData("5", "close a circle")]
    [InlineData("6", "is a witness")]
    [InlineData("7", "is not active")]
    public void Some_nodes_cannot_be_followed(string wanted, string why) => Assert.Contains(why, Assert.IsType<FollowTarget.None>(Choose(
        wanted, World.Primary(1), World.Standby(3), World.Standby(4, 3), World.Standby(5, 4),
        new NodeView(World.Record(6, NodeType.Witness, 1), World.Writable()),
        new NodeView(World.Record(7, NodeType.Standby, 1, active: false), World.InRecovery()))).Problems[0].Message);

    [Fact]
    public void No_primary_may_come_and_two_are_never_chosen_from()
    {
        Assert.True(Assert.IsType<FollowTarget.None>(Choose(null, World.Standby(2), World.Standby(3))).MayAppear);
        Assert.False(Assert.IsType<FollowTarget.None>(Choose(null, World.Primary(1), World.Primary(2), World.Standby(3))).MayAppear);
    }

    [Fact]
    public void A_circle_that_is_recorded_already_does_not_hang_us() =>
        Assert.IsType<FollowTarget.Chosen>(Choose("4", World.Primary(1), World.Standby(3), World.Standby(4, 5), World.Standby(5, 4)));

    // Step by step.

    private static SmallCluster AfterPromotion(bool slots)
    {
        SmallCluster cluster = SmallCluster.Of(3, slots);
        cluster.Servers[1].Up = false;
        cluster.Servers[2].InRecovery = false;
        cluster.Servers[2].Timeline = 2;
        cluster.Table[1] = cluster.Table[1] with { Active = false };
        cluster.Table[2] = cluster.Table[2] with { Type = NodeType.Primary, Upstream = null };
        return cluster;
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 2)]
    public async Task Stopped_after_any_step_it_can_be_run_again_to_the_same_end(bool slots, int upstream)
    {
        SmallCluster whole = AfterPromotion(slots);
        Plan plan = Ready(whole.PlanFollow(3, upstream, slots)).Plan;
        Assert.IsType<PlanOutcome.Done>(await RunAsync(whole, plan));
        Assert.True(whole.Streams(whole.Servers[3]));
        for (int stop = 0; stop <= plan.Steps.Count; stop++)
        {
            foreach (int times in (int[])[1, 2])
            {
                SmallCluster cluster = AfterPromotion(slots);
                foreach (Step step in Ready(cluster.PlanFollow(3, upstream, slots)).Plan.Steps.Take(stop))
                {
                    for (int time = 0; time < times; time++)
                        await cluster.RunAsync(step, TestContext.Current.CancellationToken);
                }

                Assert.IsType<PlanOutcome.Done>(await RunAsync(cluster, Ready(cluster.PlanFollow(3, upstream, slots)).Plan));
                Assert.Equal(whole.Picture(), cluster.Picture());
            }
        }
    }

    [Fact]
    public async Task A_standby_that_does_not_attach_is_put_back_where_it_streamed_from()
    {
        SmallCluster cluster = SmallCluster.Of(3, slots: true);
        string before = cluster.Picture();
        Plan plan = Ready(cluster.PlanFollow(3, 2, useSlots: true)).Plan;
        cluster.Servers[2].RefusesReplication = true;
        var failed = Assert.IsType<PlanOutcome.Failed>(await RunAsync(cluster, plan));
        Assert.Equal(ExitCode.FollowFailed, failed.ExitCode);
        Assert.Equal(before, cluster.Picture());
    }

    private static Task<PlanOutcome> RunAsync(SmallCluster cluster, Plan plan) =>
        new PlanExecutor(cluster, new NoLog()).RunAsync(plan, TestContext.Current.CancellationToken);
}
