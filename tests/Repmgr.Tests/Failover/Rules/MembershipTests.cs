using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using static Repmgr.Tests.Failover.OneAgent;
using static Repmgr.Tests.Failover.Scenes;

namespace Repmgr.Tests.Failover.Rules;

/// <summary>Voters come and go (R13): one agent at a time. A number at the end is that of the scenario.</summary>
public sealed class MembershipTests
{
    private static readonly VoterId Fourth = Id(4);

    [Fact]
    public void R13_a_voter_counts_when_majorities_of_the_old_and_the_new_voters_remember_it()
    {
        OneAgent holder = Serving().AcknowledgedBy(3).Ask(new Request.AdmitVoter(Fourth, HasData: true));
        Assert.Null(holder.Replies[^1].Refusal);
        Assert.Equal((4, 3), (holder.State.Durable.Membership.Voters.Count, holder.State.Durable.Membership.Before!.Count));
        Assert.Contains(Fourth, holder.Told<Message.Renew>(4)!.Membership.Voters.Select(voter => voter.Id));

        // Two of three, and two of four: a majority of the old voters alone.
        holder.AcknowledgedBy(2);
        Assert.NotNull(holder.State.Durable.Membership.Before);
        holder.AcknowledgedBy(4);
        Assert.Null(holder.State.Durable.Membership.Before);
        Assert.Equal("ConfirmsVoters", holder.State.Decisions[^1].Name);
    }

    [Fact]
    public void R13_another_change_waits_until_the_last_one_is_confirmed_16()
    {
        OneAgent holder = Serving().AcknowledgedBy(3).Ask(new Request.AdmitVoter(Fourth, HasData: true)).Ask(new Request.RemoveVoter(Id(2)));
        Assert.Contains("not known to a majority", holder.Replies[^1].Refusal, StringComparison.Ordinal);
        Assert.Null(holder.AcknowledgedBy(2).AcknowledgedBy(4).Ask(new Request.RemoveVoter(Id(2))).Replies[^1].Refusal);
    }

    [Fact]
    public void R13_a_new_holder_affirms_the_voters_in_its_term_before_it_changes_them_16()
    {
        OneAgent winner = Winner();
        Membership begun = winner.State.Durable.Membership;
        Assert.Equal((new Term(2), 1, 3), (begun.Term, begun.Change, begun.Before!.Count));
        Assert.Equal(begun, winner.Echo(null).Told<Message.Renew>(3)!.Membership);

        winner = Promoting().Finish(new StepOutcome.Done());
        Assert.Null(winner.State.Durable.Membership.Before);
        Assert.Null(winner.Ask(new Request.AdmitVoter(Fourth, HasData: false)).Replies[^1].Refusal);
    }

    [Fact]
    public void R13_votes_are_counted_by_the_newest_membership_among_the_answers_and_by_the_one_before_it_16()
    {
        OneAgent candidate = Asking();
        candidate.Hear(3, new Message.Vote(new Term(2), null, new Term(2)) { Membership = Wider(isConfirmed: false) });
        Assert.IsType<Role.Standing>(candidate.State.Role);
        candidate.Hear(Fourth, new Message.Vote(new Term(2), null, new Term(2)));
        Assert.IsType<Role.Holding>(candidate.State.Role);
        Assert.Equal(4, candidate.State.Durable.Membership.Voters.Count);

        // Three of four, but of the three before only one.
        OneAgent narrow = Asking();
        Membership replaced = Wider(isConfirmed: false) with { Voters = [new Voter(Id(2), true), new Voter(Fourth, true), new Voter(Id(5), true)] };
        narrow.Hear(new VoterId(new NodeId(3), 3), new Message.Ballot(0, new Term(1), null, null) { Membership = replaced });
        narrow.Hear(Fourth, new Message.Vote(new Term(2), null, new Term(2)) { Membership = replaced });
        Assert.IsType<Role.Standing>(narrow.State.Role);
    }

    [Fact]
    public void R13_who_is_no_voter_is_not_heard_whatever_it_says_16()
    {
        OneAgent holder = Serving().AcknowledgedBy(3).Ask(new Request.RemoveVoter(Id(2))).AcknowledgedBy(3);
        Assert.Null(holder.State.Durable.Membership.Before);
        Role before = holder.State.Role;
        holder.Hear(2, new Message.Superseded(new Term(9), new NodeId(2)));
        Assert.Equal(before, holder.State.Role);
        holder.Sent.Clear();
        holder.Hear(2, new Message.AskVote(new Term(9), Far)).Hear(2, new Message.AskBallot(9, Far));
        Assert.Empty(holder.Sent);
    }

