using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using static Repmgr.Tests.Failover.OneAgent;

namespace Repmgr.Tests.Failover;

/// <summary>What went wrong with simpler rules, one agent at a time. The numbers are those of docs/failover.md.</summary>
public sealed class ScenarioTests
{
    private static readonly DataPosition Far = new(new Term(1), At(1000));

    [Fact]
    public void R1_nothing_that_depends_on_a_promise_leaves_before_it_is_on_disk()
    {
        OneAgent voter = new OneAgent(savesAtOnce: false).Renew(1, term: 1);

        Assert.Null(voter.Told<Message.Renewed>(1));
        Assert.Equal(TimeSpan.FromSeconds(3), Assert.Single(voter.Written).LongestPromise);
        Assert.NotNull(voter.Save().Told<Message.Renewed>(1));
    }

    [Fact]
    public void R1_a_disk_that_hangs_keeps_one_answer_of_a_kind()
    {
        var voter = new OneAgent(savesAtOnce: false);
        for (int round = 1; round <= 50; round++)
            voter.Renew(1, term: 1, number: round);

        Assert.Single(voter.State.Held);
        Assert.Equal(50, voter.Save().Told<Message.Renewed>(1)!.Round.Number);
    }

    [Fact]
    public void R1_a_restarted_voter_is_quiet_for_the_longest_ttl_it_ever_promised_8()
    {
        OneAgent voter = new OneAgent(disk: durable => durable with { LongestPromise = TimeSpan.FromSeconds(30) }).SeeStandby(100);

        voter.Pass(29.9).Hear(3, new Message.AskVote(new Term(2), Far));
        Assert.Equal(Refusal.Quiet, voter.Told<Message.Vote>(3)!.Refusal);
        voter.Hear(3, new Message.AskBallot(1, null));
        Assert.Equal(Refusal.Quiet, voter.Told<Message.Ballot>(3)!.Refusal);

        voter.Pass(0.2).SeeStandby(100).Hear(3, new Message.AskVote(new Term(2), Far)).Stopped(100);
        Assert.Null(voter.Told<Message.Vote>(3)!.Refusal);
    }

    [Fact]
    public void R1_who_is_not_a_member_is_not_heard_and_neither_is_one_who_lost_its_state_10()
    {
        var voter = new OneAgent();
        voter.Hear(new VoterId(new NodeId(9), 9), new Message.AskBallot(1, null)).Hear(new VoterId(new NodeId(1), 99), new Message.AskBallot(1, null));
        Assert.Empty(voter.Sent);
    }

    [Fact]
    public void R2_a_shorter_renewal_does_not_shorten_a_promise_8()
    {
        OneAgent voter = new OneAgent().SeeStandby(100).Renew(1, term: 1, ttl: 30).Renew(1, term: 1, ttl: 3, number: 2).Pass(20);
        voter.Hear(3, new Message.AskVote(new Term(2), Far));
        Assert.Equal(Refusal.Promised, voter.Told<Message.Vote>(3)!.Refusal);
    }

    [Fact]
    public void R2_an_acknowledgement_of_another_life_or_holder_or_term_counts_for_nothing_28()
    {
        OneAgent holder = Serving();
        Round round = holder.Told<Message.Renew>(3)!.Round;
        TimeSpan? before = Lease(holder);
        holder.Pass(0.6).Echo(1.5);
        Message.Renew renew = holder.Told<Message.Renew>(3)!;
        Assert.NotEqual(round, renew.Round);

        holder.Hear(3, new Message.Renewed(renew.Term, renew.Round with { Boot = 8 }, new NodeId(1)));
        holder.Hear(3, new Message.Renewed(renew.Term, renew.Round, new NodeId(2)));
        holder.Hear(3, new Message.Renewed(renew.Term.Next, renew.Round, new NodeId(1)));
        Assert.Equal(before, Lease(holder));
        holder.Hear(3, new Message.Renewed(renew.Term, renew.Round, new NodeId(1)));
        Assert.True(Lease(holder) > before);
    }

