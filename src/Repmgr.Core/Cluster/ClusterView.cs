namespace Repmgr.Core.Cluster;

/// <summary>One look at the whole cluster: what is registered, and what each node answered. Immutable.</summary>
/// <param name="At">When the look ended, by the clock of the machine that looked.</param>
/// <param name="Nodes">By ascending node id.</param>
public sealed record ClusterView(DateTimeOffset At, IReadOnlyList<NodeView> Nodes)
{
    public NodeView? Find(NodeId id) => Nodes.FirstOrDefault(node => node.Record.Id == id);

    /// <summary>The nodes that were seen out of recovery; more than one is a split brain.</summary>
    public IEnumerable<NodeView> LivePrimaries => Nodes.Where(node => node.Probe is NodeProbe.Primary);
}

/// <summary>A registered node and what it answered.</summary>
/// <param name="Record">Its row, as the node that was asked first has it.</param>
/// <param name="Probe">What it answered.</param>
/// <param name="OwnRecord">Its row as it stands in its own copy of the table; null when it was not read or is missing there.</param>
public sealed record NodeView(NodeRecord Record, NodeProbe Probe, NodeRecord? OwnRecord = null);
