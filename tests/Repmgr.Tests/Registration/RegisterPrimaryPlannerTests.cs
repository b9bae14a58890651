using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Problems;
using Repmgr.Tests.Cluster;
using static Repmgr.Tests.Registration.SimulatedCluster;

namespace Repmgr.Tests.Registration;

public sealed class RegisterPrimaryPlannerTests
{
    private static readonly NodeRecord Node = World.Record(1, NodeType.Primary);

    [Fact]
    public void The_first_node_gets_the_metadata_and_its_record_whenever_it_is_stopped()
    {
        SimulatedCluster done = InEveryPrefix(
            () => new SimulatedCluster { Servers = { [1] = World.Writable() } }, cluster => Plan(cluster, original: "test"), mayRefuseWhenDone: true);

        Assert.Equal([Node], done.Table.Values);
        Assert.True(done.OriginalViews);
    }

    [Fact]
    public void A_takeover_keeps_the_records_whenever_it_is_stopped()
    {
        SimulatedCluster done = InEveryPrefix(
            () =>
            {
                SimulatedCluster old = new() { Servers = { [1] = World.Writable(), [2] = World.InRecovery() } };
                old.Register(Node with { ConfigFile = "/old" }, World.Record(2, upstream: 1));
                old.Schema = new SchemaState.Extension("5.3");
                return old;
            },
            cluster => Plan(cluster, force: true),
            mayRefuseWhenDone: false);

        Assert.Equal([Node, World.Record(2, upstream: 1)], done.Table.Values);
        Assert.Equal(new SchemaState.Present(SchemaState.Current), done.Schema);
    }

    [Fact]
    public void A_promoted_node_takes_the_place_of_a_dead_primary()
    {
        SimulatedCluster done = InEveryPrefix(
            () =>
            {
                SimulatedCluster cluster = new() { Servers = { [1] = World.Writable(timeline: 2) } };
                cluster.Register(Node with { Type = NodeType.Standby, Upstream = new NodeId(2) }, World.Record(2, NodeType.Primary));
                return cluster;
            },
            cluster => Plan(cluster, force: true),
            mayRefuseWhenDone: false);

        Assert.Equal(Node, done.Table[new NodeId(1)]);
        Assert.False(done.Table[new NodeId(2)].Active);
    }

    [Fact]
    public void The_plan_reads_as_it_will_be_done()
    {
        SimulatedCluster cluster = new() { Servers = { [1] = World.Writable() } };
        cluster.Register(World.Record(2, NodeType.Primary));
        cluster.Schema = new SchemaState.Extension("5.3");

        Assert.Equal(
            [
                "take the metadata over from extension \"repmgr\" 5.3, and drop the extension, with the views of schema \"repmgr_a \"\"b\"\"\"",
                "record node \"node1\" (ID: 1) as primary, and mark as inactive: node 2",
            ],
            ((Planned.Ready)Plan(cluster, force: true, original: "a \"b\"")).Plan.Steps.Select(step => step.Describe()));
    }

    [Fact]
    public void Everything_that_stands_in_the_way_is_said_at_once()
    {
        SimulatedCluster cluster = new() { Servers = { [1] = World.Writable(), [2] = World.Writable(started: 9) } };
        cluster.Register(Node with { Name = "other" }, World.Record(2, NodeType.Primary, name: "node1"));
        cluster.Rights = Allowed with { Schema = new SchemaRights(true, true, [new TableRights("nodes", TablePrivileges.Select)]), Monitors = false };

        Assert.Equal(
            [
                "the name \"node1\" belongs to node 2",
                "node 1 is already registered",
                "another primary is alive: node \"node1\" (ID: 2)",
                "role \"repmgr\" lacks rights in database \"repmgr\"",
            ],
            Refusal(cluster));
    }

    [Fact]
    public void A_living_second_primary_cannot_be_forced_away()
    {
        SimulatedCluster cluster = new() { Servers = { [1] = World.Writable(), [2] = World.Writable(started: 9) } };
        cluster.Register(Node, World.Record(2, NodeType.Primary));

        Assert.Equal(["another primary is alive: node \"node2\" (ID: 2)"], Refusal(cluster, force: true));
    }

