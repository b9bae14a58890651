using Repmgr.Core.Cluster;

namespace Repmgr.Core.Failover;

/// <summary>A term that is given back is over, on every voter's disk (R10).</summary>
internal static class Resigning
{
    /// <summary>The holder's half: closed here before it is said.</summary>
    public static void GiveBack(Draft turn, Term term)
    {
        if (turn.IsBroken(BrokenRule.HoldsResignedTerm))
        {
            // The rule that is broken here: the old holder may renew the term that it gave back, and be promoted in it again.
            turn.State = turn.State with { Promise = null };
            turn.Remember(turn.Durable with { Served = new Term(0) });
            turn.Broadcast(new Message.Resign(term));
            if (turn.Durable.Term == term)
            {
                turn.Become(new Role.Holding(term, HoldingStage.Elected, turn.Now), "HoldsAgain", "broken");
                turn.DoNow(new AgentStep.StartServer());
            }

            return;
        }

        turn.Remember(turn.Durable with { Closed = Term.Max(turn.Durable.Closed, term) });
        turn.State = turn.State with { Promise = turn.State.Promise is { } promise && promise.To == turn.State.Node ? null : turn.State.Promise };
        if (turn.Durable.Term > term)
            return;
        turn.State = turn.State with { ResignedAt = turn.Now, ResignAgainAt = turn.Now };
        HandingOver.Start(turn, term);
    }

    /// <summary>Says it until a higher term is known: a voter that did not hear it keeps its promise and delays the election.</summary>
    public static void Advance(Draft turn)
    {
        AgentState state = turn.State;
        if (state.ResignedAt is null || turn.Now < state.ResignAgainAt || turn.Durable.Term > turn.Durable.Held)
            return;
        turn.Broadcast(new Message.Resign(turn.Durable.Held) { Successor = state.Successor is { } successor && successor.Of == turn.Durable.Held ? successor.Node : null });
        turn.State = turn.State with { ResignAgainAt = turn.Now + turn.Policy.RenewEvery };
    }

    /// <summary>A voter's half.</summary>
    public static void Take(Draft turn, NodeId from, Message.Resign resign)
    {
        if (!turn.IsBroken(BrokenRule.HoldsResignedTerm))
        {
            Term known = Term.Max(turn.Durable.Term, resign.Term);
            turn.Remember(turn.Durable with
            {
                Term = known,
                VotedFor = known == turn.Durable.Term ? turn.Durable.VotedFor : from,
                Closed = Term.Max(turn.Durable.Closed, resign.Term),
            });
        }

        HandingOver.Hear(turn, resign);
        if (turn.State.Promise is { } promise && promise.To == from && promise.Term <= resign.Term)
            turn.State = turn.State with { Promise = null };
        if (turn.State.Leader is { } leader && leader.Term <= resign.Term)
            turn.State = turn.State with { SignOfHolder = null };
    }
}