    [Fact]
    public void R3_a_holder_that_nobody_acknowledges_is_fenced_before_its_lease_ends()
    {
        OneAgent holder = Serving();
        TimeSpan end = Lease(holder)!.Value;
        while (!holder.Steps.OfType<AgentStep.Fence>().Any())
            holder.Pass(0.05);
        Assert.InRange(holder.Now, end - new AgentPolicy().FenceBudget, end - (0.8 * new AgentPolicy().FenceBudget));
    }

    [Fact]
    public void R3_an_agent_that_was_frozen_past_its_lease_fences_whatever_waits_for_it()
    {
        OneAgent holder = Serving();
        holder.Pass(0.6).Echo(1.5);
        Message.Renew renew = holder.Told<Message.Renew>(3)!;
        holder.Jump(5).Hear(3, new Message.Renewed(renew.Term, renew.Round, new NodeId(1)));
        Assert.IsType<Role.Fencing>(holder.State.Role);
    }

    [Fact]
    public void R3_told_only_of_a_higher_term_a_holder_stands_above_it_and_goes_on_without_promotion_19()
    {
        OneAgent holder = Serving().Hear(3, new Message.Superseded(new Term(2), null));
        Assert.Equal(new Term(3), holder.Told<Message.AskVote>(3)!.Term);
        Assert.Empty(holder.Steps.OfType<AgentStep.Fence>());

        holder.Hear(3, new Message.Vote(new Term(3), null, new Term(3)));
        Assert.Equal("Affirmed", holder.Edges[^1]);
        Message.Renew renew = holder.Told<Message.Renew>(3)!;
        Assert.Equal(new Term(3), renew.Term);
        Assert.Equal(new TermLine(new Term(3), 1, At(500), new Term(1)), renew.History.Newest);
        Assert.DoesNotContain(holder.Steps, step => step is AgentStep.Promote or AgentStep.Fence);
    }

    [Fact]
    public void R3_a_holder_that_is_not_affirmed_before_its_lease_ends_is_fenced_19()
    {
        OneAgent holder = Serving().Hear(3, new Message.Superseded(new Term(2), null)).Pass(3);
        Assert.Single(holder.Steps.OfType<AgentStep.Fence>());
    }

    [Fact]
    public void R3_told_of_a_holder_of_a_higher_term_a_holder_fences_at_once_19() =>
        Assert.Single(Serving().Hear(3, new Message.Superseded(new Term(2), new NodeId(2))).Steps.OfType<AgentStep.Fence>());

    [Fact]
    public void R4_without_a_guard_no_acknowledgement_extends_the_lease_14()
    {
        OneAgent holder = Serving();
        TimeSpan? before = Lease(holder);
        holder.Pass(0.6);
        Message.Renew renew = holder.Told<Message.Renew>(3)!;
        holder.Hear(3, new Message.Renewed(renew.Term, renew.Round, new NodeId(1)));
        Assert.Equal(before, Lease(holder));
        holder.Pass(2);
        Assert.IsType<Role.Fencing>(holder.State.Role);
    }

    [Fact]
    public void R4_a_holders_agent_that_is_started_again_goes_on_only_where_the_guard_still_does()
    {
        OneAgent known = new OneAgent(node: 1).See(new ServerView.Writable(At(500))).Echo(1);
        Assert.IsType<Role.Holding>(known.State.Role);
        Assert.Single(new OneAgent(node: 1).See(new ServerView.Writable(At(500))).Echo(null).Pass(0.6).Steps.OfType<AgentStep.Fence>());
    }

    [Fact]
    public void R5_a_server_found_writable_without_a_lease_is_fenced_11() =>
        Assert.Single(new OneAgent().See(new ServerView.Writable(At(500))).Steps.OfType<AgentStep.Fence>());

