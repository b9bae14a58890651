using System.Collections.Immutable;
using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover;

/// <summary>A holder keeps its synchronous set: remembered by a majority, in force in PostgreSQL, and the one covering the other at every instant (R9).</summary>
internal static class CommitFence
{
    public const string Rule = "R9";
    public const string Unconfirmed = "The last change of the synchronous set is not known to a majority yet.";

    /// <summary>A failover is a change of the set: the winner remembers what it inherits, with itself as holder, and puts in force what covers it.</summary>
    public static void Inherit(Draft turn, Role.Standing standing)
    {
        if (standing.Newest is not { } newest || turn.State.Identity is not { } identity)
            return;
        var self = new SyncMember(turn.State.Node, identity);
        RememberedSet inherited = newest with { Term = standing.Term, Change = 1, Holder = turn.IsBroken(BrokenRule.KeepsOldHolder) ? newest.Holder : self };
        SyncSet first = First(turn, newest, self, standing.Members);
        if (turn.IsBroken(BrokenRule.SetNotInherited))
            inherited = inherited with { Set = first };
        turn.Remember(turn.Durable with { Set = inherited, IsSole = false, InForce = new StampedSet(new SyncStamp(standing.Term, 1), first) });
    }

    /// <summary>The mode and the count are chosen by an operator. Nothing is in force before it is remembered, and off counts at once.</summary>
    public static string? Choose(Draft turn, SyncMode mode, int count)
    {
        if (turn.State is not { Role: Role.Holding { Stage: HoldingStage.Serving } holding, IsStopping: false })
            return "The server of the holder does not write.";
        if (turn.State.Identity is not { } identity)
            return "The identity of the data directory is not known yet.";
        RememberedSet? before = turn.Durable.Set;
        int standbys = turn.Durable.Membership.Voters.Count(voter => voter.HasData) - 1;
        if (mode == SyncMode.Strict && count > standbys)
            return string.Create(CultureInfo.InvariantCulture, $"Writes would wait for ever: {count} standbys are to have each commit, and there are {standbys}.");
        if (before is not null && holding.Set.Confirmed?.CompareTo(before) != 0)
            return Unconfirmed;
        SyncSet set = mode == SyncMode.Off || before is null ? SyncSet.Empty : before.Set;
        var next = new RememberedSet(holding.Term, (before?.Change ?? 0) + 1, set, new SyncMember(turn.State.Node, identity)) { Mode = mode, Wanted = Math.Max(1, count) };
        turn.Remember(turn.Durable with { Set = next, InForce = turn.Durable.InForce ?? new StampedSet(new SyncStamp(holding.Term, 1), SyncSet.Empty) });
        turn.State = turn.State with { Role = holding with { NextRenewal = turn.Now, Set = holding.Set with { Loosened = null } } };
        return null;
    }

    public static void Advance(Draft turn)
    {
        if (turn.State.Role is not Role.Holding holding || turn.State.Doing is not null || turn.Durable is not { Set: { } remembered, InForce: { } inForce })
            return;
        if (holding.Stage == HoldingStage.Elected)
        {
            if (holding.Set.SetAt is null && turn.State.Server is ServerView.Recovering)
                turn.Do(new AgentStep.SetSynchronous(inForce));
            return;
        }

        bool isConfirmed = holding.Set.Confirmed?.CompareTo(remembered) == 0 || turn.IsBroken(BrokenRule.ChangesUnconfirmed);
        if (holding is not { Stage: HoldingStage.Serving, Affirming: null } || turn.State is not { IsStopping: false, Server: ServerView.Writable server } || !isConfirmed)
            return;
        if (inForce.Stamp.Term != holding.Term)
            PutInForce(turn, holding, inForce.Set);
        else if (holding.Set.SetAt is null)
            turn.Do(new AgentStep.SetSynchronous(inForce));
        else
            Change(turn, holding, server, remembered, inForce);
    }

    /// <summary>PostgreSQL has what the winner is to begin with.</summary>
    public static bool IsReady(Draft turn, Role.Holding holding) => turn.Durable.Set is null || holding.Set.SetAt is not null;

    public static void IsSet(Draft turn, StampedSet set)
    {
        if (turn.State.Role is Role.Holding holding && turn.Durable.InForce == set)
            turn.State = turn.State with { Role = holding with { Set = holding.Set with { SetAt = turn.Now, Mark = null } } };
    }

