using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Core.Failover;

/// <summary>A node asks before it stands, so that no term is burnt where nobody would be elected (R6), and lets better ones stand first (R7).</summary>
internal static class Ballots
{
    public const string Rule = "R6";

    public static void Advance(Draft turn)
    {
        if (turn.State.Role is Role.Asking asking)
        {
            bool all = turn.State.Known.Asked.All(voter => asking.Ballots.Any(item => item.Voter == voter.Id));
            if (all || turn.Now - asking.Since >= turn.Policy.AnswerWithin)
                Conclude(turn, asking);
        }
        else if (turn.State.Role is Role.Voting && IsDue(turn))
        {
            Ask(turn);
        }
    }

    public static void Answer(Draft turn, NodeId from, Message.AskBallot ask)
    {
        if (from != turn.State.Node)
            turn.Send(from, Own(turn, from, ask.Number, ask.Data));
    }

    public static void Take(Draft turn, VoterId from, Message.Ballot ballot)
    {
        if (turn.State.Role is Role.Asking asking && asking.Number == ballot.Number && !asking.Ballots.Any(known => known.Voter == from))
            turn.State = turn.State with { Role = asking with { Ballots = asking.Ballots.Add((from, ballot)) } };
    }

    private static bool IsDue(Draft turn)
    {
        AgentState state = turn.State;
        bool mayAsk = state.Server is ServerView.Recovering || (state.Server is ServerView.Down && state.ResignedAt is not null);
        return mayAsk && state is { Doing: null, PendingVote: null, IsStopping: false, Durable: { Data: not null, Rebuilding: null } }
            && state.Known.Votes(state.Self) && !IsQuiet(turn) && !Pausing.IsOn(state)
            && state.Promise?.Forbids(state.Node, turn.Now) != true
            && !(state.AskedAt is { } asked && turn.Now - asked < turn.Policy.AnswerWithin);
    }

    private static void Ask(Draft turn)
    {
        AgentState state = turn.State with { Counter = turn.State.Counter + 1, AskedAt = turn.Now };
        turn.State = state;
        Message.Ballot own = Own(turn, state.Node, state.Counter, null);
        turn.Become(new Role.Asking(state.Counter, turn.Now, [(state.Self, own)]), "Asks", Rule, "no promise to a holder is live");
        turn.Broadcast(new Message.AskBallot(state.Counter, own.Candidacy?.Data) { Membership = turn.State.Known });
    }

    private static Message.Ballot Own(Draft turn, NodeId candidate, long number, DataPosition? data)
    {
        AgentState state = turn.State;
        Refusal? refusal = IsQuiet(turn) ? Refusal.Quiet
            : Pausing.IsOn(state) ? Refusal.Paused
            : state.Promise?.Forbids(candidate, turn.Now) == true && !turn.IsBroken(BrokenRule.VotesInSpiteOfPromise) ? Refusal.Promised
            : SeesHolder(turn) ? Refusal.SeesHolder
            : data is { } theirs && Vote.IsAhead(turn, theirs) ? Refusal.IsAhead
            : candidate != state.Node && Vote.WouldNotBeCut(turn) ? Refusal.NotCut
            : null;
        return new Message.Ballot(number, state.Durable.Term, refusal, Candidacies.Own(state))
        {
            Set = state.Durable.Set,
            Member = Candidacies.MemberOf(state),
            Membership = state.Known,
        };
    }

    /// <summary>What a restarted voter promised before, it does not know (R1).</summary>
    public static bool IsQuiet(Draft turn) => turn.Now < turn.State.QuietUntil && !turn.IsBroken(BrokenRule.NoQuietPeriod);

    // Evidence counts for a while after the lease: by then the guard has fenced, but where commits alone keep a holder (R6, R3, [24]).
    private static bool SeesHolder(Draft turn)
    {
        if (turn.State.SignOfHolder is not { } sign || turn.Now - sign > 2 * turn.Policy.RenewEvery)
            return false;
        return Candidacies.IsSynchronous(turn.State) || (turn.State.Promise is { } promise && turn.Now <= promise.Until + turn.Policy.Ttl);
    }

