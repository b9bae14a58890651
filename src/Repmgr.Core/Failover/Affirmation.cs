namespace Repmgr.Core.Failover;

/// <summary>
/// A holder whose term was overtaken by one that nobody holds stands for a term above it, and goes on without promotion when it
/// wins before its lease ends (R3).
/// </summary>
internal static class Affirmation
{
    public static void Begin(Draft turn, Role.Holding holding, Term term, string evidence)
    {
        VoterId self = turn.State.Self;
        turn.Remember(turn.Durable with { Term = term, VotedFor = self.Node, AttachFrom = term });
        Renewal.Promise(turn, self.Node, term, turn.Policy.Ttl);
        turn.Become(holding with { Affirming = new Affirming(term, turn.Now, [self]) }, "Affirms", Fencing.Rule, evidence);
        Ask(turn, term);
    }

    /// <summary>Votes that were lost on the way are asked for again, until the lease ends.</summary>
    public static void Advance(Draft turn)
    {
        if (turn.State.Role is not Role.Holding { Affirming: { } affirming } holding || turn.Now - affirming.AskedAt < turn.Policy.AnswerWithin)
            return;
        turn.State = turn.State with { Role = holding with { Affirming = affirming with { AskedAt = turn.Now } } };
        Ask(turn, affirming.Term);
    }

    public static void Take(Draft turn, Role.Holding holding, Affirming affirming, VoterId from, Message.Vote vote)
    {
        if (vote.Term != affirming.Term)
            return;
        if (vote.Refusal is not null)
        {
            if (vote.Known > affirming.Term)
                Begin(turn, holding, vote.Known.Next, $"term {vote.Known} was asked for");
            return;
        }

        // Another was a holder in between.
        if (vote.Set?.CompareTo(turn.Durable.Set) > 0)
        {
            Fencing.Begin(turn, "HigherHolder", Fencing.Rule, $"node {vote.Set.Holder.Node} held term {vote.Set.Term}");
            return;
        }

        if (vote.Membership?.Term > turn.Durable.Membership.Term)
        {
            Fencing.Begin(turn, "HigherHolder", Fencing.Rule, $"somebody held term {vote.Membership.Term}");
            return;
        }

        if (affirming.Votes.Contains(from))
            return;
        affirming = affirming with { Votes = affirming.Votes.Add(from) };
        if (Members.IsMajority(turn, turn.Durable.Membership, affirming.Votes) && turn.State.Server is ServerView.Writable server)
        {
            TermHistory history = turn.Durable.Announced.ContinuedAt(server.Position, affirming.Term);
            turn.Remember(turn.Durable with
            {
                Held = affirming.Term,
                Served = affirming.Term,
                Announced = history,
                Data = history,
                Set = turn.Durable.Set is { } set ? set with { Term = affirming.Term, Change = 1 } : null,
                Membership = Members.Affirmed(turn.Durable.Membership, affirming.Term),
            });
            turn.Become(
                holding with { Term = affirming.Term, Affirming = null, Rounds = [], NextRenewal = turn.Now, Since = turn.Now },
                "Affirmed", Fencing.Rule, $"{affirming.Votes.Length} votes for term {affirming.Term}");
            return;
        }

        turn.State = turn.State with { Role = holding with { Affirming = affirming } };
    }

    private static void Ask(Draft turn, Term term)
    {
        if (turn.State.Server is ServerView.Writable server)
            turn.Broadcast(new Message.AskVote(term, turn.Durable.Announced.At(server.Position)) { Membership = turn.State.Known });
    }
}