    [Fact]
    public void R13_a_voter_that_was_removed_does_not_stand()
    {
        OneAgent removed = new OneAgent().Renew(1, term: 1).SeeStandby(900);
        Membership without = removed.State.Durable.Membership with { Change = 2, Voters = [new Voter(Id(1), true), new Voter(Id(3), true)], Before = removed.State.Durable.Membership.Voters };
        removed.Hear(1, removed.LastRenew! with { Membership = without, Round = new Round(9, 2) });
        Assert.NotNull(removed.Told<Message.Renewed>(1));
        removed.Pass(20);
        Assert.DoesNotContain("Asks", removed.Edges);
    }

    [Fact]
    public void R13_who_is_asked_by_a_voter_that_it_does_not_know_yet_sees_in_the_question_that_he_is_one()
    {
        OneAgent voter = new OneAgent().SeeStandby(900, upstream: null).Hear(Fourth, new Message.AskBallot(1, Far) { Membership = Wider(isConfirmed: true) });
        Assert.Null(voter.Told<Message.Ballot>(4)!.Refusal);
        Assert.Equal(3, voter.State.Durable.Membership.Voters.Count);
    }

    [Fact]
    public void R1_an_agent_without_state_answers_nobody_until_a_holder_admits_it_and_then_makes_its_data_anew_10()
    {
        OneAgent fresh = new OneAgent(disk: durable => DurableState.Unadmitted(TermHistory.Unknown) with { Announced = First }).SeeStandby(900);
        fresh.Hear(3, new Message.AskVote(new Term(2), Far)).Hear(3, new Message.AskBallot(1, Far)).Hear(1, RenewalTo(fresh, Wider(isConfirmed: true) with { Voters = [new Voter(Id(1), true), new Voter(new VoterId(new NodeId(2), 99), true), new Voter(Id(3), true)] }));
        Assert.Empty(fresh.Sent);

        fresh.Hear(1, RenewalTo(fresh, new Membership(new Term(1), 3, [.. Enumerable.Range(1, 3).Select(id => new Voter(Id(id), true))])));
        Assert.NotNull(fresh.Told<Message.Renewed>(1));
        Assert.Null(fresh.Told<Message.Renewed>(1)!.Member);
        fresh.Pass(0.1).Stopped(900);
        Assert.IsType<AgentStep.Rebuild>(fresh.Steps[^1]);
    }

    [Fact]
    public void R12_what_an_agent_without_state_finds_is_overwritten_only_when_no_set_names_it_10()
    {
        OneAgent fresh = new OneAgent(disk: _ => DurableState.Unadmitted(TermHistory.Unknown)).See(new ServerView.Recovering(At(900), new NodeId(1), 0) { Identity = 2 });
        Message.Renew renew = RenewalTo(fresh, new Membership(new Term(1), 3, [.. Enumerable.Range(1, 3).Select(id => new Voter(Id(id), true))]));
        fresh.Hear(1, renew with { Set = Remembered(Set(1, 2)), IsSetConfirmed = true }).Pass(0.1).Stopped(900);
        Assert.True(fresh.State.IsLeaving);
        fresh.Hear(1, renew with { Set = Remembered(Set(1, 3), change: 2), IsSetConfirmed = true, Round = new Round(9, 2) }).Pass(0.7).Stopped(900);
        Assert.IsType<AgentStep.Rebuild>(fresh.Steps[^1]);
    }

    [Fact]
    public void R13_a_copy_of_the_holders_data_is_followed_and_not_made_anew()
    {
        OneAgent joining = new OneAgent(disk: _ => DurableState.Unadmitted(First)).SeeStandby(900);
        Membership members = new(new Term(1), 3, [.. Enumerable.Range(1, 3).Select(id => new Voter(Id(id), true))]);
        joining.Hear(1, RenewalTo(joining, members)).Pass(0.1).SeeStandby(900);
        Assert.Null(joining.State.Durable.Rebuilding);
        Assert.Equal(First, joining.State.Durable.Data);
        Assert.Empty(joining.Steps.OfType<AgentStep.Rebuild>());

        // Whoever admits it may have another history than the one it was copied from.
        OneAgent other = new OneAgent(disk: _ => DurableState.Unadmitted(First)).SeeStandby(900);
        other.Hear(1, RenewalTo(other, members) with { History = First.PromotedAt(At(800), new Term(2)) }).Pass(0.1).Stopped(900);
        Assert.IsType<AgentStep.Rebuild>(other.Steps[^1]);
    }