    [Fact]
    public void R5_a_server_found_in_recovery_under_its_own_holder_is_not_promoted_again_in_the_term_9()
    {
        OneAgent holder = Serving().SeeStandby(500, upstream: null);
        holder.Stopped(500).Pass(0.5);
        Assert.Equal(new Term(1), holder.State.Durable.Closed);
        Assert.NotNull(holder.Told<Message.Resign>(3));
        Assert.DoesNotContain(holder.Steps, step => step is AgentStep.Promote);
    }

    [Fact]
    public void R6_nobody_stands_while_a_majority_is_promised()
    {
        OneAgent voter = new OneAgent().SeeStandby(100).Pass(0.1);
        voter.Hear(3, Ballot(voter, Refusal.Promised)).Pass(1);
        Assert.Equal("NoMajority", voter.Edges.First(edge => edge != "Asks"));
        Assert.Equal(new Term(1), voter.State.Durable.Term);
    }

    [Fact]
    public void R6_a_receiver_that_gets_more_than_the_holder_announced_means_that_it_lives_until_the_lease_is_long_over_24()
    {
        OneAgent voter = new OneAgent().Renew(1, term: 1, position: 100).SeeStandby(100).Pass(3.1);
        voter.SeeStandby(120).Hear(3, new Message.AskBallot(1, null));
        Assert.Equal(Refusal.SeesHolder, voter.Told<Message.Ballot>(3)!.Refusal);
        voter.Pass(3.1).SeeStandby(140).Hear(3, new Message.AskBallot(2, null));
        Assert.Null(voter.Told<Message.Ballot>(3)!.Refusal);
    }

    [Fact]
    public void R6_what_comes_from_another_standby_is_no_sign_of_the_holder_24()
    {
        OneAgent voter = new OneAgent().Renew(1, term: 1, position: 100, serving: false).SeeStandby(100, upstream: 3).Pass(3.1);
        voter.SeeStandby(120, upstream: 3).Hear(3, new Message.AskBallot(1, null));
        Assert.Null(voter.Told<Message.Ballot>(3)!.Refusal);
    }

    [Fact]
    public void R8_a_voter_cuts_its_receiver_before_it_compares_and_answers_1()
    {
        OneAgent voter = new OneAgent().SeeStandby(900).Hear(3, new Message.AskVote(new Term(2), Far));
        Assert.IsType<AgentStep.CutReceiver>(Assert.Single(voter.Steps));
        Assert.Null(voter.Told<Message.Vote>(3));

        // In the meantime it got more than the candidate has.
        voter.Stopped(1001);
        Assert.Equal(Refusal.IsAhead, voter.Told<Message.Vote>(3)!.Refusal);
        Assert.Equal(new Term(1), voter.State.Durable.Term);
    }

    [Fact]
    public void R8_a_server_that_is_down_must_not_come_up_pointed_to_the_old_holder_after_a_vote()
    {
        OneAgent voter = new OneAgent().See(new ServerView.Down(At(900))).Hear(3, new Message.AskVote(new Term(2), Far));
        Assert.Null(voter.Told<Message.Vote>(3));
        Assert.IsType<AgentStep.CutReceiver>(voter.Steps[^1]);
        voter.Stopped(900);
        Assert.Null(voter.Told<Message.Vote>(3)!.Refusal);
        Assert.IsType<ServerView.Down>(voter.State.Server);
    }

    [Fact]
    public void R8_a_receiver_that_is_not_seen_to_be_gone_is_no_vote_22()
    {
        OneAgent voter = new OneAgent().SeeStandby(900).Hear(3, new Message.AskVote(new Term(2), Far)).Finish(new StepOutcome.Failed("still there"));
        Assert.Equal(Refusal.NotCut, voter.Told<Message.Vote>(3)!.Refusal);
    }

