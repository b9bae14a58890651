using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning.Following;

/// <summary>Which node a standby is to follow.</summary>
public abstract record FollowTarget
{
    private FollowTarget() { }

    /// <param name="Upstream">The node to stream from.</param>
    /// <param name="Primary">The primary, where the change is recorded; the same node unless standbys are cascaded.</param>
    public sealed record Chosen(NodeView Upstream, NodeView Primary) : FollowTarget;

    /// <param name="Problems">Why none can be followed.</param>
    /// <param name="ExitCode">What the command exits with.</param>
    /// <param name="MayAppear">There is no primary now, and waiting for one is not in vain.</param>
    public sealed record None(IReadOnlyList<Problem> Problems, ExitCode ExitCode, bool MayAppear = false) : FollowTarget;

    /// <param name="self">The standby.</param>
    /// <param name="wanted">An id or a name as it was given; null: the primary.</param>
    /// <param name="cluster">What was seen.</param>
    public static FollowTarget Choose(NodeId self, string? wanted, ClusterView cluster)
    {
        NodeView? named = wanted is null ? null : Named(wanted, cluster);
        if (wanted is not null && named is null)
        {
            return new None(
                [new Problem(
                    $"no node \"{wanted}\" is registered",
                    $"Registered are {string.Join(", ", cluster.Nodes.Select(node => node.Record.Quoted))}.",
                    "Name a node by its id or its name.")],
                ExitCode.BadConfig);
        }

        if (PrimarySearch.In(cluster) is not PrimarySearch.Found primary)
        {
            var missing = (PrimarySearch.NotFound)PrimarySearch.In(cluster);
            return new None([missing.Problem], missing.ExitCode, MayAppear: !cluster.LivePrimaries.Any());
        }

        NodeView upstream = named ?? primary.Node;
        List<Problem> problems = [.. Faults(self, upstream, primary.Node, cluster)];
        return problems.Count == 0 ? new Chosen(upstream, primary.Node) : new None(problems, ExitCode.BadConfig);
    }

    private static NodeView? Named(string wanted, ClusterView cluster) =>
        cluster.Nodes.FirstOrDefault(node => node.Record.Id.ToString() == wanted)
        ?? cluster.Nodes.FirstOrDefault(node => node.Record.Name == wanted);

    private static IEnumerable<Problem> Faults(NodeId self, NodeView upstream, NodeView primary, ClusterView cluster)
    {
        string named = upstream.Record.Label;
        if (upstream.Record.Id == self)
        {
            yield return primary.Record.Id == self
                ? new Problem(
                    $"{named} is the primary itself",
                    "It accepts writes, and no other node does.",
                    "Only a standby can follow. If another node is to be the primary, stop this one, run \"repmgr standby promote\" there, and clone this one from it with \"repmgr standby clone --force\".")
                : new Problem($"{named} cannot follow itself", Hint: "Name another node.");
            yield break;
        }

        if (upstream.Record.Type == NodeType.Witness)
            yield return new Problem($"{named} is a witness", "It is a server of its own, not a copy of the primary.", "Name another node.");

        if (!upstream.Record.Active && upstream.Record.Id != primary.Record.Id)
            yield return new Problem($"{named} is not active", "Its record says that it was taken out.", "Register it again first, or name another node.");

        if (IsBelow(upstream, self, cluster))
        {
            yield return new Problem(
                $"{named} streams from this node, so following it would close a circle",
                Hint: "Point that node elsewhere first.");
        }
    }

    // The chain of upstreams as it is recorded; a circle that is recorded already must not make us run in it.
    private static bool IsBelow(NodeView node, NodeId above, ClusterView cluster)
    {
        var seen = new HashSet<NodeId>();
        for (NodeView? at = node; at is not null && seen.Add(at.Record.Id);)
        {
            if (at.Record.Upstream == above && at.Probe is not NodeProbe.Primary)
                return true;
            at = at.Record.Upstream is { } next ? cluster.Find(next) : null;
        }

        return false;
    }
}
