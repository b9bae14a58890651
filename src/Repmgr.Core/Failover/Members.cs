using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Core.Failover;

/// <summary>Voters come and go one at a time, by the holder's word (R13).</summary>
internal static class Members
{
    public const string Rule = "R13";
    public const string Unconfirmed = "The last change of the voters is not known to a majority yet.";

    /// <summary>
    /// Only voters are heard. Who is asked by one that it does not know yet looks at the membership that comes with the question: it is as good as one that
    /// came by a renewal, but is not remembered.
    /// </summary>
    public static bool Hears(Draft turn, Envelope envelope)
    {
        if (ShownBy(envelope.Message) is { } shown && shown.IsNewerThan(turn.State.Known) && (shown.Contains(turn.State.Self) || IsLost(shown, turn.State.Self)) && shown.Contains(envelope.From))
            turn.State = turn.State with { Heard = shown };
        return turn.State.Known.Contains(envelope.From) || turn.IsBroken(BrokenRule.StrangersCount)
            || (envelope.Message is Message.AskBallot && IsLost(turn.State.Known, envelope.From));
    }

    private static bool IsLost(Membership membership, VoterId id) => membership.Lost?.Contains(id) == true;

    /// <summary>The membership as a new holder begins with it: it changes nothing before majorities of these voters, and of those before them, have acknowledged it in its term.</summary>
    public static Membership Affirmed(Membership newest, Term term) => newest with { Term = term, Change = 1, Before = newest.Before ?? newest.Voters };

    /// <summary>Whether these are enough to elect or to renew.</summary>
    public static bool IsMajority(Draft turn, Membership membership, IReadOnlyCollection<VoterId> who)
    {
        if (turn.IsBroken(BrokenRule.StrangersCount))
            return who.Count > membership.Voters.Count / 2;
        return turn.IsBroken(BrokenRule.NewVotersAlone) ? Membership.IsMajorityOf(membership.Voters, who) : membership.IsMajority(who);
    }

    /// <summary>The newest that a candidate counts by.</summary>
    public static Membership Newest(Draft turn, Membership own, IEnumerable<Membership?> answers) =>
        turn.IsBroken(BrokenRule.CountsByOwnMembership) ? turn.Durable.Membership : answers.Aggregate(own, Membership.Newest);

    public static string? Admit(Draft turn, VoterId id, bool hasData)
    {
        Membership present = turn.Durable.Membership;
        if (present.Votes(id))
            return $"Node {id.Node} is a voter already.";
        if (present.Voters.Any(voter => voter.Id.Node == id.Node))
            return $"Node {id.Node} is a voter with another state directory: that one has to be removed first.";
        if ((Obstacle(turn) ?? TooFew(turn, [.. present.Voters, new Voter(id, hasData)], id)) is { } obstacle)
            return obstacle;
        Change(turn, [.. present.Voters, new Voter(id, hasData)], $"node {id.Node} is admitted{(hasData ? "" : " as a witness")}");
        return null;
    }

    public static string? Remove(Draft turn, VoterId id)
    {
        if (!turn.Durable.Membership.Votes(id))
            return $"Node {id.Node} is no voter.";
        if (id.IsStore)
            return "The lease lies in the store.";
        if (id == turn.State.Self)
            return $"Node {id.Node} holds the lease: another has to take it over first.";
        if ((Obstacle(turn) ?? TooFew(turn, Without(turn, id))) is { } obstacle)
            return obstacle;
        turn.State = turn.State with { Removing = id };
        Advance(turn);
        return null;
    }

    public static string? SetTimes(Draft turn, AgreedTimes times)
    {
        if (Obstacle(turn) is { } obstacle)
            return obstacle;
        if (LeaseTimes.Unsound(turn.Policy.Under(times)) is { } unsound)
            return $"A{unsound.Message[1..]}. {unsound.Detail}";
        Change(turn, turn.Durable.Membership.Voters, $"lease_ttl {times.Ttl.TotalSeconds:0.###} s, agent_restart_grace {times.RestartGrace.TotalSeconds:0.###} s", times);
        return null;
    }