    [Fact]
    public void R8_a_node_that_cannot_tell_its_position_votes_as_one_without_data_1()
    {
        OneAgent voter = new OneAgent().See(new ServerView.Down(null)).Hear(3, new Message.AskVote(new Term(2), Far)).Stopped(null);
        Assert.Null(voter.Told<Message.Vote>(3)!.Refusal);
        voter.Hear(1, new Message.AskBallot(1, null));
        Assert.Null(voter.Told<Message.Ballot>(1)!.Candidacy);
    }

    [Fact]
    public void R8_a_term_has_one_vote_and_a_vote_is_a_promise_2()
    {
        OneAgent voter = Voted();
        voter.Hear(1, new Message.AskVote(new Term(2), Far));
        Assert.Equal(Refusal.Promised, voter.Told<Message.Vote>(1)!.Refusal);
        voter.Pass(3.1).SeeStandby(900, upstream: null).Hear(1, new Message.AskVote(new Term(2), Far));
        Assert.Equal(Refusal.TermIsTaken, voter.Told<Message.Vote>(1)!.Refusal);
    }

    [Fact]
    public void R8_after_its_vote_a_standby_never_goes_back_to_the_old_holder_12()
    {
        OneAgent voter = Voted().Pass(1).SeeStandby(900, upstream: null).Renew(1, term: 1).Pass(5);
        Assert.Equal(new Term(2), voter.Told<Message.Superseded>(1)!.Term);
        Assert.DoesNotContain(voter.Steps, step => step is AgentStep.Follow);
    }

    [Fact]
    public void R8_votes_alone_do_not_make_a_primary_7()
    {
        OneAgent winner = Winner();
        Assert.Equal("Elected", winner.Edges[^1]);
        winner.Echo(null).Pass(1);
        Assert.DoesNotContain(winner.Steps, step => step is AgentStep.Promote);

        Message.Renew renew = winner.Echo(null).Told<Message.Renew>(3)!;
        winner.Hear(3, new Message.Renewed(renew.Term, renew.Round, new NodeId(2))).Echo(2);
        Assert.Single(winner.Steps.OfType<AgentStep.Promote>());
        Assert.Equal(renew.Term, winner.State.Durable.Served);
    }

    [Fact]
    public void R8_a_promotion_that_takes_too_long_ends_in_a_fence_and_a_resignation_7()
    {
        OneAgent winner = TooSlow();
        Assert.Contains("PromotionTooSlow", winner.Edges);
        winner.Stopped(1000);
        Assert.NotNull(winner.Told<Message.Resign>(3));
    }

    [Fact]
    public void R10_a_term_is_closed_on_the_own_disk_before_that_is_said_and_no_renewal_of_it_is_accepted_9()
    {
        var holder = new OneAgent(node: 1, savesAtOnce: false);
        holder.See(new ServerView.Down(At(500))).Stopped(500).Pass(1);
        Assert.Null(holder.Told<Message.Resign>(3));
        Assert.Equal(new Term(1), holder.Written[^1].Closed);
        Assert.NotNull(holder.Save().Told<Message.Resign>(3));

        OneAgent voter = new OneAgent().Renew(1, term: 1).Hear(1, new Message.Resign(new Term(1)));
        Assert.Null(voter.State.Promise);
        voter.Sent.Clear();
        Assert.Null(voter.Renew(1, term: 1, number: 2).Told<Message.Renewed>(1));
    }

    [Fact]
    public void R10_a_resignation_that_comes_late_ends_no_promise_of_a_later_term_9()
    {
        OneAgent voter = new OneAgent().Renew(1, term: 3).Hear(1, new Message.Resign(new Term(1)));
        Assert.True(voter.State.Promise!.IsLive(voter.Now));
    }

