using Repmgr.Core.Checks;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Planning.Rejoining;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Tests.Cluster;

namespace Repmgr.Tests.Planning;

public class RejoinPlannerTests
{
    private static readonly Lsn Fork = new(0x3000000);

    private static readonly ReplicationRights Rights = new("repmgr", true, true, true, true, true, "repmgr");

    private static Planned Plan(
        Lsn? end = null, int timeline = 1, DatabaseState state = DatabaseState.ShutDown, bool slots = false, int major = 17, ReplicationSource? present = null,
        ServerRoom? room = null, Problem? refused = null, NodeProbe? primary = null, ulong system = World.SystemIdentifier)
    {
        var node = new NodeView(World.Record(2, NodeType.Primary), primary ?? World.Writable(timeline: 2));
        Lsn position = end ?? Fork;
        return RejoinPlanner.Plan(
            new RejoinRequest(World.Record(1, NodeType.Primary), new Settings { UseReplicationSlots = slots }, new ReplicationCredentials(null, null, null)),
            new RejoinSeen(
                "/data", state, new CopyEnd(system, timeline, position, position, true, timeline == 1 ? TimelineHistory.First : null), new PostgresVersion(major * 10000), present,
                new UpstreamView(
                    node, Conninfo.Empty,
                    refused is null ? new SourceEnd(World.SystemIdentifier, 2, new Lsn(0x4000000), new TimelineHistory(2, [new TimelineHistory.Ancestor(1, Fork)]), true, true) : null,
                    refused, room ?? new ServerRoom(10, 0, 10, []), Rights)));
    }

    private static Plan Ready(Planned planned) => Assert.IsType<Planned.Ready>(planned).Plan;

    private static string Refused(Planned planned)
    {
        var refused = Assert.IsType<Planned.Refused>(planned);
        Assert.Equal(ExitCode.RejoinFailed, refused.ExitCode);
        return Assert.Single(refused.Problems).Message;
    }

    [Fact]
    public void What_ends_where_the_primary_went_on_follows_with_the_data_that_it_has()
    {
        var ready = Assert.IsType<Planned.Ready>(Plan());
        Assert.Collection(
            ready.Plan.Steps,
            step => Assert.Contains("host=node2", Assert.IsType<Step.ConfigureStandby>(step).Settings["primary_conninfo"], StringComparison.Ordinal),
            step => Assert.Equal("node1", Assert.IsType<Step.StartStandby>(step).Name),
            step => Assert.Equal((NodeType.Standby, new NodeId(2), true), Assert.IsType<Step.WriteNode>(step).Record is var record ? (record.Type, record.Upstream!.Value, record.Active) : default));
        Assert.Equal(2, ready.Plan.AftermathFrom);
        Assert.Contains("stopped in good order", Assert.Single(ready.Notices).Detail, StringComparison.Ordinal);
        Assert.Contains("not stopped in good order", Assert.Single(Assert.IsType<Planned.Ready>(Plan(state: DatabaseState.InProduction)).Notices).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void One_byte_more_than_the_primary_has_is_refused_and_counted()
    {
        var refused = Assert.IsType<Planned.Refused>(Plan(new Lsn(Fork.Bytes + 1)));
        Problem problem = Assert.Single(refused.Problems);
        Assert.Equal("node \"node1\" cannot follow node \"node2\": their histories diverge", problem.Message);
        Assert.Contains("1 bytes past that point", problem.Detail, StringComparison.Ordinal);
        Assert.Contains("repmgr standby clone --force", problem.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_clusters_timelines_versions_and_a_refused_connection_are_in_the_way()
    {
        Assert.Contains("belong to different clusters", Refused(Plan(system: 1)), StringComparison.Ordinal);
        Assert.Contains("their histories diverge", Refused(Plan(timeline: 3)), StringComparison.Ordinal);
        Assert.Contains("different versions", Refused(Plan(major: 16)), StringComparison.Ordinal);
        Assert.Equal("no", Refused(Plan(refused: new Problem("no"))));
        Assert.Contains("cannot be reached", Refused(Plan(primary: World.Silent)), StringComparison.Ordinal);
        Assert.Contains("has no WAL sender left", Refused(Plan(room: new ServerRoom(1, 1, 10, []))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_slot_is_made_where_it_is_wanted_and_missing()
    {
        Assert.DoesNotContain(Ready(Plan()).Steps, step => step is Step.ReserveSlot);
        Assert.Equal("repmgr_slot_1", Assert.IsType<Step.ReserveSlot>(Ready(Plan(slots: true)).Steps[0]).Slot);
        Assert.DoesNotContain(Ready(Plan(slots: true, room: new ServerRoom(10, 0, 10, [new SlotView("repmgr_slot_1", true, null, false)]))).Steps, step => step is Step.ReserveSlot);
        // One that was in use stays in use, whatever is configured.
        Plan kept = Ready(Plan(present: new ReplicationSource(Conninfo.Empty, "own")));
        Assert.Equal("own", Assert.IsType<Step.ReserveSlot>(kept.Steps[0]).Slot);
        Assert.Equal("own", Assert.IsType<Step.WriteNode>(kept.Steps[^1]).Record.SlotName);
        Assert.Contains("has no replication slot left", Refused(Plan(slots: true, room: new ServerRoom(10, 0, 0, []))), StringComparison.Ordinal);
    }
}