    [Fact]
    public void R13_a_node_with_data_leaves_the_synchronous_set_before_it_leaves_the_voters_16()
    {
        OneAgent holder = SyncHolder(Remembered(Set(1, 2, 3)), Set(1, 2, 3)).Finish(new StepOutcome.Done()).Ask(new Request.RemoveVoter(Id(2)));
        Assert.Null(holder.Replies[^1].Refusal);
        Assert.Equal(3, holder.State.Durable.Membership.Voters.Count);
        for (int look = 0; look < 20 && holder.State.Durable.Membership.Voters.Count == 3; look++)
        {
            if (holder.State.Doing is not null)
                holder.Finish(new StepOutcome.Done());
            Assert.Equal(3, holder.State.Durable.Membership.Voters.Count);
            holder.See(Sees(holder, holder.State.Durable.InForce!.Stamp.Change, 3)).Pass(0.2).Echo(1.9).AcknowledgedBy(3);
        }

        Assert.Equal((2, Set(1, 3), Set(1, 3)), (holder.State.Durable.Membership.Voters.Count, holder.State.Durable.Set!.Set, holder.State.Durable.InForce!.Set));
    }

    [Fact]
    public void R13_the_holder_is_not_removed_and_a_node_has_one_voter()
    {
        OneAgent holder = Serving().AcknowledgedBy(3).Ask(new Request.RemoveVoter(Id(1)));
        Assert.Contains("holds the lease", holder.Replies[^1].Refusal, StringComparison.Ordinal);
        holder.Ask(new Request.AdmitVoter(new VoterId(new NodeId(2), 99), HasData: true));
        Assert.Contains("another state directory", holder.Replies[^1].Refusal, StringComparison.Ordinal);
        Assert.Contains("already", holder.Ask(new Request.AdmitVoter(Id(2), HasData: true)).Replies[^1].Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void R13_a_change_that_no_majority_of_its_voters_would_acknowledge_is_refused()
    {
        OneAgent holder = Serving().AcknowledgedBy(3).Ask(new Request.RemoveVoter(Id(3)));
        Assert.Contains("Only 1 of the 2 voters", holder.Replies[^1].Refusal, StringComparison.Ordinal);
        Assert.Null(holder.Ask(new Request.RemoveVoter(Id(2))).Replies[^1].Refusal);
    }

    [Fact]
    public void R13_times_are_remembered_by_the_cluster_and_count_more_than_a_nodes_file()
    {
        OneAgent holder = Serving().AcknowledgedBy(3).Ask(new Request.SetTimes(new AgreedTimes(TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(70))));
        Message.Renew renew = holder.Told<Message.Renew>(3)!;
        Assert.Equal(TimeSpan.FromSeconds(7), renew.Ttl);

        OneAgent voter = new OneAgent().Hear(1, renew);
        Assert.Equal((TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(70)), (voter.State.Policy.Ttl, voter.State.Policy.RestartGrace));
        OneAgent restarted = new(disk: _ => voter.State.Durable);
        Assert.Equal(TimeSpan.FromSeconds(7), restarted.State.Policy.Ttl);
    }

    [Fact]
    public void R13_a_lease_that_leaves_no_room_for_renewals_is_refused_and_a_longer_one_has_a_longer_margin()
    {
        OneAgent holder = Serving().AcknowledgedBy(3).Ask(new Request.SetTimes(new AgreedTimes(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30))));
        Assert.Contains("no room for two renewals", holder.Replies[^1].Refusal, StringComparison.Ordinal);
        Assert.Equal(new AgentPolicy(), holder.State.Policy);

        holder.Ask(new Request.SetTimes(new AgreedTimes(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30))));
        Assert.Equal(TimeSpan.FromSeconds(3), holder.State.Policy.DriftMargin);
        TimeSpan sent = holder.Now;
        holder.AcknowledgedBy(3);
        Assert.Equal(sent + TimeSpan.FromSeconds(27), Lease(holder));
    }

    [Fact]
    public void R18_a_server_that_is_promoted_by_other_means_is_taken_out_of_service_17()
    {
        OneAgent voter = new OneAgent().SeeStandby(900).Renew(1, term: 1).See(new ServerView.Writable(At(950)));
        Assert.IsType<AgentStep.Fence>(Assert.Single(voter.Steps));
        Assert.Contains("WritableWithoutLease", voter.Edges);
    }

    private static Membership Wider(bool isConfirmed) => new(new Term(1), 2, [.. Enumerable.Range(1, 4).Select(id => new Voter(Id(id), true))])
    {
        Before = isConfirmed ? null : [.. Enumerable.Range(1, 3).Select(id => new Voter(Id(id), true))],
    };

    private static Message.Renew RenewalTo(OneAgent agent, Membership membership) =>
        new(new Term(1), new Round(9, 1), TimeSpan.FromSeconds(3), membership, First, At(950), "default", IsServing: true);

    private static OneAgent Asking()
    {
        OneAgent candidate = new OneAgent().SeeStandby(1000, upstream: null).Pass(0.05);
        return candidate.Hear(3, Ballot(candidate, null)).Pass(0.5).Stopped(1000);
    }
}