    public static HeldSet Confirm(HeldSet held, RememberedSet? remembered) => held with { Confirmed = RememberedSet.Newest(held.Confirmed, remembered) };

    public static HeldSet Know(HeldSet held, NodeId from, Message.Renewed renewed) => held with
    {
        Known = renewed.Member is { } member ? held.Known.SetItem(from, member) : held.Known.Remove(from),
        Leaving = renewed.IsLeaving ? held.Leaving.Add(from) : held.Leaving.Remove(from),
    };

    /// <summary>Who streams under the stamp in force is there; and an own commit that was acknowledged shows that nobody else was elected (R3).</summary>
    public static void See(Draft turn, ServerView.Writable server)
    {
        if (turn.State.Role is not Role.Holding { Stage: HoldingStage.Serving } holding || turn.Durable is not { Set: { } remembered, InForce: { } inForce })
            return;
        if (holding.Set.SetAt is { } setAt && server.Effective is { } effective && effective.At >= setAt && effective.Names != inForce.Names)
        {
            turn.Record("SetChangedByOthers", "R16", $"synchronous_standby_names is '{effective.Names}', not '{inForce.Names}'");
            holding = holding with { Set = holding.Set with { SetAt = null } };
        }

        ImmutableDictionary<NodeId, (TimeSpan At, Lsn Flushed)> seen = holding.Set.Seen;
        foreach (Sender sender in server.Senders)
        {
            // A host that fell silent is still called streaming until wal_sender_timeout.
            bool keepsUp = sender.Flushed >= holding.Set.Announced || !(seen.TryGetValue(sender.Node, out (TimeSpan At, Lsn Flushed) last) && sender.Flushed <= last.Flushed);
            if (sender.Stamp == inForce.Stamp && keepsUp)
                seen = seen.SetItem(sender.Node, (turn.Now, sender.Flushed));
        }

        holding = holding with { Set = holding.Set with { Seen = seen, LookedAt = turn.Now, Mark = holding.Set.SetAt is null ? null : holding.Set.Mark ?? server.Position } };
        bool keeps = remembered.Mode != SyncMode.Off && holding.Set.Confirmed is { Mode: not SyncMode.Off };
        if (keeps && server.LastCommit is { } commit && Holder.HasGuard(turn) && !(holding.CommitEnd >= commit.SentAt + turn.Policy.Ttl))
        {
            holding = holding with { CommitEnd = commit.SentAt + turn.Policy.Ttl };
            turn.Tell(new GuardOrder(LeaseTimes.FenceDeadline(holding.CommitEnd.Value, turn.Policy)));
        }

        turn.State = turn.State with { Role = holding };
    }

    private static void Change(Draft turn, Role.Holding holding, ServerView.Writable server, RememberedSet remembered, StampedSet inForce)
    {
        SyncSet wanted = Wanted(turn, holding, server, remembered, inForce.Set);
        SetStep step = SetChange.Next(remembered.Set, inForce.Set, holding.Set.Loosened, wanted, turn.State.Node);
        if (turn.IsBroken(BrokenRule.ReversesSetChange))
            step = Reversed(step);
        switch (step)
        {
            case SetStep.PutInForce put:
                PutInForce(turn, holding, put.Set);
                break;
            case SetStep.RememberInForce when IsEffective(turn, holding, server, inForce):
                Remember(turn, holding, remembered, inForce.Set, null);
                break;
            case SetStep.RememberFirst first:
                Remember(turn, holding, remembered, first.Set, first.Set);
                break;
        }
    }

    private static SetStep Reversed(SetStep step) => step switch
    {
        SetStep.PutInForce put => new SetStep.RememberFirst(put.Set),
        SetStep.RememberFirst first => new SetStep.PutInForce(first.Set),
        _ => step,
    };

    private static void PutInForce(Draft turn, Role.Holding holding, SyncSet set)
    {
        int change = turn.Durable.InForce is { } before && before.Stamp.Term == holding.Term ? before.Stamp.Change + 1 : 1;
        var next = new StampedSet(new SyncStamp(holding.Term, change), set);
        turn.Remember(turn.Durable with { InForce = next });
        turn.Record("PutsInForce", Rule, $"{set}, under {next.Stamp}");
        // The members learn at once under which name they count.
        turn.State = turn.State with { Role = holding with { NextRenewal = turn.Now, Set = holding.Set with { SetAt = null, Loosened = null } } };
        turn.Do(new AgentStep.SetSynchronous(next));
    }