    [Fact]
    public void R11_a_candidate_behind_a_node_that_cannot_stand_fetches_its_WAL_first_21()
    {
        OneAgent candidate = new OneAgent().SeeStandby(900, upstream: null).Pass(0.05);
        Candidacy delayed = Of(3, 1000) with { IsEligible = false };
        candidate.Hear(3, new Message.Ballot(candidate.State.Counter, new Term(1), null, delayed)).Pass(0.5);
        Assert.Equal(new AgentStep.FetchWal(new NodeId(3), First, At(1000)), Assert.Single(candidate.Steps));

        candidate.Stopped(1000).Pass(0.1);
        candidate.Hear(3, new Message.Ballot(candidate.State.Counter, new Term(1), null, delayed)).Pass(0.5);
        Assert.IsType<AgentStep.CutReceiver>(candidate.Steps[^1]);
    }

    [Fact]
    public void R11_a_holder_that_resigned_and_cannot_stand_votes_for_who_is_behind_when_the_rescue_has_failed_21()
    {
        OneAgent old = new OneAgent(node: 1, policy: new AgentPolicy { WalRescueTimeout = TimeSpan.FromSeconds(4) }).See(new ServerView.Down(At(2000))).Stopped(2000);
        Assert.Equal(Refusal.IsAhead, old.Hear(2, new Message.AskVote(new Term(2), Far)).Told<Message.Vote>(2)!.Refusal);
        old.Jump(4.1).Hear(2, new Message.AskVote(new Term(2), Far)).Stopped(2000);
        Assert.Null(old.Told<Message.Vote>(2)!.Refusal);
    }

    [Fact]
    public void R12_a_node_whose_data_lie_beyond_the_fork_is_made_anew_and_votes_as_one_without_data_5()
    {
        OneAgent old = new OneAgent(node: 1).See(new ServerView.Down(At(2000))).Stopped(2000);
        old.Renew(2, term: 2, history: First.PromotedAt(At(1500), new Term(2))).Pass(0.1);
        Assert.IsType<AgentStep.Rebuild>(old.Steps[^1]);
        Assert.NotNull(old.State.Durable.Rebuilding);
        old.Hear(3, new Message.AskBallot(1, null));
        Assert.Null(old.Told<Message.Ballot>(3)!.Candidacy);
    }

    [Fact]
    public void R12_two_forks_from_one_position_with_one_timeline_number_are_two_6()
    {
        TermHistory second = First.PromotedAt(At(1500), new Term(2)), third = First.PromotedAt(At(1500), new Term(3));
        Assert.Equal(second.Newest.Timeline, third.Newest.Timeline);
        Assert.True(second.Diverges(At(1600), third));
        Assert.False(second.Diverges(At(1500), third));
        Assert.True(third.At(At(1501)) > second.At(At(9000)));
    }

    [Fact]
    public void R14_an_agent_that_stops_moves_the_guard_only_after_a_majority_has_acknowledged_8()
    {
        OneAgent holder = Serving();
        holder.Give(new Input.StopRequested(holder.Now));
        Assert.DoesNotContain(holder.Steps, step => step is AgentStep.Exit);
        Message.Renew renew = holder.Told<Message.Renew>(3)!;
        Assert.Equal(new AgentPolicy().RestartGrace, renew.Ttl);
        holder.Echo(1.5).Hear(3, new Message.Renewed(renew.Term, renew.Round, new NodeId(1)));
        Assert.IsType<AgentStep.Exit>(holder.Steps[^1]);
    }

    [Fact]
    public void R8_a_server_that_replays_after_its_start_is_known_to_reach_as_far_as_it_was_seen_to()
    {
        OneAgent voter = new OneAgent().See(new ServerView.Down(At(2000))).See(new ServerView.Recovering(null, null, 0));
        voter.Hear(3, new Message.AskVote(new Term(2), Far));
        Assert.Equal(Refusal.IsAhead, voter.Told<Message.Vote>(3)!.Refusal);
    }

    [Fact]
    public void R8_a_candidate_that_those_ahead_would_refuse_does_not_stand_and_binds_nobody()
    {
        OneAgent candidate = new OneAgent().SeeStandby(900, upstream: null).Pass(0.05);
        TermHistory fork = First.PromotedAt(At(500), new Term(2));
        var newer = new Candidacy(new NodeId(3), fork.At(At(600)), fork, IsEligible: false, false, 0, true, 0);
        candidate.Hear(3, new Message.Ballot(candidate.State.Counter, new Term(2), Refusal.IsAhead, newer)).Pass(0.5);
        Assert.Contains("IsBehind", candidate.Edges);
        Assert.Equal(new Term(1), candidate.State.Durable.Term);
    }

