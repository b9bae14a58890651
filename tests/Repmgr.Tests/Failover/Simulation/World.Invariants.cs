using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>What must hold.</summary>
internal sealed partial class World
{
    private void CheckOnePrimary()
    {
        SimulatedNode? first = null;
        foreach (SimulatedNode node in Nodes)
        {
            if (!node.Acknowledges)
                continue;
            if (first is not null)
                throw new InvariantBroken($"I1: nodes {first.Node} and {node.Node} acknowledge writes at one instant");
            first = node;
        }
    }

    private void CheckOneHolder(SimulatedNode node, Edge edge)
    {
        if (edge.Name is not ("Elected" or "Affirmed" or "GoesAlone"))
            return;
        Term term = node.Agent!.Durable.Held;
        if (_holders.TryGetValue(term, out NodeId other) && other != node.Node)
            throw new InvariantBroken($"I2: term {term} has holders {other} and {node.Node}");
        _holders[term] = node.Node;
    }

    /// <summary>A voter bound itself, knowing what it knew.</summary>
    private void CountVote(SimulatedNode voter, AgentState before, AgentState next)
    {
        DurableState after = next.Durable;
        // What a holder that resigned has could be had for a while: then it is given up, and reported (R11).
        bool gaveUp = before.ResignedAt is not null && before.Server is not ServerView.Recovering;
        bool canTell = next.KnownEnd is not null;
        bool hasData = voter.HasData && !voter.Server.IsTorn && after.Rebuilding is null;
        if (gaveUp || !canTell || !hasData || after.VotedFor is not { } candidate || candidate == voter.Node)
            return;
        if (!_votes.TryGetValue((after.Term, candidate), out Dictionary<NodeId, TrueWal>? voters))
            _votes[(after.Term, candidate)] = voters = [];
        TrueWal wal = voter.Server.Wal;
        // Who cannot tell where its WAL ends, since its server replays, answers for what it has seen.
        voters[voter.Node] = next.Server.End is not null ? wal : wal with { End = Math.Min(wal.End, next.KnownEnd!.Value.Bytes) };
    }

    private void CheckPromotion(SimulatedNode node, Term term)
    {
        CheckCommits(node, term);
        CheckRescue(node, term);
        CheckPause(node);
        if (!_holders.TryGetValue(term, out NodeId holder) || holder != node.Node)
            throw new InvariantBroken($"I6: node {node.Node} becomes writable in term {term}, which it does not hold");
        if (!_promoted.Add(term))
            throw new InvariantBroken($"I6: term {term} is promoted twice");
        if (!_votes.TryGetValue((term, node.Node), out Dictionary<NodeId, TrueWal>? voters))
            return;
        foreach ((NodeId id, TrueWal wal) in voters)
        {
            if (wal.IsNewerThan(node.Server.Wal))
                throw new InvariantBroken($"I5: node {node.Node} is promoted with {node.Server.Wal.End}, and node {id}, which voted for it, had {wal.End}");
        }
    }

    /// <summary>I9: in a pause that is in force nothing moves.</summary>
    private void CheckPause(SimulatedNode promoted)
    {
        foreach (SimulatedNode node in Nodes)
        {
            if (node != promoted && node.Agent is { Role: Role.Holding, Durable.Pause: { IsOn: true, IsConfirmed: true }, PauseEnds: { } ends } && node.Clock(Now) < ends)
                throw new InvariantBroken($"I9: node {promoted.Node} is promoted while node {node.Node} has paused the cluster");
        }
    }

    /// <summary>I7: one holder writes, and every other node with data streams what it has.</summary>
    private bool IsWell()
    {
        if (Primary is not { Agent.Role: Role.Holding { Stage: HoldingStage.Serving } } primary)
            return false;
        Membership membership = primary.Agent.Durable.Membership;
        return HasWholeSet(primary) && IsSettled(membership) && Nodes.All(node => !node.IsRegistered || node.Agent?.Durable.Membership.Equals(membership) == true)
            && Nodes.All(node => !node.HasData || !node.IsRegistered || node == primary
            || (node.Server.Connected == primary.Node && node.Server.Wal.IsPrefixOf(primary.Server.Wal) && node.Server.Wal.End == primary.Server.Wal.End
                && node.Agent is { Durable.Rebuilding: null }));
    }
}
