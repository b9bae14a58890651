using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>Nodes that come and go. The agent of the holder brings its voters into line with the nodes that are registered (R13).</summary>
internal sealed partial class World
{
    private SimulatedNode MakeSpare(int id)
    {
        Voter voter = Voter(id, hasData: _random.Next(3) > 0);
        DurableState durable = DurableState.Unadmitted(voter.HasData ? TermHistory.Unknown : null);
        var node = new SimulatedNode(voter.Id, _profile.Policy with { RestartGrace = TimeSpan.FromSeconds(7) }, durable, voter.HasData) { IsRegistered = false };
        node.SetClock(TimeSpan.Zero, Between(0, 1e6), Rate());
        node.Server.IsTorn = true;
        node.Server.Identity = (ulong)id;
        NameNobody(node);
        StartAgent(node);
        return node;
    }

    private void Register(SimulatedNode node)
    {
        if (node.IsRegistered)
            return;
        node.IsRegistered = true;
        // A copy of the primary, as an operator makes one; now and then there is none, or of a node that is no primary any more.
        bool isCopied = node is { HasData: true, Server.IsTorn: true } && node.Disk.Membership.Voters.Count == 0 && _random.Next(4) > 0;
        if (!isCopied || Primary is not { Agent: { Role: Role.Holding { Stage: HoldingStage.Serving } } agent } primary)
            return;
        EndAgent(node);
        node.Server.IsTorn = false;
        node.Server.Wal = primary.Server.Wal;
        node.Server.Identity = (ulong)_random.NextInt64();
        node.Server.Configured = (primary.Node, agent.Durable.Held);
        Start(node);
        node.Disk = DurableState.Unadmitted(agent.Durable.Announced);
        RestartAgent(node);
    }

    /// <summary>Who has the lease stays, and somebody who can become primary.</summary>
    private void Unregister(SimulatedNode node)
    {
        SimulatedNode[] left = [.. Nodes.Where(other => other.IsRegistered && other != node)];
        int standbys = left.Count(other => other.HasData) - 1;
        bool isEnough = _mode != SyncMode.Strict || standbys >= Nodes.Max(other => other.Disk.Set?.Wanted ?? 0);
        bool isSomeoneLost = Nodes.Any(other => other.IsRegistered && other.HasLostState && other.Disk.Membership.Voters.Count == 0);
        if (isEnough && !isSomeoneLost && left.Length >= 2 && node.Agent?.Role is not Role.Holding && left.Any(CanLead))
            node.IsRegistered = false;
    }

    /// <summary>One at a time, and only where enough others remember: two that forget at once need an operator.</summary>
    private void LoseState(SimulatedNode node)
    {
        bool isPaused = Nodes.Any(other => other.Disk.Pause is { IsOn: true } || other.Agent?.Durable.Pause is { IsOn: true });
        bool isWhole = !isPaused && Primary is { Agent: { } agent } primary && IsSettled(agent.Durable.Membership) && HasWholeSet(primary) && agent.Durable.Membership.Voters.Count > 2
            && Nodes.All(other => !other.IsRegistered || (other.Disk.Membership.Equals(agent.Durable.Membership) && other.Disk.Rebuilding is null));
        if (!isWhole || !node.IsRegistered || !IsGuarded(node) || !Nodes.Any(other => other != node && other.IsRegistered && CanLead(other)))
            return;
        EndAgent(node);
        node.HasLostState = true;
        node.Id = node.Id with { State = (ulong)_random.NextInt64() };
        node.Disk = DurableState.Unadmitted(node.HasData ? TermHistory.Unknown : null);
        After(Between(1, 3000), () => RestartAgent(node));
    }

    /// <summary>It remembers what its data are, and may become primary.</summary>
    private static bool CanLead(SimulatedNode node) => node is { HasData: true, Policy.Priority: > 0, Disk: { Rebuilding: null, Membership.Voters.Count: > 0 } };

    private void Reconcile()
    {
        After(Between(500, 1500), Reconcile);
        foreach (SimulatedNode holder in Nodes.Where(node => node.Agent?.Role is Role.Holding { Stage: HoldingStage.Serving }))
        {
            Membership present = holder.Agent!.Durable.Membership;
            // Both are asked: the one is refused where the other has begun.
            if (present.Voters.FirstOrDefault(voter => voter.Id != holder.Id && !voter.Id.IsStore && !Nodes.Any(node => node.Id == voter.Id && node.IsRegistered)) is { } gone)
                Deliver(holder, at => new Input.Requested(at, new Request.RemoveVoter(gone.Id)));
            if (Nodes.FirstOrDefault(node => node is { IsRegistered: true, Agent: not null } && !present.Votes(node.Id) && AreConnected(node.Node, holder.Node)) is { } come)
                Deliver(holder, at => new Input.Requested(at, new Request.AdmitVoter(come.Id, come.HasData)));
        }
    }

    /// <summary>The voters are those who are registered; the holder stays until another takes over.</summary>
    private bool IsSettled(Membership membership) =>
        membership.Before is null && membership.Voters.Count(voter => IsRegistered(voter.Id)) == Nodes.Count(node => node.IsRegistered)
        && membership.Voters.All(voter => IsRegistered(voter.Id) || voter.Id.IsStore || voter.Id == Primary?.Id);

    private bool IsRegistered(VoterId id) => Nodes.Any(node => node.Id == id && node.IsRegistered);
}
