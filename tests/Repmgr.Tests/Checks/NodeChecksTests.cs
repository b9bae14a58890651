using System.Text;
using Repmgr.Core.Checks.Nodes;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;
using static Repmgr.Tests.Checks.HealthWorld;
using static Repmgr.Tests.Cluster.World;

namespace Repmgr.Tests.Checks;

/// <summary>Each item of <c>node check</c>, in every state that it tells apart.</summary>
public sealed class NodeChecksTests
{
    private static readonly Lsn Ahead = new(0x3000100);

    private static readonly WalReceiverFacts Streaming = new("streaming", 1, "node1", 5432, null);

    [Fact]
    public void Every_item_in_every_state()
    {
        StringBuilder table = new();
        foreach ((string world, CheckItem item, NodeHealthView view) in Worlds)
        {
            CheckFinding finding = NodeChecks.One(item, view, Limits);
            table.AppendLine($"{item.Key}: {world}").AppendLine($"  {finding.Status.Name()}: {finding.Details}").AppendLine($"  | {finding.Performance}");
        }

        Golden.Matches("tests/Repmgr.Tests/Checks/node-checks.txt", table.ToString());
    }

    private static IEnumerable<(string World, CheckItem Item, NodeHealthView View)> Worlds =>
    [
        ("a primary", CheckItem.Role, OfPrimary),
        ("a standby", CheckItem.Role, OfStandby),
        ("a witness", CheckItem.Role, Seen(3, Primary(1), new NodeView(Record(3, NodeType.Witness, 1), Writable()))),
        ("a primary that was demoted by hand", CheckItem.Role, Seen(1, new NodeView(Record(1, NodeType.Primary), InRecovery()))),
        ("a standby that was promoted by hand", CheckItem.Role, Seen(2, Primary(1), new NodeView(Record(2, NodeType.Standby, 1), Writable()))),
        ("two primaries", CheckItem.Role, Seen(1, Primary(1), new NodeView(Record(2, NodeType.Standby, 1), Writable()))),
        ("a node that was taken out", CheckItem.Role, Seen(2, Primary(1), new NodeView(Record(2, NodeType.Standby, 1, active: false), InRecovery()))),

        ("a primary", CheckItem.Lag, OfPrimary),
        ("all is replayed", CheckItem.Lag, OfStandby),
        ("written a moment after the standby was looked at, on a quiet system", CheckItem.Lag, Lagging(Sender("node2"), age: 86400, received: 0)),
        ("behind by less than the limit", CheckItem.Lag, Lagging(Sender("node2", lag: TimeSpan.FromSeconds(299)), age: 299)),
        ("behind by the first limit", CheckItem.Lag, Lagging(Sender("node2", lag: TimeSpan.FromSeconds(300)), age: 300)),
        ("behind by the second limit", CheckItem.Lag, Lagging(Sender("node2", lag: TimeSpan.FromSeconds(600)), age: 600)),
        ("paused with WAL to be replayed", CheckItem.Lag, Lagging(Sender("node2"), age: 700, received: 0x80, paused: true)),
        ("detached, and all it has is replayed", CheckItem.Lag, Lagging(null, age: 700, received: 0)),
        ("detached, and the primary has written nothing since", CheckItem.Lag, Seen(2, Primary(1), Standby(2))),
        ("detached since it was started", CheckItem.Lag, Seen(2, new NodeView(Record(1, NodeType.Primary), Writable(Ahead)), Standby(2))),
        ("detached, and the primary is away", CheckItem.Lag, Seen(2, new NodeView(Record(1, NodeType.Primary), Silent), new NodeView(Record(2, NodeType.Standby, 1), InRecovery(commit: Now.AddSeconds(-50))))),
        ("behind a standby that streams, and the primary is away", CheckItem.Lag, Cascaded(Streaming)),
        ("behind a standby that does not stream, and the primary is away", CheckItem.Lag, Cascaded(null)),

        ("nothing waits", CheckItem.Archive, OfPrimary),
        ("15 files wait", CheckItem.Archive, Archiving(15)),
        ("16 files wait", CheckItem.Archive, Archiving(16)),
        ("128 files wait", CheckItem.Archive, Archiving(128)),
        ("the command fails", CheckItem.Archive, Archiving(1, "000000010000000000000003")),
        ("the command failed, and nothing waits any more", CheckItem.Archive, Archiving(0, "000000010000000000000003")),
        ("the command fails, and much waits", CheckItem.Archive, Archiving(128, "000000010000000000000003")),
        ("archiving is off", CheckItem.Archive, OfPrimary with { Archiving = new ArchivingView("off", null, null, 0, "000000010000000000000003") }),
        ("a role that may not see it", CheckItem.Archive, OfPrimary with { Archiving = new ArchivingView("on", "x", null, null, null) }),

        ("a primary", CheckItem.Upstream, OfPrimary),
        ("attached", CheckItem.Upstream, OfStandby),
        ("catching up", CheckItem.Upstream, Attached(Sender("node2", "catchup"))),
        ("attached under another name", CheckItem.Upstream, Seen(2, Primary(1, "walreceiver"), new NodeView(Record(2, NodeType.Standby, 1), InRecovery(receiver: Streaming)))),
        ("detached", CheckItem.Upstream, Seen(2, Primary(1), Standby(2))),
        ("attached elsewhere", CheckItem.Upstream, Seen(2, Primary(1), Standby(2), new NodeView(Record(3, NodeType.Standby, 1), InRecovery(attached: "node2")))),
        ("the upstream lets us not in, and it streams", CheckItem.Upstream, Seen(2, new NodeView(Record(1, NodeType.Primary), Rejected()), new NodeView(Record(2, NodeType.Standby, 1), InRecovery(receiver: Streaming)))),
        ("the upstream is away, and it receives nothing", CheckItem.Upstream, Seen(2, new NodeView(Record(1, NodeType.Primary), Silent), Standby(2))),
        ("the upstream is away, and of the receiver nothing is shown", CheckItem.Upstream, Seen(2,
            new NodeView(Record(1, NodeType.Primary), Silent), new NodeView(Record(2, NodeType.Standby, 1), InRecovery(receiver: new WalReceiverFacts(null, null, null, null, null))))),
        ("no upstream is registered", CheckItem.Upstream, Seen(2, Primary(1), new NodeView(Record(2), InRecovery()))),

        ("none", CheckItem.Downstream, Seen(1, Primary(1))),
        ("all are there", CheckItem.Downstream, OfPrimary),
        ("one is away", CheckItem.Downstream, Seen(1, Primary(1, "node2"), Standby(2), new NodeView(Record(3, NodeType.Standby, 1), Silent))),
        ("one hangs elsewhere, one catches up", CheckItem.Downstream, Seen(1,
            new NodeView(Record(1, NodeType.Primary), With("node2", "catchup")), new NodeView(Record(2, NodeType.Standby, 1), InRecovery(attached: "node3")), Standby(3))),
        ("a witness is none", CheckItem.Downstream, Seen(1, Primary(1), new NodeView(Record(3, NodeType.Witness, 1), Silent))),

        ("none", CheckItem.Slots, OfPrimary),
        ("all are used", CheckItem.Slots, OfPrimary.With(Slot("a", 7), Slot("b", 8))),
        ("one is not used, one lost its WAL, a logical one does not count", CheckItem.Slots,
            OfPrimary.With(Slot("a", 7), Slot("b"), new SlotView("c", true, null, true), new SlotView("logical", false, null, false))),

        ("none is to be there", CheckItem.MissingSlots, OfPrimary),
        ("all are there", CheckItem.MissingSlots, WithSlots(FailoverMode.Manual, Slot("repmgr_slot_2", 7), Slot("repmgr_slot_3", 8))),
        ("none is there", CheckItem.MissingSlots, WithSlots(FailoverMode.Manual)),
        ("one is there, but logical", CheckItem.MissingSlots, WithSlots(FailoverMode.Manual, new SlotView("repmgr_slot_2", false, 7, false), Slot("repmgr_slot_3", 8))),
        ("agents have made theirs", CheckItem.MissingSlots, WithSlots(FailoverMode.Automatic, Slot("repmgr_t5_h1_n2", 7), Slot("repmgr_t5_h1_n3", 8))),
        ("one of the agents' is not there", CheckItem.MissingSlots, WithSlots(FailoverMode.Automatic, Slot("repmgr_t5_h1_n2", 7), Slot("repmgr_slot_3", 8))),

        ("the same", CheckItem.DataDirectory, OfPrimary),
        ("not set", CheckItem.DataDirectory, OfPrimary with { Directory = new DataDirectoryView(null, "/data", null) }),
        ("another", CheckItem.DataDirectory, OfPrimary with { Directory = new DataDirectoryView("/old", "/data", false) }),
        ("no server there", CheckItem.DataDirectory, OfPrimary with { Directory = new DataDirectoryView("/old", null, false) }),
        ("the role may not see it", CheckItem.DataDirectory, OfPrimary with { Directory = new DataDirectoryView("/data", null, null) }),
    ];

