using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using static Repmgr.Tests.Failover.OneAgent;
using static Repmgr.Tests.Failover.Scenes;

namespace Repmgr.Tests.Failover.Rules;

/// <summary>A majority is lost for good, on an operator's word (R18), one agent at a time. A number at the end is that of the scenario.</summary>
public sealed class WithoutMajorityTests
{
    private static readonly Request GoOn = new Request.GoOnWithoutMajority([Id(2)], new Term(7));

    [Fact]
    public void R18_who_is_left_alone_is_elected_in_a_term_far_above_all_that_is_known_17()
    {
        OneAgent left = Left().Ask(GoOn);
        Assert.Null(left.Replies[^1].Refusal);
        left.Pass(0.2).Stopped(1000);
        Assert.Equal(new Term(1007), Assert.IsType<Role.Holding>(left.State.Role).Term);
        Assert.Equal(Id(2), Assert.Single(left.State.Durable.Membership.Voters).Id);
    }

    [Fact]
    public void R18_it_is_refused_while_something_speaks_against_it_17()
    {
        Assert.Contains("renewed its lease a moment ago", Refused(new OneAgent().Renew(1, term: 1).SeeStandby(1000, upstream: null)), StringComparison.Ordinal);
        Assert.Contains("still receives from node 1", Refused(Left().SeeStandby(1000, upstream: 1)), StringComparison.Ordinal);
        Assert.Contains("holds the lease", Refused(Serving()), StringComparison.Ordinal);
        Assert.Contains("which is a majority", Refused(Left(), new Request.GoOnWithoutMajority([Id(2), Id(3)], new Term(1))), StringComparison.Ordinal);
        Assert.Contains("paused", Refused(new OneAgent(disk: durable => durable with { Pause = new Pause(new Term(1), 1, TimeSpan.FromHours(1)) }).SeeStandby(1000, upstream: null).Pass(5)), StringComparison.Ordinal);
        Assert.Contains("witness", Refused(new OneAgent(node: 3, hasData: false).Pass(5)), StringComparison.Ordinal);
        Assert.Contains("votes in", Refused(new OneAgent(disk: durable => durable with { LongestPromise = TimeSpan.FromSeconds(3) }).SeeStandby(1000, upstream: null)), StringComparison.Ordinal);
    }

    [Fact]
    public void R18_who_was_lost_hears_it_from_those_that_are_left_and_elects_nobody_with_the_other_lost_ones_17()
    {
        OneAgent left = Left().Ask(GoOn).Hear(1, new Message.AskBallot(5, Far));
        Membership shown = left.Told<Message.Ballot>(1)!.Membership!;
        Assert.Equal([Id(1), Id(3)], shown.Lost);
        Assert.Null(left.Hear(1, new Message.AskVote(new Term(1500), Far)).Told<Message.Vote>(1));

        OneAgent lost = new OneAgent(node: 3).SeeStandby(1000, upstream: null).Pass(0.05);
        lost.Hear(2, left.Told<Message.Ballot>(1)! with { Number = lost.State.Counter });
        Assert.Same(shown, lost.State.Known);
        Assert.Null(lost.Hear(1, new Message.AskVote(new Term(2), Far)).Told<Message.Vote>(1));
        lost.Pass(2);
        Assert.IsType<Role.Voting>(lost.State.Role);
    }

    [Fact]
    public void R18_who_comes_back_is_admitted_as_any_other_and_is_lost_no_more_10_17()
    {
        OneAgent left = Left().Ask(GoOn).Pass(0.2).Stopped(1000).Echo(2.2).Pass(0.05).Finish(new StepOutcome.Done()).See(new ServerView.Writable(At(1100))).Pass(0.05);
        Assert.Null(left.Ask(new Request.AdmitVoter(Id(1), HasData: true)).Replies[^1].Refusal);
        Assert.Equal([Id(3)], left.State.Durable.Membership.Lost);
        Assert.Contains(Id(1), left.State.Durable.Membership.Voters.Select(voter => voter.Id));
    }

    [Fact]
    public void R18_a_synchronous_set_that_is_lost_does_not_keep_who_is_left_from_being_elected_17_20()
    {
        OneAgent left = new OneAgent(disk: durable => durable with { Set = Remembered(Set(1, 2, 3)) }).See(new ServerView.Recovering(At(1000), null, 0) { Identity = 2 }).Pass(0.05).Ask(GoOn);
        Assert.Null(left.Replies[^1].Refusal);
        Assert.Equal((SyncSet.Empty, Member(2)), (left.State.Durable.Set!.Set, left.State.Durable.Set.Holder));
        left.Pass(0.2).Stopped(1000);
        Assert.Equal(new Term(1007), Assert.IsType<Role.Holding>(left.State.Role).Term);
    }

    [Fact]
    public void R18_a_holder_that_waits_for_a_lost_majority_to_hear_of_the_end_of_its_pause_gives_its_term_up_17()
    {
        OneAgent holder = Serving().Ask(new Request.Pause(TimeSpan.FromSeconds(60))).AcknowledgedBy(3).See(new ServerView.Down(At(500)));
        Assert.Contains("service unpause", Refused(holder, new Request.GoOnWithoutMajority([Id(1)], new Term(1))), StringComparison.Ordinal);
        holder.Ask(new Request.Resume()).Ask(new Request.GoOnWithoutMajority([Id(1)], new Term(1)));
        Assert.Null(holder.Replies[^1].Refusal);
        Assert.IsType<Role.Voting>(holder.State.Role);
        Assert.IsType<AgentStep.StartServer>(holder.Pass(0.1).Steps[^1]);
    }

    private static OneAgent Left() => new OneAgent().SeeStandby(1000, upstream: null).Pass(0.05);

    private static string Refused(OneAgent agent, Request? request = null) => agent.Ask(request ?? GoOn).Replies[^1].Refusal ?? "it is not refused";
}
