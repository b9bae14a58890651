using Repmgr.Core.Cloning;
using Repmgr.Core.Failover;
using Repmgr.Core.Settings;

namespace Repmgr.Core.Checks.Nodes;

/// <summary>Whether a node's slots serve those they are for. One that nobody uses keeps WAL until the disk is full.</summary>
public static class SlotCheck
{
    internal static CheckFinding Inactive(NodeHealthView view)
    {
        SlotView[] physical = [.. view.Room.Slots.Where(slot => slot.Physical)];
        SlotView[] inactive = [.. physical.Where(slot => slot.ActivePid is null)];
        return new CheckFinding(CheckItem.Slots, inactive.Length > 0 ? CheckStatus.Critical : CheckStatus.Ok, (physical.Length, inactive.Length) switch
        {
            (0, _) => "node has no physical replication slots",
            (var all, 0) => $"{all} of {all} physical replication slots are active",
            (var all, var idle) => $"{idle} of {all} physical replication slots are inactive ({string.Join(", ", inactive.Select(slot => slot.Lost ? $"{slot.Name}: its WAL is lost" : slot.Name))})",
        })
        {
            Performance = $"slots={physical.Length};{inactive.Length}",
            Values = new Dictionary<string, long> { ["slots"] = physical.Length, ["inactive"] = inactive.Length },
        };
    }

    internal static CheckFinding Missing(NodeHealthView view)
    {
        IReadOnlyList<string> missing = MissingNames(view);
        string names = string.Join(',', missing);
        return missing.Count == 0
            ? Finding(CheckStatus.Ok, "node has no missing physical replication slots", missing, "")
            : Finding(CheckStatus.Critical, $"{missing.Count} physical replication slots are missing ({string.Join(", ", missing)})", missing, $";{names}");
    }

    /// <summary>
    /// The slots that registered standbys are to use on this node and that are not there. Where agents decide, a slot's name carries a term:
    /// then it is said whose slot is missing.
    /// </summary>
    public static IReadOnlyList<string> MissingNames(NodeHealthView view)
    {
        ArgumentNullException.ThrowIfNull(view);
        IReadOnlyList<SlotView> slots = view.Room.Slots;
        return view.Failover == FailoverMode.Automatic
            ? [.. view.Downstreams.Where(node => slots.All(slot => TermSlot.StandbyOf(slot.Name) != node.Record.Id)).Select(node => $"repmgr_t*_h{view.Self.Id}_n{node.Record.Id}")]
            : [.. view.Downstreams.Select(node => node.Record.SlotName).OfType<string>().Where(name => name.Length > 0 && !slots.Any(slot => slot.Physical && slot.Name == name))];
    }

    private static CheckFinding Finding(CheckStatus status, string details, IReadOnlyList<string> missing, string names) => new(CheckItem.MissingSlots, status, details)
    {
        Performance = $"missing_slots={missing.Count}{names}",
        Values = new Dictionary<string, long> { ["missing"] = missing.Count },
    };
}
