using System.Collections.Immutable;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover;

/// <summary>A node stands for a term (R8).</summary>
internal static class Candidate
{
    public const string Rule = "R8";

    /// <summary>How often votes are asked for before the candidate gives up.</summary>
    public const int Patience = 3;

    public static void Stand(Draft turn, Term term, string evidence, bool isAlone = false)
    {
        turn.Become(new Role.Standing(term, turn.Now, null) { Membership = turn.State.Known, IsAlone = isAlone }, "Stands", isAlone ? TwoVoters.Rule : "R7", evidence);
        turn.DoNow(new AgentStep.CutReceiver(term));
    }

    /// <summary>The receiver is gone: the position stays what it is, and votes can be asked for.</summary>
    public static void AskForVotes(Draft turn, Role.Standing standing)
    {
        NodeId self = turn.State.Node;
        bool isFree = turn.State.Promise?.Forbids(self, turn.Now) != true && standing.Term > turn.Durable.Term;
        if (!isFree || Candidacies.DataOf(turn.State) is not { } data)
        {
            turn.Become(new Role.Voting(), "CannotStand", Rule);
            return;
        }

        turn.Remember(turn.Durable with { Term = standing.Term, VotedFor = self, AttachFrom = standing.Term });
        Renewal.Promise(turn, self, standing.Term, turn.Policy.Ttl);
        Role.Standing asking = standing with { Since = turn.Now, Votes = [turn.State.Self], Newest = turn.Durable.Set, Membership = turn.State.Known };
        if (Candidacies.MemberOf(turn.State) is { } member)
            asking = asking with { Members = [member] };
        turn.Become(asking, "AsksForVotes", Rule, $"with {data}");
        turn.Broadcast(new Message.AskVote(standing.Term, data) { Membership = turn.State.Known });
        Count(turn);
    }

    public static void Take(Draft turn, VoterId from, Message.Vote vote)
    {
        if (turn.State.Role is Role.Holding { Affirming: { } affirming } holding)
        {
            Affirmation.Take(turn, holding, affirming, from, vote);
            return;
        }

        if (turn.State.Role is not Role.Standing { Votes: { } votes } standing || vote.Term != standing.Term)
            return;
        if (vote.Refusal is not null)
        {
            if (vote.Known > standing.Term)
                turn.Become(new Role.Voting(), "NotElected", Rule, $"node {from.Node} knows term {vote.Known}");
            return;
        }

        if (votes.Contains(from))
            return;
        bool countsByOwn = turn.IsBroken(BrokenRule.CountsByOwnSet);
        turn.State = turn.State with
        {
            Role = standing with
            {
                Votes = votes.Add(from),
                Members = vote.Member is { } member ? standing.Members.Add(member) : standing.Members,
                Newest = countsByOwn ? standing.Newest : RememberedSet.Newest(standing.Newest, vote.Set),
                Membership = Members.Newest(turn, standing.Membership, [vote.Membership]),
            },
        };
        Count(turn);
    }

    public static void Advance(Draft turn)
    {
        if (turn.State.Role is not Role.Standing standing || turn.Now - standing.Since < Patience * turn.Policy.AnswerWithin)
            return;
        // Its word to itself was for the term that it gives up: what votes still come count for nothing.
        turn.State = turn.State with { AskedAt = turn.Now, Promise = turn.State.Promise is { } promise && promise.To == turn.State.Node ? null : turn.State.Promise };
        turn.Become(new Role.Voting(), "NotElected", Rule, standing.Votes is { } votes ? $"{votes.Length} votes" : "the receiver is not seen to be gone");
    }

    private static void Count(Draft turn)
    {
        if (turn.State.Role is not Role.Standing { Votes: { } votes } standing || !(IsElected(turn, standing, votes) || (standing.IsAlone && TwoVoters.MayGoAlone(turn))))
            return;
        if (turn.State.Server is not ServerView.Recovering { Position: { } end })
        {
            turn.Become(new Role.Voting(), "CannotStand", Rule, "the server does not run");
            return;
        }

        Win(turn, standing, end, votes);
    }

    private static bool IsElected(Draft turn, Role.Standing standing, ImmutableArray<VoterId> votes)
    {
        if (!Members.IsMajority(turn, standing.Membership, votes) || !(standing.Membership.Votes(turn.State.Self) || turn.IsBroken(BrokenRule.StrangersCount)))
            return false;
        return standing.Newest is not { } set || SyncRules.MayElect(set, standing.Members) || turn.IsBroken(BrokenRule.CountsAnyMajority);
    }

    /// <summary>The holder makes the term history, with its own line; a majority remembers it before the server writes (R7).</summary>
    private static void Win(Draft turn, Role.Standing standing, Lsn end, ImmutableArray<VoterId> votes)
    {
        TermHistory history = turn.Durable.Data!.PromotedAt(end, standing.Term, turn.State.Node);
        turn.Remember(turn.Durable with { Held = standing.Term, Announced = history, Data = history, Membership = Members.Affirmed(standing.Membership, standing.Term) });
        bool isElected = IsElected(turn, standing, votes);
        if (isElected)
            CommitFence.Inherit(turn, standing);
        turn.State = turn.State with { ResignedAt = null, WaitingSince = null, SignOfHolder = null };
        turn.Become(
            new Role.Holding(standing.Term, HoldingStage.Elected, turn.Now) { NextRenewal = turn.Now },
            isElected ? "Elected" : "GoesAlone", isElected ? Rule : TwoVoters.Rule, $"{votes.Length} of {standing.Membership.Voters.Count} votes");
        if (!isElected)
            TwoVoters.Begin(turn, standing.Term, Candidacies.MemberOf(turn.State)!.Value);
        Holder.Advance(turn);
    }
}
