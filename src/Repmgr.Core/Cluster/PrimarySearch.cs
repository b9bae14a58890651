using Repmgr.Core.Problems;

namespace Repmgr.Core.Cluster;

/// <summary>Which node is the primary, by what all nodes said of themselves, not by what is registered.</summary>
public abstract record PrimarySearch
{
    private PrimarySearch() { }

    public sealed record Found(NodeView Node) : PrimarySearch
    {
        public NodeProbe.Primary Probe => (NodeProbe.Primary)Node.Probe;
    }

    /// <summary>No node accepts writes, or more than one does.</summary>
    public sealed record NotFound(Problem Problem, ExitCode ExitCode) : PrimarySearch;

    /// <summary>Looks through a view. A witness accepts writes too, but is never the primary.</summary>
    public static PrimarySearch In(ClusterView cluster)
    {
        List<NodeView> primaries = [.. cluster.LivePrimaries.Where(node => node.Record.Type != NodeType.Witness)];
        return primaries switch
        {
            [var only] => new Found(only),
            [] => new NotFound(
                new Problem(
                    "no primary can be reached",
                    Detail: cluster.Nodes.Count == 0
                        ? "No node is registered."
                        : string.Join("\n", cluster.Nodes.Select(node => $"Node {node.Record.Quoted}: {State(node.Probe)}.")),
                    Hint: cluster.Nodes.Count == 0 ? "Run \"repmgr primary register\" on the primary first." : null),
                ExitCode.DbConnection),
            _ => new NotFound(
                new Problem(
                    $"{primaries.Count} nodes accept writes at the same time",
                    Detail: string.Join("\n", primaries.Select(node =>
                        $"Node {node.Record.Quoted} on timeline {node.Probe.Running!.Timeline}, registered as {Type(node.Record)}.")),
                    Hint: "Stop the one that must not be the primary before anything else; what was written on both sides cannot be merged."),
                ExitCode.BadConfig),
        };
    }

    private static string State(NodeProbe probe) => probe switch
    {
        NodeProbe.Primary => "accepts writes",
        NodeProbe.Standby => "is in recovery",
        NodeProbe.Rejected rejected => $"does not let us in: {rejected.Reason.TrimEnd('.')}",
        NodeProbe.Silent silent => $"cannot be reached: {silent.Reason.TrimEnd('.')}",
        _ => "unknown",
    };

    private static string Type(NodeRecord record) =>
        (record.Active ? "" : "inactive ") + record.Type.Name();
}
