namespace Repmgr.Core.Cluster;

/// <summary>What <c>cluster show</c> says, drawn from one look.</summary>
/// <param name="Nodes">By ascending node id.</param>
/// <param name="Issues">Where the metadata and reality disagree, or reality could not be seen. Any makes the exit code 25.</param>
/// <param name="At">When the look ended.</param>
public sealed record ClusterReport(IReadOnlyList<NodeReport> Nodes, IReadOnlyList<string> Issues, DateTimeOffset At)
{
    public static ClusterReport Of(ClusterView view)
    {
        NodeProbe.Primary? primary = SolePrimary(view);
        List<NodeReport> nodes = [.. view.Nodes.Select(node => Report(view, node, primary))];
        return new ClusterReport(nodes, ClusterIssues.Of(view, nodes), view.At);
    }

    /// <summary>
    /// Is this a server that is there but not ready, as a connection test takes it? 57P03 is "starting up" or "shutting down".
    /// </summary>
    /// <remarks>https://www.postgresql.org/docs/current/errcodes-appendix.html</remarks>
    internal static bool IsNotReady(NodeProbe.Rejected rejected) => rejected.SqlState is "57P03" or "57P01" or "57P02";

    private static NodeReport Report(ClusterView view, NodeView node, NodeProbe.Primary? primary)
    {
        Attachment? attachment = AttachmentOf(view, node);
        ReplicationLag? lag = node.Probe is NodeProbe.Standby standby && node.Record.Type != NodeType.Witness
            ? ReplicationLag.Between(standby, primary, (attachment as Attachment.To)?.Sender)
            : null;
        return new NodeReport(node.Record, node.Probe, StatusOf(node.Record, node.Probe), UpstreamOf(view, node, attachment), attachment, lag);
    }

    internal static string StatusOf(NodeRecord record, NodeProbe probe) => (record.Type, probe, record.Active) switch
    {
        (NodeType.Witness, NodeProbe.Primary or NodeProbe.Standby or NodeProbe.Agent, true) => "* running",
        (NodeType.Witness, NodeProbe.Rejected r, true) when !IsNotReady(r) => "? rejected",
        (NodeType.Witness, NodeProbe.Rejected r, false) when !IsNotReady(r) => "! failed",
        (NodeType.Primary, NodeProbe.Primary, true) => "* running",
        (NodeType.Primary, NodeProbe.Standby, _) => "! running as standby",
        (NodeType.Standby, NodeProbe.Standby, true) => "  running",
        (NodeType.Standby, NodeProbe.Primary, _) => "! running as primary",
        (_, NodeProbe.Rejected r, true) when !IsNotReady(r) => "? running",
        (_, NodeProbe.Rejected r, false) when !IsNotReady(r) => "! running",
        (_, NodeProbe.Primary or NodeProbe.Standby or NodeProbe.Agent, false) => "! running",
        (_, _, true) => "? unreachable",
        _ => "- failed",
    };

    private static string UpstreamOf(ClusterView view, NodeView node, Attachment? attachment)
    {
        if (node.Record.Type == NodeType.Primary)
            return node.Probe.Running is null && node.Record.Upstream is null ? "?" : "";

        NodeRecord? recorded = node.Record.Upstream is { } id ? view.Find(id)?.Record : null;
        if (recorded is null)
            return node.Record.Upstream is null ? "" : "?";

        if (OtherUpstreamInOwnCopy(node) is { } other)
            return $"! {view.Find(other)?.Record.Name ?? other.ToString()}";

        return attachment switch
        {
            _ when node.Record.Type == NodeType.Witness => recorded.Name,
            Attachment.To { IsStreaming: true } to when to.Node.Id == recorded.Id => recorded.Name,
            Attachment.To to when to.Node.Id == recorded.Id => $"? {recorded.Name}",
            Attachment.To => $"! {recorded.Name}",
            Attachment.None when node.Probe.Running is null => $"? {recorded.Name}",
            Attachment.None => $"! {recorded.Name}",
            _ => $"? {recorded.Name}",
        };
    }

    /// <summary>The upstream that the node's own copy of its record names, where that is another one.</summary>
    internal static NodeId? OtherUpstreamInOwnCopy(NodeView node) =>
        node.OwnRecord?.Upstream is { } own && node.Record.Upstream is { } known && own != known ? own : null;

    private static Attachment? AttachmentOf(ClusterView view, NodeView node)
    {
        if (node.Record.Type != NodeType.Standby)
            return null;

        List<(NodeView Upstream, WalSenderFacts Sender)> senders =
        [
            .. from upstream in view.Nodes
               where upstream.Record.Id != node.Record.Id && upstream.Probe.Running is not null
               from sender in upstream.Probe.Running!.Downstreams
               where sender.IsOf(node.Record) && sender.State is not ("backup" or "stopping")
               select (upstream, sender),
        ];
        List<(NodeView Upstream, WalSenderFacts Sender)> recorded = [.. senders.Where(s => s.Upstream.Record.Id == node.Record.Upstream)];
        if (recorded.Count > 1)
            return new Attachment.Unknown($"{recorded.Count} standbys with its application_name are attached there");

        if (recorded is [var expected])
            return new Attachment.To(expected.Upstream.Record, expected.Sender);

        // Not where the metadata says: a place where it was found tells more than that it was not found.
        if (senders is [var elsewhere, ..])
            return new Attachment.To(elsewhere.Upstream.Record, elsewhere.Sender);

        if (UnnamedAttachment(view, node) is { } unnamed)
            return unnamed;

        if (node.Record.Upstream is not { } id || view.Find(id) is not { } upstreamView)
            return new Attachment.Unknown("no upstream is registered for it");

        return upstreamView.Probe.Running is null ? new Attachment.Unknown("its upstream cannot be asked") : new Attachment.None();
    }

    // By the address its WAL receiver has. The sender's side is known where only one standby there bears no node's name.
    private static Attachment.To? UnnamedAttachment(ClusterView view, NodeView node)
    {
        if (node.Probe is not NodeProbe.Standby { Receiver: { Status: "streaming" } receiver })
            return null;

        NodeView? upstream = view.Nodes.FirstOrDefault(other =>
            other.Record.Id != node.Record.Id && other.Probe.Running is not null && NodeReach.Serves(other.Record, receiver));
        List<WalSenderFacts> nameless =
        [
            .. upstream?.Probe.Running!.Downstreams.Where(sender =>
                sender.State is not ("backup" or "stopping") && view.Nodes.All(other => !sender.IsOf(other.Record))) ?? [],
        ];
        return nameless switch
        {
            [] => null,
            [var sender] => new Attachment.To(upstream!.Record, sender) { UnderOwnName = false },
            [var sender, ..] => new Attachment.To(upstream!.Record, new WalSenderFacts(sender.ApplicationName, receiver.Status, null, null, null, null, null)) { UnderOwnName = false },
        };
    }

    private static NodeProbe.Primary? SolePrimary(ClusterView view)
    {
        List<NodeView> primaries = [.. view.LivePrimaries.Where(node => node.Record.Type != NodeType.Witness)];
        return primaries is [var only] ? (NodeProbe.Primary)only.Probe : null;
    }
}