    [Fact]
    public void The_same_server_under_another_number_is_recognised()
    {
        SimulatedCluster cluster = new() { Servers = { [1] = World.Writable(), [2] = World.Writable() } };
        cluster.Register(World.Record(2, NodeType.Primary));

        Assert.Equal(["this server is registered already, as node \"node2\" (ID: 2)"], Refusal(cluster));
    }

    [Fact]
    public void A_standby_an_unreachable_and_a_closed_server_are_refused_each_in_its_way()
    {
        (NodeProbe Probe, ExitCode ExitCode, string Message)[] cases =
        [
            (World.InRecovery(), ExitCode.BadConfig, "the server of node 1 is a standby"),
            (World.Silent, ExitCode.DbConnection, "node \"node1\" cannot be reached"),
            (World.Rejected(), ExitCode.DbConnection, "node \"node1\" does not let us in"),
            (World.Rejected("28P01"), ExitCode.MonitoringTimeoutOrBadPassword, "the password for node \"node1\" was rejected"),
        ];
        foreach ((NodeProbe probe, ExitCode exitCode, string message) in cases)
        {
            var refused = Assert.IsType<Planned.Refused>(Plan(new SimulatedCluster { Servers = { [1] = probe } }));
            Assert.Equal((exitCode, message), (refused.ExitCode, refused.Problems.Single().Message));
        }
    }

    [Fact]
    public void What_is_not_ours_is_not_touched()
    {
        SimulatedCluster foreign = new() { Servers = { [1] = World.Writable() }, Schema = new SchemaState.Foreign("nodes") };
        SimulatedCluster newer = new() { Servers = { [1] = World.Writable() }, Schema = new SchemaState.Present(SchemaState.Current + 1) };
        SimulatedCluster old = new() { Servers = { [1] = World.Writable() }, Schema = new SchemaState.Extension("5.3") };

        Assert.Equal(["schema \"repmgr\" holds something that is not repmgr's"], Refusal(foreign, force: true));
        Assert.Equal(["the metadata was made by a newer repmgr"], Refusal(newer, force: true));
        Assert.Equal(["this cluster was registered by repmgr 5: its metadata belongs to extension \"repmgr\" 5.3"], Refusal(old));
    }