    private static void Conclude(Draft turn, Role.Asking asking)
    {
        Candidacy[] known = [.. asking.Ballots.Select(item => item.Ballot.Candidacy).OfType<Candidacy>()];
        Candidacy[] eligible = [.. known.Where(candidacy => candidacy.IsEligible).Order(CandidateOrder.BestFirst)];
        Candidacy? own = eligible.FirstOrDefault(candidacy => candidacy.Node == turn.State.Node);
        turn.State = turn.State with { AskedAt = turn.Now, IsAlone = !eligible.Any(candidacy => candidacy.Node != turn.State.Node) };

        Membership membership = Members.Newest(turn, turn.State.Known, asking.Ballots.Select(item => item.Ballot.Membership));
        VoterId[] free = [.. asking.Ballots.Where(item => item.Ballot.Refusal is null).Select(item => item.Voter)];
        VoterId[] ahead = [.. asking.Ballots.Where(item => item.Ballot.Refusal is Refusal.IsAhead).Select(item => item.Voter)];
        if (!Members.IsMajority(turn, membership, [.. free, .. ahead]))
        {
            turn.State = turn.State with { WaitingSince = null };
            if (own is not null && asking.Ballots is [{ Ballot.Refusal: null }] && TwoVoters.MayGoAlone(turn))
            {
                Candidate.Stand(turn, turn.Durable.Term.Next, "the other of two voters is silent, and cannot commit without this node", isAlone: true);
                return;
            }

            turn.Become(new Role.Voting(), "NoMajority", Rule, WhyNoMajority(membership, asking, free.Length + ahead.Length));
            return;
        }

        if (own is null || !membership.Votes(turn.State.Self))
        {
            turn.Become(new Role.Voting(), "NotEligible", "R7");
            return;
        }

        NodeId? preferred = HandingOver.Preferred(turn);
        // One whose receiver has just lost the holder looks at its server anew, and cannot tell yet how far its data go. The wait ends with the preference, after a ttl.
        if (preferred is { } successor && successor != own.Node && asking.Ballots.Any(item => item.Voter.Node == successor))
        {
            turn.Become(new Role.Voting(), "LetsBetterStand", HandingOver.Rule, $"node {successor} was named to be the primary");
            return;
        }

        TimeSpan since = turn.State.WaitingSince ?? turn.Now;
        int better = Array.IndexOf(eligible, own);
        if (turn.Now - since < better * turn.Policy.StandAfterBetter && preferred != own.Node)
        {
            turn.State = turn.State with { WaitingSince = since };
            turn.Become(new Role.Voting(), "LetsBetterStand", "R7", $"{better} better candidates answer");
            return;
        }

        if (Rescue.Begin(turn, own, known) || Rescue.IsWaitedFor(turn, own, known))
            return;
        // Those that are ahead will not vote for it. Standing all the same would bind the others to it, and starves who could win.
        if (!Members.IsMajority(turn, membership, free))
        {
            turn.Become(new Role.Voting(), "IsBehind", "R8", $"{ahead.Length} of {membership.Voters.Count} voters have newer data");
            return;
        }

        if (!MayElect(turn, asking))
            return;
        Term highest = asking.Ballots.Max(item => item.Ballot.Term);
        Candidate.Stand(turn, Term.Max(highest, turn.Durable.Term).Next, $"{free.Length} voters are free, {better} better candidates answer");
    }

    private static string WhyNoMajority(Membership membership, Role.Asking asking, int free) => membership.Store switch
    {
        null => $"{free} of {membership.Voters.Count} voters are free",
        { } store when asking.Ballots.Any(item => item.Voter == store) => "the store's word is given to another",
        _ => "the store in which the lease lies does not answer",
    };

    /// <summary>Those who are free, with their data, are enough for the newest set among the answers (R9).</summary>
    private static bool MayElect(Draft turn, Role.Asking asking)
    {
        RememberedSet? newest = turn.IsBroken(BrokenRule.CountsByOwnSet) ? turn.Durable.Set : asking.Ballots.Aggregate((RememberedSet?)null, (set, item) => RememberedSet.Newest(set, item.Ballot.Set));
        SyncMember[] members = [.. asking.Ballots.Where(item => item.Ballot.Refusal is null).Select(item => item.Ballot.Member).OfType<SyncMember>()];
        if (newest is null || turn.IsBroken(BrokenRule.CountsAnyMajority) || SyncRules.MayElect(newest, members))
            return true;
        turn.Become(new Role.Voting(), "NoQuorum", CommitFence.Rule, $"too few of {newest.Set} answer with their data, and node {newest.Holder.Node} does not");
        return false;
    }
}