    [Fact]
    public void R11_a_holder_that_resigned_and_is_up_again_compares_however_long_ago_it_was()
    {
        OneAgent old = new OneAgent(node: 1).See(new ServerView.Down(At(2000))).Stopped(2000).Jump(60);
        old.SeeStandby(2000, upstream: null).Hear(2, new Message.AskVote(new Term(2), Far));
        Assert.Equal(Refusal.IsAhead, old.Told<Message.Vote>(2)!.Refusal);
    }

    /// <summary>Edges that the simulation hardly ever walks.</summary>
    internal static IEnumerable<(string From, string Name, string To, string Rule)> RareEdges() =>
        new[]
        {
            Serving().Hear(3, new Message.Superseded(new Term(2), new NodeId(2))),
            Serving().Hear(3, new Message.Superseded(new Term(2), null)).Hear(3, new Message.Vote(new Term(3), null, new Term(3))),
            new OneAgent().See(new ServerView.Writable(At(500))),
            TooSlow(),
        }.SelectMany(agent => agent.Walked).Select(edge => (edge.From, edge.Name, edge.To, edge.Rule));

    [Fact]
    public void R14_an_agent_that_stops_begins_nothing_any_more()
    {
        OneAgent asking = new OneAgent().SeeStandby(900, upstream: null).Pass(0.05);
        asking.Hear(3, Ballot(asking, null)).Give(new Input.StopRequested(asking.Now + TimeSpan.FromSeconds(5)));
        Assert.IsType<AgentStep.Exit>(Assert.Single(asking.Steps));
    }

    private static TimeSpan? Lease(OneAgent holder) => ((Role.Holding)holder.State.Role).LeaseEnd;

    private static OneAgent Serving() => new OneAgent(node: 1).See(new ServerView.Writable(At(500))).Echo(1.9).Pass(0.05);

    private static Candidacy Of(int node, ulong position) =>
        new(new NodeId(node), First.At(At(position)), First, IsEligible: true, IsSynchronous: false, Priority: 100, IsNear: true, LeftToReplay: 0);

    private static Message.Ballot Ballot(OneAgent asking, Refusal? refusal) => new(asking.State.Counter, new Term(1), refusal, null);

    private static OneAgent Voted()
    {
        OneAgent voter = new OneAgent().SeeStandby(900).Hear(3, new Message.AskVote(new Term(2), Far)).Stopped(900);
        Assert.Null(voter.Told<Message.Vote>(3)!.Refusal);
        return voter;
    }

    private static OneAgent Winner()
    {
        OneAgent candidate = new OneAgent().SeeStandby(1000, upstream: null).Pass(0.05);
        candidate.Hear(3, Ballot(candidate, null)).Pass(0.5).Stopped(1000);
        return candidate.Hear(3, new Message.Vote(new Term(2), null, new Term(2)));
    }

    private static OneAgent TooSlow()
    {
        OneAgent winner = Promoting();
        for (int look = 0; look < 60 && winner.State.Role is Role.Holding; look++)
        {
            winner.Pass(0.25).Echo(1.5);
            Message.Renew renew = winner.Told<Message.Renew>(3)!;
            winner.Hear(3, new Message.Renewed(renew.Term, renew.Round, new NodeId(2)));
        }

        return winner;
    }

    private static OneAgent Promoting()
    {
        OneAgent winner = Winner().Echo(null);
        Message.Renew renew = winner.Told<Message.Renew>(3)!;
        return winner.Hear(3, new Message.Renewed(renew.Term, renew.Round, new NodeId(2))).Echo(2);
    }
}
