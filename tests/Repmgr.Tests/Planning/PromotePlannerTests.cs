using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Hosts;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Planning.Promotion;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Execution;
using Repmgr.Tests.Cluster;

namespace Repmgr.Tests.Planning;

public class PromotePlannerTests
{
    private static readonly RightsView Superuser =
        new("repmgr", "repmgr", true, true, new(true, true, []), null, true, true, true, true, true, "repmgr", true);

    private static readonly RightsView Nobody =
        new("repmgr", "repmgr", false, false, new(true, false, [new("events", 0), new("nodes", 0)]), null, true, false, false, false, false, "repmgr", false);

    private static readonly RightsView Writer = Nobody with { Database = "metadata", Schema = new(true, false, []) };

    private static Conninfo On(string conninfo) => Conninfo.TryParse(conninfo, out Conninfo? parsed, out _) ? parsed : Conninfo.Empty;

    private static Planned Plan(
        ClusterView cluster, bool force = false, bool siblingsFollow = false, RightsView? rights = null, string? command = null, NodeProbe? local = null,
        Detected<PromoteWay.PgCtl>? pgCtl = null) =>
        PromotePlanner.Plan(
            new PromoteRequest(
                new NodeId(2), "node2", On("host=node2 user=repmgr"), force, siblingsFollow, command, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(30)),
            new PromoteSeen(
                local ?? cluster.Find(new NodeId(2))?.Probe ?? World.InRecovery(),
                cluster,
                rights ?? Superuser,
                new ServerRoom(10, 0, 10, []),
                new Dictionary<NodeId, (Conninfo, FollowerView)>(),
                pgCtl));

    private static NodeView Dead(int id, NodeType type = NodeType.Primary) => new(World.Record(id, type), World.Silent);

    private static IReadOnlyList<Problem> Refused(Planned planned) => Assert.IsType<Planned.Refused>(planned).Problems;

    private static Planned.Ready Ready(Planned planned) => Assert.IsType<Planned.Ready>(planned);

    [Fact]
    public void A_standby_whose_primary_is_dead_is_promoted_and_all_is_recorded_at_once()
    {
        Plan plan = Ready(Plan(World.See(Dead(1), World.Standby(2)))).Plan;
        Assert.Collection(
            plan.Steps,
            step => Assert.IsType<Step.Promote>(step),
            step =>
            {
                var write = Assert.IsType<Step.WriteNode>(step);
                Assert.Equal((NodeType.Primary, null, true), (write.Record.Type, write.Record.Upstream, write.Record.Active));
                Assert.Equal([new NodeId(1)], write.Deactivate);
            });
    }

    [Fact]
    public void Another_live_primary_forbids_it_and_force_changes_nothing()
    {
        foreach (bool force in (bool[])[false, true])
            Assert.Contains("running primary", Assert.Single(Refused(Plan(World.See(World.Primary(1), World.Standby(2)), force))).Message);
    }

    [Fact]
    public void A_live_primary_that_is_registered_as_a_standby_counts_too() =>
        Assert.Contains(Refused(Plan(World.See(Dead(1), World.Standby(2), new NodeView(World.Record(3, NodeType.Standby, 1), World.Writable())))), p => p.Message.Contains("\"node3\""));

    [Fact]
    public void A_live_primary_that_is_registered_as_inactive_counts_too() =>
        Assert.Single(Refused(Plan(World.See(new NodeView(World.Record(1, NodeType.Primary, active: false), World.Writable()), World.Standby(2)), force: true)));

    [Fact]
    public void A_witness_accepts_writes_and_is_no_primary() =>
        Ready(Plan(World.See(Dead(1), World.Standby(2), new NodeView(World.Record(4, NodeType.Witness, 1), World.Writable()))));

    [Theory]
    [InlineData("57P03")] // Starting up: it will be a primary in a moment.
    [InlineData("53300")] // Too many clients: it is one.
    [InlineData("28000")] // pg_hba.conf turns us away: it may well serve others.
    public void A_registered_primary_that_turns_us_away_is_doubted_unless_forced(string sqlState)
    {
        ClusterView cluster = World.See(new NodeView(World.Record(1, NodeType.Primary), World.Rejected(sqlState)), World.Standby(2));
        Assert.Contains("may be a primary", Assert.Single(Refused(Plan(cluster))).Message);
        Assert.Contains(Ready(Plan(cluster, force: true)).Notices, notice => notice.Message.Contains("may be a primary"));
    }

    [Fact]
    public void All_that_is_in_the_way_is_said_at_once()
    {
        IReadOnlyList<Problem> problems = Refused(Plan(
            World.See(World.Primary(1), new NodeView(World.Record(3, NodeType.Primary), World.Rejected())), rights: Writer, local: World.InRecovery()));
        Assert.Equal(4, problems.Count); // The live one, not registered, no right on pg_promote, the doubtful one.
        Assert.All(problems, problem => Assert.NotNull(problem.Hint));
    }

