using Repmgr.Core.Checks.Nodes;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Settings;
using static Repmgr.Tests.Cluster.World;

namespace Repmgr.Tests.Checks;

/// <summary>Words for what was seen of the local node.</summary>
internal static class HealthWorld
{
    public static readonly CheckLimits Limits = new(new Thresholds(16, 128), new Thresholds(300, 600));

    /// <summary>A look at node 1 or, where the first is a standby, at node 2, in good order but for what is changed.</summary>
    public static NodeHealthView Seen(int self, params NodeView[] nodes) => new(
        nodes.First(node => node.Record.Id == new NodeId(self)).Record,
        See(nodes),
        new ServerRoom(10, 2, 10, []),
        new ArchivingView("on", "cp %p /archive/%f", null, 0, null),
        new DataDirectoryView("/data", "/data", true),
        FailoverMode.Manual);

    public static NodeHealthView OfPrimary => Seen(1, Primary(1, "node2", "node3"), Standby(2), Standby(3));

    public static NodeHealthView OfStandby => Seen(2, Primary(1, "node2", "node3"), Standby(2), Standby(3));

    public static NodeHealthView With(this NodeHealthView view, params SlotView[] slots) => view with { Room = view.Room with { Slots = slots } };

    public static NodeView Slotted(this NodeView node, string slot) => node with { Record = node.Record with { SlotName = slot } };
}