    [Fact]
    public void Repmgrd_runs_is_paused_is_away_or_cannot_be_seen()
    {
        var agent = new AgentReport { Node = new NodeId(1), Pid = 7 };
        AgentReport pausing = agent with { Pause = new PauseReport(TimeSpan.FromHours(1), null, true) };
        Assert.Equal(
            [CheckStatus.Ok, CheckStatus.Critical, CheckStatus.Unknown, CheckStatus.Ok, CheckStatus.Warning, CheckStatus.Critical, CheckStatus.Unknown, CheckStatus.Unknown],
            new[]
            {
                RepmgrdCheck.Watching(7), RepmgrdCheck.Watching(0), RepmgrdCheck.Watching(null),
                RepmgrdCheck.Deciding(Answer(agent), 0), RepmgrdCheck.Deciding(Answer(pausing), 7),
                RepmgrdCheck.Deciding(Answer(null), 0), RepmgrdCheck.Deciding(Answer(null), 7), RepmgrdCheck.Deciding(null, null),
            }.Select(finding => finding.Status));
        Assert.Equal("repmgrd is running (PID 7), and does not answer (connection refused)", RepmgrdCheck.Deciding(Answer(null), 7).Details);

        static AgentAnswer Answer(AgentReport? report) => new(new NodeId(1), "node1", report, report is null ? "connection refused" : null);
    }

