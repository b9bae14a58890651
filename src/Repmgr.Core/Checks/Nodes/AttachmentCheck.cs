using Repmgr.Core.Cluster;

namespace Repmgr.Core.Checks.Nodes;

/// <summary>Whether standbys hang where the records say.</summary>
internal static class AttachmentCheck
{
    public static CheckFinding Upstream(NodeHealthView view)
    {
        if (view.Node.Probe is not NodeProbe.Standby || view.Self.Type == NodeType.Witness)
            return Finding(CheckStatus.Ok, $"N/A - node is {(view.Self.Type == NodeType.Witness ? "witness" : "primary")}");
        if (view.Self.Upstream is not { } id || view.Cluster.Find(id) is not { } upstream)
            return Finding(CheckStatus.Unknown, $"no upstream is registered for {view.Self.Label}");

        string self = view.Self.Label, expected = $"expected upstream {upstream.Record.Label}";
        return view.Node.Attachment switch
        {
            Attachment.To to when to.Node.Id != id => Finding(CheckStatus.Critical, $"{self} is attached to {to.Node.Label}, not to {expected}"),
            Attachment.To { IsStreaming: false } to => Finding(CheckStatus.Critical, $"{self} is attached to {expected}, but in state \"{to.Sender.State}\""),
            Attachment.To { UnderOwnName: false } to =>
                Finding(CheckStatus.Warning, $"{self} is attached to {expected} as \"{to.Sender.ApplicationName}\", not under its own name"),
            Attachment.To => Finding(CheckStatus.Ok, $"{self} is attached to {expected}"),
            Attachment.None => Finding(CheckStatus.Critical, $"{self} is not attached to {expected}"),
            _ => Unseen(view, upstream, expected),
        };
    }

    // A standby knows itself whether it receives.
    private static CheckFinding Unseen(NodeHealthView view, NodeView upstream, string expected) => view.Node.Probe switch
    {
        NodeProbe.Standby { Receiver: { Status: "streaming" } receiver } when NodeReach.Serves(upstream.Record, receiver) =>
            Finding(CheckStatus.Ok, $"{view.Self.Label} streams from {expected}, as it says itself"),
        NodeProbe.Standby { Receiver: null } =>
            Finding(CheckStatus.Critical, $"{view.Self.Label} receives nothing, and {expected} cannot be asked{Why(upstream)}"),
        _ => Finding(CheckStatus.Unknown, $"cannot tell whether {view.Self.Label} is attached to {expected}{Why(upstream)}"),
    };

    private static string Why(NodeView upstream) => upstream.Probe.Obstacle is { } obstacle ? $" ({obstacle})" : "";

    public static CheckFinding Downstream(NodeHealthView view)
    {
        NodeReport[] expected = [.. view.Downstreams];
        NodeReport[] missing = [.. expected.Where(node => node.Attachment is not Attachment.To { IsStreaming: true } to || to.Node.Id != view.Self.Id)];
        int attached = expected.Length - missing.Length;
        return new CheckFinding(CheckItem.Downstream, missing.Length > 0 ? CheckStatus.Critical : CheckStatus.Ok, (expected.Length, missing.Length) switch
        {
            (0, _) => "this node has no downstream nodes",
            (_, 0) => $"{attached} of {expected.Length} downstream nodes attached",
            _ => $"{missing.Length} of {expected.Length} downstream nodes not attached (missing: {string.Join(", ", missing.Select(node => Missing(node, view.Self)))})",
        })
        {
            Performance = $"attached={attached}, missing={missing.Length}",
            Values = new Dictionary<string, long> { ["attached"] = attached, ["missing"] = missing.Length },
        };
    }

    private static string Missing(NodeReport node, NodeRecord self) => node.Attachment switch
    {
        Attachment.To to when to.Node.Id != self.Id => $"{node.Record.Name}, which is attached to {to.Node.Name}",
        Attachment.To to => $"{node.Record.Name} in state {to.Sender.State}",
        _ => node.Record.Name,
    };

    private static CheckFinding Finding(CheckStatus status, string details) => new(CheckItem.Upstream, status, details);
}
