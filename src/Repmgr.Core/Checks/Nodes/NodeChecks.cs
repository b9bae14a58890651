namespace Repmgr.Core.Checks.Nodes;

/// <summary>Judges what was seen of a node.</summary>
public static class NodeChecks
{
    /// <summary>All that a full check looks at.</summary>
    public static IReadOnlyList<CheckFinding> All(NodeHealthView view, CheckLimits limits) => [.. CheckItem.Full.Select(item => One(item, view, limits))];

    /// <summary>One of <see cref="CheckItem.Full"/>.</summary>
    public static CheckFinding One(CheckItem item, NodeHealthView view, CheckLimits limits) =>
        item == CheckItem.Role ? RoleCheck.Of(view)
        : item == CheckItem.Lag ? LagCheck.Of(view, limits.Lag)
        : item == CheckItem.Archive ? ArchiveCheck.Of(view, limits.Archive)
        : item == CheckItem.Upstream ? AttachmentCheck.Upstream(view)
        : item == CheckItem.Downstream ? AttachmentCheck.Downstream(view)
        : item == CheckItem.Slots ? SlotCheck.Inactive(view)
        : item == CheckItem.MissingSlots ? SlotCheck.Missing(view)
        : item == CheckItem.DataDirectory ? DirectoryCheck.Of(view.Directory)
        : throw new ArgumentOutOfRangeException(nameof(item), item, "an item that a look at the node does not answer");
}
