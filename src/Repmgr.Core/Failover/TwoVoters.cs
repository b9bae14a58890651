using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Core.Failover;

/// <summary>
/// Two voters elect nobody without each other. In <c>strict</c> mode the standby may go on alone: without it the old primary commits nothing (R15,
/// docs/adr/0108).
/// </summary>
internal static class TwoVoters
{
    public const string Rule = "R15";

    /// <summary>
    /// What it remembers says two voters, strict, and itself in the set, or itself as the holder of a set that it emptied by this exception; its agent has run since it last
    /// streamed; no later holder is known to it; and a ttl has passed since the last byte came.
    /// </summary>
    public static bool MayGoAlone(Draft turn)
    {
        AgentState state = turn.State;
        if (state.Known.Voters.Count != 2 || state.Known.Store is not null || !state.Known.Votes(state.Self) || !state.HasStreamed || state.Durable.Set is not { Mode: SyncMode.Strict } set)
            return false;
        if (KnowsLaterHolder(state, set) || Candidacies.MemberOf(state) is not { } self || turn.Now - state.GrewAt < turn.Policy.Ttl)
            return false;
        bool isSole = state.Durable.IsSole && set.Set.Count == 0 && set.Holder == self;
        return isSole || set.Set.Members.Contains(self) || turn.IsBroken(BrokenRule.AloneOutsideSet);
    }

    /// <summary>It holds the new term with an empty set, which counts: nobody can be elected by it but who began it.</summary>
    public static void Begin(Draft turn, Term term, SyncMember self)
    {
        RememberedSet before = turn.Durable.Set!;
        RememberedSet alone = before with { Term = term, Change = 1, Set = SyncSet.Empty, Holder = self };
        turn.Remember(turn.Durable with { Set = alone, InForce = new StampedSet(new SyncStamp(term, 1), SyncSet.Empty), IsSole = true });
        var holding = (Role.Holding)turn.State.Role;
        turn.State = turn.State with { Role = holding with { IsAlone = true, Set = holding.Set with { Confirmed = alone } } };
    }

    private static bool KnowsLaterHolder(AgentState state, RememberedSet set)
    {
        DurableState durable = state.Durable;
        bool mayHaveElected = durable.Term > set.Term && durable.VotedFor != state.Node;
        return mayHaveElected || durable.Announced.Newest.Term > set.Term || state.Known.Term > set.Term || state.Leader?.Term > set.Term;
    }
}