    [Fact]
    public void A_takeover_waits_until_the_old_daemons_are_stopped()
    {
        SimulatedCluster cluster = new() { Servers = { [1] = World.Writable() }, Schema = new SchemaState.Extension("5.3") };
        Planned planned = RegisterPrimaryPlanner.Plan(
            Request(force: true), new PrimarySeen(cluster.Servers[1], cluster.Metadata, cluster.View, [World.Record(2)]));

        Problem problem = Assert.Single(Assert.IsType<Planned.Refused>(planned).Problems);
        Assert.Equal("the repmgrd of repmgr 5 is still running", problem.Message);
        Assert.Contains("node \"node2\" (ID: 2)", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_role_that_does_not_own_the_extension_needs_a_superuser()
    {
        SimulatedCluster cluster = new()
        {
            Servers = { [1] = World.Writable() },
            Schema = new SchemaState.Extension("5.3"),
            Rights = Allowed with { OwnsExtension = false },
        };

        Assert.Equal(["role \"repmgr\" does not own extension \"repmgr\""], Refusal(cluster, force: true));
        var ready = Assert.IsType<Planned.Ready>(RegisterPrimaryPlanner.Plan(
            Request(force: true) with { Superuser = Parse("user=postgres") },
            new PrimarySeen(cluster.Servers[1], cluster.Metadata, cluster.View, [])));
        Assert.Equal(
            new Step.EnsureSchema(Parse("user=postgres"), cluster.Schema, null, "repmgr"), ready.Plan.Steps[0]);
    }

    [Fact]
    public void Rights_that_only_later_commands_need_are_told_and_do_not_stop()
    {
        SimulatedCluster cluster = new()
        {
            Servers = { [1] = World.Writable() },
            Rights = Allowed with { Role = "ops \"x\"", Monitors = false, Promotes = false, Resumes = false, Checkpoints = false, Replicates = false, MissingCloneFunctions = ["pg_ls_dir(text, boolean, boolean)"] },
        };

        Problem notice = Assert.Single(Assert.IsType<Planned.Ready>(Plan(cluster)).Notices);
        Assert.Equal(
            """"
            Missing, in the words that grant it:
              GRANT pg_monitor TO "ops ""x""";
              GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO "ops ""x""";
              GRANT EXECUTE ON FUNCTION pg_catalog.pg_wal_replay_resume() TO "ops ""x""";
              GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text, boolean, boolean) TO "ops ""x""";
              GRANT pg_checkpoint TO "ops ""x""";
              ALTER ROLE "repmgr" REPLICATION;
            """".ReplaceLineEndings("\n"),
            notice.Detail);
    }

    [Fact]
    public void A_metadata_schema_of_another_role_is_told_as_the_statements_that_open_it()
    {
        SimulatedCluster cluster = new()
        {
            Servers = { [1] = World.Writable() },
            Schema = new SchemaState.Unread(),
            Rights = Allowed with { Database = "data", Schema = new(false, false, [new("events", 0), new("nodes", 0)]), Monitors = false },
        };

        Problem problem = Assert.Single(Assert.IsType<Planned.Refused>(Plan(cluster, force: true)).Problems);
        Assert.Equal(
            """
            Missing, in the words that grant it:
              GRANT USAGE, CREATE ON SCHEMA repmgr TO "repmgr";
              GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA repmgr TO "repmgr";
              GRANT pg_monitor TO "repmgr";
            """.ReplaceLineEndings("\n"),
            problem.Detail);
        Assert.Equal("Run these statements as a superuser in database \"data\" of the primary.", problem.Hint);
    }

    [Fact]
    public void A_superuser_that_is_named_makes_the_role_the_owner_of_what_it_lacks_rights_on()
    {
        SimulatedCluster cluster = new() { Servers = { [1] = World.Writable() } };
        cluster.Register(Node);
        cluster.Rights = Allowed with { Schema = new(true, true, [new("nodes", TablePrivileges.Select)]) };

        var ready = Assert.IsType<Planned.Ready>(RegisterPrimaryPlanner.Plan(
            Request(force: true) with { Superuser = Parse("user=postgres") }, new PrimarySeen(cluster.Servers[1], cluster.Metadata, cluster.View, [])));
        Assert.Equal(new Step.EnsureSchema(Parse("user=postgres"), cluster.Schema, null, "repmgr"), ready.Plan.Steps[0]);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void The_schema_of_1x_needs_rights_only_where_views_are_made_in_it(bool viewsAreThere, bool refused)
    {
        SimulatedCluster cluster = new() { Servers = { [1] = World.Writable() }, OriginalViews = viewsAreThere };
        cluster.Register(Node);
        cluster.Rights = Allowed with { OriginalSchema = new(false, false, []) };

        Planned planned = Plan(cluster, force: true, original: "te st");
        Assert.Equal(refused, planned is Planned.Refused { Problems: [{ Detail: { } detail }] }
            && detail.Contains("GRANT USAGE, CREATE ON SCHEMA \"repmgr_te st\" TO \"repmgr\";", StringComparison.Ordinal));
    }

    private static Planned Plan(SimulatedCluster cluster, bool force = false, string? original = null) =>
        RegisterPrimaryPlanner.Plan(
            Request(force, original),
            new PrimarySeen(cluster.Servers[1], cluster.Servers[1] is NodeProbe.Primary ? cluster.Metadata : null, cluster.View, []));

    private static RegisterPrimaryRequest Request(bool force, string? original = null) =>
        new(Node, Parse("host=node1 user=repmgr"), original, force, []);

    private static IEnumerable<string> Refusal(SimulatedCluster cluster, bool force = false) =>
        Assert.IsType<Planned.Refused>(Plan(cluster, force)).Problems.Select(problem => problem.Message);
}