    /// <summary>A node with data leaves the synchronous set before it leaves the voters.</summary>
    public static void Advance(Draft turn)
    {
        if (turn.State is not { Removing: { } id, Role: Role.Holding holding })
            return;
        if (!turn.Durable.Membership.Votes(id))
            turn.State = turn.State with { Removing = null };
        else if (Obstacle(turn) is null && IsOutOfSet(turn, holding, id.Node))
            Change(turn, Without(turn, id), $"node {id.Node} is removed");
    }

    /// <summary>Majorities of the voters, and of those before, acknowledged a renewal with this membership.</summary>
    public static void Confirm(Draft turn, Membership acknowledged)
    {
        Membership present = turn.Durable.Membership;
        if (present.Before is null || present.IsNewerThan(acknowledged))
            return;
        turn.Remember(turn.Durable with { Membership = present with { Before = null } });
        turn.Record("ConfirmsVoters", Rule, $"{present.Voters.Count} voters, {present.Term}.{present.Change}");
    }

    private static string? Obstacle(Draft turn)
    {
        if (turn.State.Role is not Role.Holding { Stage: HoldingStage.Serving, Affirming: null } holding || turn.State.IsStopping)
            return "The server of the holder does not write.";
        Membership present = turn.Durable.Membership;
        bool isAffirmed = present.Term == holding.Term
            && (present.Before is null || turn.IsBroken(BrokenRule.ChangesVotersUnconfirmed) || (present.Change > 1 && turn.IsBroken(BrokenRule.TwoVotersAtOnce)));
        return isAffirmed ? null : Unconfirmed;
    }

    private static Voter[] Without(Draft turn, VoterId id) => [.. turn.Durable.Membership.Voters.Where(voter => voter.Id != id)];

    /// <summary>A change that no majority of its voters will acknowledge would take the holder out of service, and could not be taken back.</summary>
    private static string? TooFew(Draft turn, Voter[] voters, VoterId? comes = null)
    {
        var holding = (Role.Holding)turn.State.Role;
        VoterId[] there = [.. voters.Select(voter => voter.Id).Where(id => id == turn.State.Self || id == comes
            || (holding.HeardAt.TryGetValue(id, out TimeSpan at) && turn.Now - at <= turn.Policy.Ttl))];
        return Membership.IsMajorityOf(voters, there) ? null : $"Only {there.Length} of the {voters.Length} voters that there would be answer.";
    }

    private static bool IsOutOfSet(Draft turn, Role.Holding holding, NodeId node) =>
        turn.Durable.Set is not { Mode: not SyncMode.Off } set
        || (!set.Set.Contains(node) && holding.Set.Confirmed?.CompareTo(set) == 0 && holding.Set.SetAt is not null
            && turn.Durable.InForce?.Set.Contains(node) == false);

    private static void Change(Draft turn, IReadOnlyList<Voter> voters, string what, AgreedTimes? times = null)
    {
        Membership present = turn.Durable.Membership;
        turn.Remember(turn.Durable with
        {
            Membership = present with
            {
                Change = present.Change + 1,
                Voters = voters,
                Before = turn.IsBroken(BrokenRule.TwoVotersAtOnce) ? present.Before ?? present.Voters : present.Voters,
                Times = times ?? present.Times,
                Lost = present.Lost?.Where(id => !voters.Any(voter => voter.Id.Node == id.Node)).ToArray() is [_, ..] lost ? lost : null,
            },
        });
        turn.Record("ChangesVoters", Rule, what);
        if (turn.State.Role is Role.Holding holding)
            turn.State = turn.State with { Removing = null, Role = holding with { NextRenewal = turn.Now } };
    }

    private static Membership? ShownBy(Message message) => message switch
    {
        Message.Renew renew => renew.Membership,
        Message.AskBallot ask => ask.Membership,
        Message.Ballot ballot => ballot.Membership,
        Message.AskVote ask => ask.Membership,
        Message.Vote vote => vote.Membership,
        _ => null,
    };
}