    [Fact]
    public void Missing_rights_are_said_as_the_statements_that_grant_them()
    {
        Problem problem = Assert.Single(Refused(Plan(World.See(Dead(1), World.Standby(2)), rights: Nobody)));
        Assert.Contains("GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO \"repmgr\";", problem.Detail);
        Assert.Contains("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA repmgr TO \"repmgr\";", problem.Detail);
    }

    [Fact]
    public void A_promote_command_of_the_operator_needs_no_right_on_pg_promote()
    {
        Assert.Equal(new PromoteWay.Command("pg_ctlcluster 15 main promote"), Assert.IsType<Step.Promote>(
            Ready(Plan(World.See(Dead(1), World.Standby(2)), rights: Writer, command: "pg_ctlcluster 15 main promote")).Plan.Steps[0]).Way);
        Assert.Single(Refused(Plan(World.See(Dead(1), World.Standby(2)), rights: Writer)));
    }

    [Fact]
    public void Without_the_right_on_pg_promote_a_local_server_is_promoted_from_outside()
    {
        var here = new Detected<PromoteWay.PgCtl>.Found(PromoteWay.PgCtl.In("/bin/pg_ctl", "/data"), "");
        Planned.Ready ready = Ready(Plan(World.See(Dead(1), World.Standby(2)), rights: Writer, pgCtl: here));
        Assert.Equal("promote node \"node2\" (ID: 2) to primary with \"/bin/pg_ctl -W -s -D /data promote\"", ready.Plan.Steps[0].Describe());
        Problem notice = Assert.Single(ready.Notices);
        Assert.Contains("GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO \"repmgr\";", notice.Detail);
        Assert.Contains("in database \"metadata\" of the primary", notice.Hint);

        // Who may use the server's own function does, and an operator's command goes before both.
        Assert.IsType<PromoteWay.Sql>(WayOf(Plan(World.See(Dead(1), World.Standby(2)), rights: Writer with { Promotes = true }, pgCtl: here)));
        Assert.IsType<PromoteWay.Command>(WayOf(Plan(World.See(Dead(1), World.Standby(2)), rights: Writer, command: "x", pgCtl: here)));
    }

    [Fact]
    public void Where_the_server_is_elsewhere_the_grant_is_said_with_its_database_and_why_pg_ctl_is_no_way()
    {
        var elsewhere = new Detected<PromoteWay.PgCtl>.Unclear(new Problem("the server does not run here", "No process."));
        Problem problem = Assert.Single(Refused(Plan(World.See(Dead(1), World.Standby(2)), rights: Writer, pgCtl: elsewhere)));
        Assert.Equal(
            "Missing, in the words that grant it:\n  GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO \"repmgr\";\n"
            + "Nor can pg_ctl be used from here: the server does not run here. No process.",
            problem.Detail);
        Assert.Contains("in database \"metadata\" of the primary", problem.Hint);
    }

    [Fact]
    public void A_right_that_the_promotion_does_not_need_does_not_stop_it()
    {
        RightsView narrow = Writer with { Promotes = true, Schema = new(true, false, [new("monitoring_history", 0), new("nodes", TablePrivileges.All)]) };
        Ready(Plan(World.See(Dead(1), World.Standby(2)), rights: narrow));

        // Once something is refused, all of it is listed.
        Problem problem = Assert.Single(Refused(Plan(
            World.See(Dead(1), World.Standby(2)), rights: narrow with { Schema = new(false, false, narrow.Schema!.Tables) })));
        Assert.Contains("GRANT USAGE ON SCHEMA repmgr TO \"repmgr\";", problem.Detail);
        Assert.Contains("ON TABLE repmgr.monitoring_history TO", problem.Detail);
    }

    [Fact]
    public void Where_the_records_cannot_be_read_it_is_the_rights_that_are_missing_not_the_registration()
    {
        Problem problem = Assert.Single(Refused(Plan(World.See(), rights: Nobody with { Promotes = true }, local: World.InRecovery())));
        Assert.Contains("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA repmgr", problem.Detail);
    }

    private static PromoteWay WayOf(Planned planned) => Assert.IsType<Step.Promote>(Ready(planned).Plan.Steps[0]).Way;

    [Fact]
    public void A_primary_is_not_promoted_again() =>
        Assert.Contains("primary already", Assert.Single(Refused(Plan(World.See(World.Primary(2), World.Standby(3, 2))))).Message);

