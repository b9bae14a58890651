using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using static Repmgr.Tests.Failover.OneAgent;
using static Repmgr.Tests.Failover.Scenes;

namespace Repmgr.Tests.Failover.Rules;

/// <summary>Who is asked, who stands and who gets votes (R6, R7, R8): what went wrong with simpler rules, one agent at a time. A number at the end is that of the scenario.</summary>
public sealed class ElectionTests
{
    [Fact]
    public void R17_the_last_decisions_are_kept_with_what_they_were_made_on_and_repetitions_are_counted()
    {
        OneAgent voter = new OneAgent().SeeStandby(100).Pass(0.1);
        for (int asked = 0; asked < 100; asked++)
            voter.Hear(3, Ballot(voter, Refusal.Promised)).Pass(0.5);
        Decision refused = Assert.Single(voter.State.Decisions, decision => decision.Name == "NoMajority");
        Assert.Equal(("R6", "1 of 3 voters are free", true), (refused.Rule, refused.Evidence, refused.Times > 50));
        Assert.Equal(2, voter.State.Decisions.Length);
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

    /// <summary>A disk that hangs lets no receiver be cut: two candidates that each counted on that node's vote kept each other from being elected.</summary>
    [Fact]
    public void R8_who_cannot_be_cut_says_so_before_it_is_asked_for_its_vote()
    {
        OneAgent voter = new OneAgent().SeeStandby(900).Hear(3, new Message.AskVote(new Term(2), Far)).Hear(1, new Message.AskBallot(1, null));
        Assert.Equal(Refusal.NotCut, voter.Told<Message.Ballot>(1)!.Refusal);
        voter.Finish(new StepOutcome.Failed("still there")).Hear(1, new Message.AskBallot(2, null));
        Assert.Equal(Refusal.NotCut, voter.Told<Message.Ballot>(1)!.Refusal);
        voter.Jump(1).Hear(1, new Message.AskBallot(3, null));
        Assert.Null(voter.Told<Message.Ballot>(1)!.Refusal);
    }

    [Fact]
    public void R8_who_gives_up_its_candidacy_is_free_to_vote_for_another()
    {
        OneAgent candidate = new OneAgent().SeeStandby(1000, upstream: null).Pass(0.05);
        candidate.Hear(3, Ballot(candidate, null)).Pass(0.5).Stopped(1000);
        Assert.Equal(new NodeId(2), candidate.State.Promise!.To);
        candidate.Pass(1);
        Assert.Contains("NotElected", candidate.Edges);
        Assert.Null(candidate.State.Promise);
    }

    [Fact]
    public void R8_a_server_that_was_changed_and_not_looked_at_since_is_looked_at_when_its_receiver_is_cut()
    {
        OneAgent voter = new OneAgent().Hear(3, new Message.AskVote(new Term(2), Far)).Stopped(900);
        Assert.Null(voter.Told<Message.Vote>(3)!.Refusal);
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
    public void R6_who_is_quiet_paused_or_promised_says_so_when_asked_and_who_is_no_voter_is_not_counted_29()
    {
        Assert.Equal(Refusal.Quiet, Asked(new OneAgent(disk: durable => durable with { LongestPromise = TimeSpan.FromSeconds(3) })));
        Assert.Equal(Refusal.Paused, Asked(new OneAgent(disk: durable => durable with { Pause = new Pause(new Term(1), 1, TimeSpan.FromHours(1)) })));
        Assert.Equal(Refusal.Promised, Asked(new OneAgent().Renew(1, term: 1)));

        OneAgent candidate = new OneAgent().SeeStandby(1000, upstream: null).Pass(0.05);
        candidate.Hear(new VoterId(new NodeId(3), 99), Ballot(candidate, null)).Pass(0.5);
        Assert.DoesNotContain("Stands", candidate.Edges);
        for (int turn = 0; turn < 20 && !candidate.Edges.Contains("Stands"); turn++)
            candidate.Pass(0.05).Hear(3, Ballot(candidate, null));
        Assert.Contains("Stands", candidate.Edges);

        static Refusal? Asked(OneAgent voter) => voter.Hear(3, new Message.AskBallot(1, Far)).Told<Message.Ballot>(3)!.Refusal;
    }

    [Fact]
    public void R8_a_term_has_one_vote_and_a_vote_is_a_promise_7()
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
}
