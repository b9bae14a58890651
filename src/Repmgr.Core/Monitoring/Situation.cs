using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Monitoring;

/// <summary>What the daemon sees in one turn.</summary>
/// <param name="Clock">Time since the daemon began, by a clock that never jumps. All durations are counted on it.</param>
/// <param name="Own">The server of this node.</param>
/// <param name="Others">Those other nodes that the last turn asked to be looked at.</param>
public sealed record Situation(TimeSpan Clock, Sight Own, IReadOnlyList<Sight> Others)
{
    public Sight? Find(NodeId node) => Own.Node == node ? Own : Others.FirstOrDefault(sight => sight.Node == node);
}

/// <summary>One look at one node's server.</summary>
/// <param name="Node">Whose server.</param>
/// <param name="Probe">What it answered.</param>
/// <param name="Table">Its copy of <c>repmgr.nodes</c>; null when there is none or it could not be read.</param>
/// <param name="TableUnreadable">Why it could not be read; null when it was, or is not there.</param>
public sealed record Sight(NodeId Node, NodeProbe Probe, IReadOnlyList<NodeRecord>? Table, Problem? TableUnreadable = null)
{
    /// <summary>Why it was not seen running: for people.</summary>
    public string Reason => Probe switch
    {
        NodeProbe.Silent silent => silent.Reason,
        NodeProbe.Rejected rejected => rejected.Reason,
        _ => "it answers",
    };
}
