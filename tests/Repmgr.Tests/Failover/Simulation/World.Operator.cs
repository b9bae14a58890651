using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>An operator whose word is true: a majority is lost for good, and those that are left are to go on (R18).</summary>
internal sealed partial class World
{
    private static readonly TimeSpan AsksEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan GoesOnWithin = TimeSpan.FromSeconds(60);

    /// <summary>Hosts end, never to be seen again before the operator has decided; the others are asked to go on until one of them serves.</summary>
    public void LoseMajority()
    {
        HealNetwork();
        (_loss, _twice, _slowestMilliseconds) = (0, 0, 2);
        if (Survivors() is not { } left)
            return;
        foreach (SimulatedNode node in Nodes.Except(left))
            Lose(node);
        foreach (SimulatedNode node in left)
        {
            Wake(node);
            ThawAgent(node);
            node.Server.IsFrozen = false;
            RestartAgent(node);
        }

        // A pause outlives its holder, and its end is another word of the operator's.
        RunFor(TimeSpan.FromSeconds(15));
        TimeSpan end = Now + GoesOnWithin;
        while (!left.Any(node => node.Agent?.Role is Role.Holding { Stage: HoldingStage.Serving }))
        {
            if (Now >= end)
                throw new InvariantBroken($"R18: nobody goes on {GoesOnWithin.TotalSeconds:0} s after an operator's word: {Describe()}");
            AskToGoOn(left);
            RunFor(AsksEvery);
        }

        RunFor(Between(100, 20000));
    }

    private SimulatedNode[]? Survivors()
    {
        SimulatedNode[] voters = [.. Nodes.Where(node => node.IsRegistered && node.Disk.Membership.Voters.Count > 0)];
        Membership newest = voters.Aggregate(Membership.None, (known, node) => Membership.Newest(known, node.Disk.Membership));
        // Who forgets twice, or is not a voter yet, is of no help to those that are left.
        SimulatedNode[] able = [.. voters.Where(node => newest.Votes(node.Id) && newest.Equals(node.Disk.Membership))];
        SimulatedNode[] left = [.. able.OrderBy(_ => _random.Next()).Take(_random.Next(1, Math.Max(2, (newest.Voters.Count + 1) / 2)))];
        return !newest.IsMajority(left.Length) && newest.Before is null && left.Any(CanLead) ? left : null;
    }

    private void Lose(SimulatedNode node)
    {
        Note(node.Node, "host is lost");
        node.IsGone = true;
        node.IsSuspended = false;
        EndAgent(node);
        node.Server.End();
        node.GuardDeadline = null;
    }

    private void AskToGoOn(SimulatedNode[] left)
    {
        if (left.Any(node => node.Agent is null))
            return;
        VoterId[] reachable = [.. left.Select(node => node.Id)];
        foreach (SimulatedNode node in left)
        {
            Deliver(node, at => new Input.Requested(at, new Request.Resume()));
            Deliver(node, at => new Input.Requested(at, new Request.ResumeWithoutHolder()));
        }

        SimulatedNode asked = left.Where(node => node.HasData).OrderBy(_ => _random.Next()).First();
        long before = asked.Disk.Membership.Term.Number;
        Deliver(asked, at => new Input.Requested(at, new Request.GoOnWithoutMajority(reachable, new Term(left.Max(node => node.Disk.Term.Number)))));
        if (asked.Agent!.Durable.Membership.Term.Number >= before + WithoutMajority.Above - 1)
            Forgive(left);
    }

    /// <summary>What the lost ones alone had is lost: the operator was told.</summary>
    private void Forgive(SimulatedNode[] left)
    {
        foreach ((long promotion, TrueWal wal) in _acknowledged.ToArray())
        {
            if (!left.Any(node => node.HasData && wal.IsPrefixOf(node.Server.Wal)))
                _acknowledged.Remove(promotion);
        }

        if (_mode == SyncMode.Off)
            return;
        _promotedWith.RemoveAll(promoted => !left.Any(node => node.HasData && promoted.Wal.IsPrefixOf(node.Server.Wal)));
    }
}