    [Fact]
    public void A_server_has_stopped_in_good_order_when_its_process_is_gone_and_the_control_file_says_so()
    {
        StringBuilder table = new();
        foreach (PostmasterStatus? running in (PostmasterStatus?[])[null, .. Enum.GetValues<PostmasterStatus>().Cast<PostmasterStatus?>()])
        {
            foreach (DatabaseState? state in (DatabaseState?[])[null, .. Enum.GetValues<DatabaseState>().Cast<DatabaseState?>()])
                table.AppendLine($"{running?.ToString() ?? "no process",-10} {state?.ToString() ?? "unreadable",-18} {ShutdownState.Of(running, state is { } known ? Control(known) : null).Line}");
        }

        Golden.Matches("tests/Repmgr.Tests/Checks/shutdown-states.txt", table.ToString());
    }

    private static ControlData Control(DatabaseState state) =>
        new(1, state, new Lsn(0x3000028), new Lsn(0x3000000), 1, default, 0, default, true, false, 16 << 20, 1300, 1);

    private static NodeHealthView Lagging(WalSenderFacts? sender, int age, ulong received = 0, bool paused = false) => Seen(2,
        new NodeView(Record(1, NodeType.Primary), Sending(Writable(Ahead), sender)),
        new NodeView(Record(2, NodeType.Standby, 1), InRecovery(received: new Lsn(0x3000000 + received), commit: Now.AddSeconds(-age), paused: paused)));

    private static NodeHealthView Cascaded(WalReceiverFacts? receiver) => Seen(
        3,
        new NodeView(Record(1, NodeType.Primary), Silent),
        new NodeView(Record(2, NodeType.Standby, 1), InRecovery(receiver: receiver, attached: "node3")),
        new NodeView(Record(3, NodeType.Standby, 2), InRecovery(commit: Now.AddHours(-5))));

    private static NodeHealthView Attached(WalSenderFacts sender) => Seen(2, new NodeView(Record(1, NodeType.Primary), Sending(Writable(), sender)), Standby(2));

    private static NodeProbe.Primary With(string name, string state) => Sending(Writable(), Sender(name, state));

    private static NodeProbe.Primary Sending(NodeProbe.Primary primary, WalSenderFacts? sender) =>
        primary with { Server = primary.Server with { Downstreams = sender is null ? [] : [sender] } };

    private static NodeHealthView Archiving(int pending, string? failed = null) =>
        OfPrimary with { Archiving = new ArchivingView("on", "cp %p /archive/%f", null, pending, failed) };

    private static SlotView Slot(string name, int? pid = null) => new(name, true, pid, false);

    private static NodeHealthView WithSlots(FailoverMode failover, params SlotView[] slots)
    {
        NodeHealthView seen = Seen(1, Primary(1, "node2", "node3"), Standby(2).Slotted("repmgr_slot_2"), Standby(3).Slotted("repmgr_slot_3"));
        return seen.With(slots) with { Failover = failover };
    }
}