    [Fact]
    public void One_that_was_promoted_without_being_recorded_is_recorded()
    {
        Planned.Ready ready = Ready(Plan(World.See(Dead(1), new NodeView(World.Record(2, NodeType.Standby, 1), World.Writable(timeline: 2)))));
        Assert.IsType<Step.WriteNode>(Assert.Single(ready.Plan.Steps));
        Assert.Contains(ready.Notices, notice => notice.Message.Contains("accepts writes already"));
    }

    [Fact]
    public void A_server_that_does_not_answer_is_exit_6() =>
        Assert.Equal(ExitCode.DbConnection, Assert.IsType<Planned.Refused>(Plan(World.See(Dead(1)), local: World.Silent)).ExitCode);

    [Fact]
    public void A_standby_with_more_WAL_is_named()
    {
        ClusterView cluster = World.See(Dead(1), World.Standby(2), new NodeView(World.Record(3, NodeType.Standby, 1), World.InRecovery(new Lsn(0x3000100), new Lsn(0x3000100))));
        Assert.Contains("256 bytes more", Ready(Plan(cluster)).Notices[^1].Detail);
    }

    [Fact]
    public void Standbys_left_behind_are_named_with_what_to_run()
    {
        Problem notice = Assert.Single(Ready(Plan(World.See(Dead(1), World.Standby(2), World.Standby(3), World.Standby(4, 2), World.Standby(5, 3)))).Notices);
        Assert.Equal("Left behind: node \"node3\" (ID: 3).", notice.Detail); // 4 is ours, 5 streams from 3, which follows.
        Assert.Contains("standby follow", notice.Hint);
    }

    [Fact]
    public void A_sibling_that_cannot_follow_stops_the_promotion_only_without_force()
    {
        ClusterView cluster = World.See(Dead(1), World.Standby(2), new NodeView(World.Record(3, NodeType.Standby, 1), World.Silent));
        Assert.Contains("cannot be reached", Assert.Single(Refused(Plan(cluster, siblingsFollow: true))).Message);
        Assert.Contains(Ready(Plan(cluster, siblingsFollow: true, force: true)).Notices, notice => notice.Message.Contains("cannot be reached"));
    }

    [Fact]
    public async Task Siblings_follow_and_are_recorded()
    {
        SmallCluster cluster = SmallCluster.Of(4, slots: true);
        cluster.Servers[1].Up = false;
        PlanOutcome outcome = await RunAsync(cluster, Ready(cluster.PlanPromotion(2, siblingsFollow: true)).Plan);
        Assert.IsType<PlanOutcome.Done>(outcome);
        Assert.All((int[])[3, 4], id =>
        {
            Assert.True(cluster.Streams(cluster.Servers[id]));
            Assert.Equal(new NodeId(2), cluster.Table[id].Upstream);
        });
        Assert.False(cluster.Table[1].Active);
    }

    [Fact]
    public async Task One_sick_sibling_does_not_keep_the_others_from_following()
    {
        SmallCluster cluster = SmallCluster.Of(4);
        cluster.Servers[1].Up = false;
        Plan plan = Ready(cluster.PlanPromotion(2, siblingsFollow: true)).Plan;
        cluster.Servers[3].Up = false;
        var failed = Assert.IsType<PlanOutcome.Failed>(await RunAsync(cluster, plan));
        Assert.True(failed.InAftermath);
        Assert.True(cluster.Streams(cluster.Servers[4]));
        Assert.Equal(new NodeId(2), cluster.Table[4].Upstream);
        Assert.Equal(new NodeId(1), cluster.Table[3].Upstream);
    }

    [Fact]
    public async Task Stopped_after_any_step_it_can_be_run_again_to_the_same_end()
    {
        SmallCluster whole = SmallCluster.Of(4, slots: true);
        whole.Servers[1].Up = false;
        Plan plan = Ready(whole.PlanPromotion(2)).Plan;
        await RunAsync(whole, plan);
        for (int stop = 0; stop <= plan.Steps.Count; stop++)
        {
            foreach (int times in (int[])[1, 2])
            {
                SmallCluster cluster = SmallCluster.Of(4, slots: true);
                cluster.Servers[1].Up = false;
                foreach (Step step in Ready(cluster.PlanPromotion(2)).Plan.Steps.Take(stop))
                {
                    for (int time = 0; time < times; time++)
                        await cluster.RunAsync(step, TestContext.Current.CancellationToken);
                }

                if (cluster.PlanPromotion(2) is Planned.Ready again)
                    Assert.IsType<PlanOutcome.Done>(await RunAsync(cluster, again.Plan));
                else
                    Assert.Equal(plan.Steps.Count, stop); // All was done: nothing is left to promote.
                Assert.Equal(whole.Picture(), cluster.Picture());
            }
        }
    }

    private static Task<PlanOutcome> RunAsync(SmallCluster cluster, Plan plan) =>
        new PlanExecutor(cluster, new NoLog()).RunAsync(plan, TestContext.Current.CancellationToken);
}
