using Repmgr.Core.Postgres;

namespace Repmgr.Core.Cluster;

/// <summary>Where what is registered and what was seen disagree, in sentences that name the node first.</summary>
internal static class ClusterIssues
{
    public static IReadOnlyList<string> Of(ClusterView view, IReadOnlyList<NodeReport> nodes)
    {
        List<string> issues = [];
        foreach (NodeReport node in nodes)
        {
            issues.AddRange(Presence(node));
            issues.AddRange(Place(view, node));
            issues.AddRange(Replay(node));
        }

        issues.AddRange(Primaries(view));
        issues.AddRange(Identity(view));
        return issues;
    }

    private static IEnumerable<string> Presence(NodeReport node)
    {
        string active = node.Record.Active ? "an active" : "an inactive";
        string type = node.Record.Type.Name();
        switch (node.Record.Type, node.Probe)
        {
            case (_, NodeProbe.Silent silent):
                yield return $"{node.Record.Label} is registered as {active} {type} but is unreachable: {silent.Reason}";
                break;
            case (_, NodeProbe.Rejected rejected):
                yield return $"{node.Record.Label} is registered as {active} {type} but does not let us in: {rejected.Reason}";
                break;
            case (NodeType.Primary, NodeProbe.Standby):
                yield return $"{node.Record.Label} is registered as primary but running as standby";
                break;
            case (NodeType.Standby, NodeProbe.Primary):
                yield return $"{node.Record.Label} is registered as standby but running as primary";
                break;
            case (NodeType.Witness, NodeProbe.Standby):
                yield return $"{node.Record.Label} is registered as witness but running as standby";
                break;
        }

        if (!node.Record.Active && node.Probe.Running is not null)
            yield return $"{node.Record.Label} is running but registered as inactive";
    }

    private static IEnumerable<string> Place(ClusterView view, NodeReport node)
    {
        NodeView seen = view.Find(node.Record.Id)!;
        if (ClusterReport.OtherUpstreamInOwnCopy(seen) is { } other)
            yield return $"{node.Record.Label} names node {other} as its upstream in its own copy of the metadata, not node {node.Record.Upstream}";

        // A node that is not seen, or is no standby, has been named already; that it is not attached follows from it.
        if (node.Record.Type != NodeType.Standby || node.Probe is not NodeProbe.Standby standby)
            yield break;

        NodeView? upstream = node.Record.Upstream is { } id ? view.Find(id) : null;
        switch (node.Attachment)
        {
            case Attachment.To to when to.Node.Id != node.Record.Upstream:
                yield return $"{node.Record.Label} is attached to {to.Node.Label}, not to {Upstream(node, upstream)}";
                break;
            case Attachment.To { IsStreaming: false } to:
                yield return $"{node.Record.Label} is attached to its upstream {to.Node.Label}, but in state \"{to.Sender.State}\", not streaming";
                break;
            case Attachment.To { UnderOwnName: false } to:
                yield return $"{node.Record.Label} streams from its upstream {to.Node.Label} as \"{to.Sender.ApplicationName}\", not under its own name; "
                    + $"\"repmgr standby follow\" on it sets application_name={node.Record.Name} in its primary_conninfo";
                break;
            case Attachment.None:
                yield return $"{node.Record.Label} is not attached to its upstream {Upstream(node, upstream)}";
                break;
            case Attachment.Unknown unknown:
                yield return $"{node.Record.Label}: cannot tell whether it is attached to its upstream {Upstream(node, upstream)}: {unknown.Reason}";
                break;
        }

        if (upstream?.Probe.Running is { } server && server.Timeline != standby.Server.Timeline)
            yield return $"{node.Record.Label} is on timeline {standby.Server.Timeline}, its upstream {upstream.Record.Label} on timeline {server.Timeline}";
    }

    private static IEnumerable<string> Replay(NodeReport node)
    {
        if (node.Probe is not NodeProbe.Standby { ReplayPaused: true } standby || node.Record.Type == NodeType.Witness)
            yield break;

        long pending = standby.Position - (standby.Replayed ?? Lsn.Zero);
        if (pending > 0)
            yield return $"{node.Record.Label} has paused replay with {pending} bytes of WAL to be replayed";
    }

    private static IEnumerable<string> Primaries(ClusterView view)
    {
        List<NodeView> primaries = [.. view.LivePrimaries.Where(node => node.Record.Type != NodeType.Witness)];
        if (primaries.Count > 1)
            yield return $"{primaries.Count} nodes accept writes at the same time: {string.Join(", ", primaries.Select(node => node.Record.Label))}";

        bool someRun = view.Nodes.Any(node => node.Probe.Running is not null);
        if (primaries.Count == 0 && someRun && view.Nodes.All(node => node.Record.Type != NodeType.Primary))
            yield return "no node is registered as primary, and none runs as one";
    }

    // A registered node that is a copy of something else: the conninfo leads to a wrong server.
    private static IEnumerable<string> Identity(ClusterView view)
    {
        List<NodeView> running = [.. view.Nodes.Where(node => node.Record.Type != NodeType.Witness && node.Probe.Running is not null)];
        NodeView? reference = running.Find(node => node.Probe is NodeProbe.Primary) ?? running.FirstOrDefault();
        foreach (NodeView node in running)
        {
            if (node.Probe.Running!.SystemIdentifier != reference!.Probe.Running!.SystemIdentifier)
            {
                yield return $"{node.Record.Label} has system identifier {node.Probe.Running.SystemIdentifier}, "
                    + $"{reference.Record.Label} has {reference.Probe.Running.SystemIdentifier}: they are not copies of one cluster";
            }
        }
    }

    private static string Upstream(NodeReport node, NodeView? upstream) =>
        upstream is null ? $"node {node.Record.Upstream?.ToString() ?? "(none)"}" : upstream.Record.Label;
}
