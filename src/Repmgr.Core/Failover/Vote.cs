using Repmgr.Core.Cluster;

namespace Repmgr.Core.Failover;

/// <summary>A voter is asked for its vote (R8).</summary>
internal static class Vote
{
    public const string Rule = "R8";

    public static void Take(Draft turn, NodeId candidate, Message.AskVote ask)
    {
        if (candidate == turn.State.Node)
            return;
        if (Refuse(turn, candidate, ask.Term, ask.Data) is { } refusal)
        {
            Answer(turn, candidate, ask.Term, refusal);
            return;
        }

        bool repeated = ask.Term == turn.Durable.Term && turn.Durable.VotedFor == candidate;
        if (turn.Durable.Data is null || repeated || turn.IsBroken(BrokenRule.NoCut))
        {
            Grant(turn, candidate, ask.Term);
            return;
        }

        if (turn.State.Role is Role.Asking or Role.Standing or Role.Fetching)
            turn.Become(new Role.Voting(), "VotesForOther", Rule, $"node {candidate} asks for term {ask.Term}");
        turn.State = turn.State with { PendingVote = new PendingVote(candidate, ask.Term, ask.Data) };
        if (turn.State.Doing is not AgentStep.CutReceiver)
            turn.DoNow(new AgentStep.CutReceiver(ask.Term));
    }

    /// <summary>The receiver is gone, or could not be seen to be: now the vote is given or not.</summary>
    public static void Decide(Draft turn, PendingVote pending, bool isCut)
    {
        turn.State = turn.State with { PendingVote = null };
        Refusal? refusal = isCut ? Refuse(turn, pending.Candidate, pending.Term, pending.Data) : Refusal.NotCut;
        if (refusal is { } reason)
            Answer(turn, pending.Candidate, pending.Term, reason);
        else
            Grant(turn, pending.Candidate, pending.Term);
    }

    private static Refusal? Refuse(Draft turn, NodeId candidate, Term term, DataPosition data)
    {
        AgentState state = turn.State;
        DurableState durable = turn.Durable;
        if (Ballots.IsQuiet(turn))
            return Refusal.Quiet;
        if (Pausing.IsOn(state))
            return Refusal.Paused;
        if (state.Promise?.Forbids(candidate, turn.Now) == true && !turn.IsBroken(BrokenRule.VotesInSpiteOfPromise))
            return Refusal.Promised;
        bool votedOther = term == durable.Term && durable.VotedFor is { } voted && voted != candidate && !turn.IsBroken(BrokenRule.VotesTwice);
        if (term < durable.Term || votedOther || term <= durable.Closed)
            return Refusal.TermIsTaken;
        if (MayWrite(state))
            return Refusal.NotCut;
        return IsAhead(turn, data) ? Refusal.IsAhead : null;
    }

    /// <summary>
    /// Its receiver is being cut and not seen to be gone, or could not be a moment ago, or its own server may still write. Who says that it is free, and then does not vote,
    /// starves those who could win with others.
    /// </summary>
    public static bool WouldNotBeCut(Draft turn) =>
        MayWrite(turn.State) || turn.State.PendingVote is not null
        || (turn.Durable.Data is not null && turn.State.CutFailedAt is { } failed && turn.Now - failed < Candidate.Patience * turn.Policy.AnswerWithin);

    // A server that was not looked at since a step changed it is looked at when its receiver is cut.
    private static bool MayWrite(AgentState state) =>
        state.Role is Role.Holding or Role.Resuming or Role.Fencing || state.Server is ServerView.Writable
        || (state.Server is ServerView.Hung && state.Durable.Data is not null);

    /// <summary>The own data are newer than the candidate's.</summary>
    public static bool IsAhead(Draft turn, DataPosition data) =>
        Candidacies.LeastOf(turn.State) is { } own && own > data && !GaveUpRescue(turn) && !turn.IsBroken(BrokenRule.VotesForWhoIsBehind);

    // A holder that resigned and cannot stand would refuse for ever: nobody has what it has (R11, lease mode).
    private static bool GaveUpRescue(Draft turn) =>
        !Candidacies.IsSynchronous(turn.State) && turn.State.ResignedAt is { } resigned && turn.Now - resigned >= turn.Policy.WalRescueTimeout
        && turn.State.Server is ServerView.Down;

    /// <summary>From now on the receiver is pointed to a holder of this term or a higher one only; and the vote is a promise, too.</summary>
    private static void Grant(Draft turn, NodeId candidate, Term term)
    {
        turn.Remember(turn.Durable with { Term = term, VotedFor = candidate, AttachFrom = Term.Max(turn.Durable.AttachFrom, term) });
        Renewal.Promise(turn, candidate, term, turn.Policy.Ttl);
        turn.State = turn.State with { WaitingSince = null };
        Answer(turn, candidate, term, null);
    }

    private static void Answer(Draft turn, NodeId candidate, Term term, Refusal? refusal)
    {
        turn.Record(refusal is null ? "Votes" : "RefusesVote", Rule, $"{refusal?.ToString() ?? "for"} node {candidate}, term {term}");
        turn.Send(candidate, new Message.Vote(term, refusal, turn.Durable.Term)
        {
            Set = turn.Durable.Set,
            Member = refusal is null ? Candidacies.MemberOf(turn.State) : null,
            Membership = turn.Durable.Membership,
        });
    }
}
