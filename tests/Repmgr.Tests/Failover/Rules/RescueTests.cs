using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using static Repmgr.Tests.Failover.OneAgent;
using static Repmgr.Tests.Failover.Scenes;

namespace Repmgr.Tests.Failover.Rules;

/// <summary>Terms given back, WAL fetched, nodes that come back (R10, R11, R12): what went wrong with simpler rules, one agent at a time. A number at the end is that of the scenario.</summary>
public sealed class RescueTests
{
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
    public void R11_while_somebody_starts_its_server_a_node_says_what_it_has_and_neither_stands_nor_counts_as_a_member_with_less()
    {
        OneAgent old = new OneAgent(node: 1).See(new ServerView.Down(At(2000))).Stopped(2000);
        old.See(new ServerView.Recovering(At(2000), null, 0) { IsStarting = true }).Hear(2, new Message.AskBallot(1, null));
        Candidacy read = old.Told<Message.Ballot>(2)!.Candidacy!;
        Assert.Equal((First.At(At(2000)), false), (read.Data, read.IsEligible));

        // What could not be read is at least what was seen before.
        old.See(new ServerView.Recovering(null, null, 0) { IsStarting = true, Identity = 1 }).Hear(2, new Message.AskBallot(2, null));
        Message.Ballot unread = old.Told<Message.Ballot>(2)!;
        Assert.Equal((First.At(At(2000)), false), (unread.Candidacy!.Data, unread.Candidacy.IsEligible));
        Assert.Null(unread.Member);
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
    public void R7_whose_data_have_parted_from_newer_ones_lets_others_stand_until_the_rescue_has_timed_out_21()
    {
        OneAgent candidate = new OneAgent(policy: new AgentPolicy { WalRescueTimeout = TimeSpan.FromSeconds(4) }).SeeStandby(900, upstream: null).Pass(0.05);
        TermHistory fork = First.PromotedAt(At(500), new Term(2));
        var newer = new Candidacy(new NodeId(3), fork.At(At(600)), fork, IsEligible: false, false, 0, true, 0);
        for (int asked = 0; asked < 6; asked++)
            candidate.Hear(3, new Message.Ballot(candidate.State.Counter, new Term(2), null, newer)).Pass(0.5);
        Assert.Empty(candidate.Steps);
        for (int asked = 0; asked < 6; asked++)
            candidate.Hear(3, new Message.Ballot(candidate.State.Counter, new Term(2), null, newer)).Pass(0.5);
        Assert.IsType<AgentStep.CutReceiver>(candidate.Steps[0]);
    }

    [Fact]
    public void R10_the_server_is_not_started_before_the_resignation_is_on_disk_36()
    {
        OneAgent old = new OneAgent(node: 1, savesAtOnce: false).See(new ServerView.Down(At(500))).Stopped(500).Pass(30);
        Assert.DoesNotContain(old.Steps, step => step is AgentStep.StartServer);
        Assert.Contains(old.Save().Steps, step => step is AgentStep.StartServer);
    }

    [Fact]
    public void R17_no_cooldown_delays_an_election_after_a_resignation_23()
    {
        OneAgent winner = Promoting();
        winner.Finish(new StepOutcome.Done()).See(new ServerView.Down(At(1000))).Stopped(1000).Pass(0.1);
        Assert.NotNull(winner.Told<Message.Resign>(3));
        Assert.Equal("Asks", winner.Edges[^1]);
    }

    [Fact]
    public void R11_the_source_is_who_has_the_newest_data_not_the_old_holder_30()
    {
        OneAgent candidate = new OneAgent().SeeStandby(900, upstream: null).Pass(0.05);
        TermHistory newer = First.PromotedAt(At(950), new Term(2));
        candidate.Hear(1, new Message.Ballot(candidate.State.Counter, new Term(2), null, Of(1, 5000) with { IsEligible = false }));
        var source = new Candidacy(new NodeId(3), newer.At(At(1000)), newer, IsEligible: false, false, 0, true, 0);
        candidate.Hear(3, new Message.Ballot(candidate.State.Counter, new Term(2), null, source)).Pass(0.5);
        Assert.Equal(new AgentStep.FetchWal(new NodeId(3), newer, At(1000)), Assert.Single(candidate.Steps));
    }

    [Fact]
    public void R12_who_streams_from_the_holder_on_another_history_does_not_follow_it_31()
    {
        TermHistory mine = First.PromotedAt(At(500), new Term(2)), theirs = First.PromotedAt(At(500), new Term(3));
        OneAgent standby = new OneAgent(disk: durable => durable with { Data = mine, Announced = mine }).SeeStandby(900, upstream: 3);
        standby.Renew(3, term: 3, history: theirs).Pass(0.1);
        Assert.Equal(mine, standby.State.Durable.Data);
        Assert.IsType<AgentStep.CutReceiver>(Assert.Single(standby.Steps));
        Assert.IsType<AgentStep.Rebuild>(standby.Stopped(900).Steps[^1]);
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
    public void R11_a_holder_that_resigned_and_is_up_again_compares_however_long_ago_it_was()
    {
        OneAgent old = new OneAgent(node: 1).See(new ServerView.Down(At(2000))).Stopped(2000).Jump(60);
        old.SeeStandby(2000, upstream: null).Hear(2, new Message.AskVote(new Term(2), Far));
        Assert.Equal(Refusal.IsAhead, old.Told<Message.Vote>(2)!.Refusal);
    }
}