    private static void Remember(Draft turn, Role.Holding holding, RememberedSet before, SyncSet set, SyncSet? loosened)
    {
        turn.Remember(turn.Durable with { Set = before with { Change = before.Change + 1, Set = set }, IsSole = turn.Durable.IsSole && set.Count == 0 });
        turn.Record("RemembersSet", Rule, $"{turn.Durable.Set}");
        turn.State = turn.State with { Role = holding with { NextRenewal = turn.Now, Set = holding.Set with { Loosened = loosened } } };
    }

    /// <summary>
    /// An own commit that began under the set was acknowledged, and enough of its members have flushed what there was then: so they have all that was acknowledged
    /// before. Nobodies neither acknowledge nor answer: the others are enough, and no commit is (docs/adr/0085).
    /// </summary>
    private static bool IsEffective(Draft turn, Role.Holding holding, ServerView.Writable server, StampedSet inForce)
    {
        if (turn.IsBroken(BrokenRule.NoBarrier))
            return true;
        if (holding.Set is not { SetAt: { } since, Mark: { } mark })
            return false;
        int nobodies = inForce.Set.Members.Count(member => member.IsNobody);
        int have = server.Senders.Count(sender => sender.Stamp == inForce.Stamp && inForce.Set.Contains(sender.Node) && sender.Flushed >= mark);
        return have + nobodies >= inForce.Set.Count && (nobodies > 0 || server.LastCommit?.SentAt >= since);
    }

    private static SyncSet Wanted(Draft turn, Role.Holding holding, ServerView.Writable server, RememberedSet remembered, SyncSet inForce)
    {
        if (remembered.Mode == SyncMode.Off)
            return SyncSet.Empty;
        HeldSet held = holding.Set;
        IEnumerable<SyncMember> present = inForce.Members.Where(member =>
            !member.IsNobody && IsThere(turn, held, member.Node) && !(held.Known.TryGetValue(member.Node, out SyncMember known) && known != member));
        IEnumerable<SyncMember> come = held.Known.Values.Where(member =>
            !inForce.Members.Contains(member) && server.Senders.Any(sender => sender.Node == member.Node && sender.Flushed >= held.Announced));
        // Who is removed from the voters, or was, leaves as one does whose data are to be overwritten (R13).
        NodeId[] leaving = [.. held.Leaving, .. inForce.Members.Concat(held.Known.Values).Select(member => member.Node).Where(node => !Stays(turn, node))];
        SyncMember[] streaming = [.. present.Concat(come).Where(member => !leaving.Contains(member.Node))];
        // Who is left alone goes on with nobody until the other streams (R15).
        if (turn.Durable.IsSole && inForce.Count == 0 && streaming.Length == 0)
            return SyncSet.Empty;
        return SyncRules.Wanted(inForce, streaming, remembered.Wanted, remembered.Mode == SyncMode.Strict, leaving);
    }

    private static bool Stays(Draft turn, NodeId node) =>
        turn.State.Removing?.Node != node && turn.Durable.Membership.Voters.Any(voter => voter.HasData && voter.Id.Node == node);

    // A server that hangs shows nobody: a set that shrank for that would keep its standbys from being elected when it is fenced.
    private static bool IsThere(Draft turn, HeldSet held, NodeId node)
    {
        TimeSpan last = held.Seen.TryGetValue(node, out (TimeSpan At, Lsn Flushed) seen) && seen.At > held.SetAt ? seen.At : held.SetAt ?? turn.Now;
        TimeSpan looked = turn.IsBroken(BrokenRule.DropsUnseenMembers) ? turn.Now : held.LookedAt ?? turn.Now;
        return looked - last < turn.Policy.ShrinkAfter;
    }

    private static SyncSet First(Draft turn, RememberedSet inherited, SyncMember winner, IEnumerable<SyncMember> answered)
    {
        SyncMember[] others = [.. answered.Where(member => member.Node != winner.Node)];
        if (inherited.Mode == SyncMode.Off)
            return SyncSet.Empty;
        if (turn.IsBroken(BrokenRule.FirstSetTooSmall))
            return SyncSet.Of(others, inherited.Set.Count);
        // The members who have not answered may come back.
        SyncMember[] wide = [.. others.Union(inherited.Set.Members.Where(member => member.Node != winner.Node && !others.Any(other => other.Node == member.Node)))];
        return SyncRules.First(inherited.Set, winner, wide, inherited.Mode == SyncMode.Strict ? inherited.Wanted : 0);
    }
}
