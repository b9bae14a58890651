using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using static Repmgr.Tests.Failover.OneAgent;
using static Repmgr.Tests.Failover.Scenes;

namespace Repmgr.Tests.Failover.Rules;

/// <summary>Two voters, strict: when the standby may go on alone (R15, docs/adr/0108). A number at the end is that of the scenario.</summary>
public sealed class TwoVotersTests
{
    private static readonly RememberedSet Pair = Remembered(Set(1, 2), SyncMode.Strict);

    [Fact]
    public void R15_the_standby_in_the_set_goes_on_alone_a_ttl_after_the_last_byte_with_an_empty_set_18()
    {
        OneAgent alone = Streamed().Pass(2.9);
        Assert.Empty(alone.Steps);
        alone.Pass(1);
        Assert.IsType<AgentStep.CutReceiver>(Assert.Single(alone.Steps));
        alone.Stopped(1000);
        Assert.Equal((new Term(2), SyncSet.Empty, 2, true), (alone.State.Durable.Set!.Term, alone.State.Durable.Set.Set, alone.State.Durable.Set.Holder.Node.Value, alone.State.Durable.IsSole));
        Assert.Equal(SyncSet.Empty, Assert.IsType<AgentStep.SetSynchronous>(alone.Steps[^1]).Set.Set);
        Assert.IsType<AgentStep.Promote>(alone.Finish(new StepOutcome.Done()).Pass(0.1).Steps[^1]);
    }

    [Fact]
    public void R15_it_goes_on_without_a_majority_and_loosens_nothing_until_the_other_streams_18()
    {
        OneAgent alone = Alone();
        for (int look = 0; look < 40; look++)
            alone.Echo(1.9).See(Writes(alone)).Pass(0.25);
        Assert.IsType<Role.Holding>(alone.State.Role);
        Assert.Equal(SyncSet.Empty, alone.State.Durable.InForce!.Set);

        // The other is back, and streams: commits wait for it before it is remembered.
        alone.Echo(1.9).AcknowledgedBy(1).See(Writes(alone) with { Senders = [new Sender(new NodeId(1), null, At(1200))] }).Pass(0.1);
        Assert.Equal(Set(1, 1), Assert.IsType<AgentStep.SetSynchronous>(alone.Steps[^1]).Set.Set);
        Assert.Equal(SyncSet.Empty, alone.State.Durable.Set!.Set);
    }

    [Fact]
    public void R15_an_agent_that_was_started_since_it_last_streamed_has_no_exception_18() =>
        Assert.Empty(new OneAgent(disk: TwoVoters).See(Sees(upstream: null)).Pass(20).Steps);

    [Fact]
    public void R15_a_node_outside_the_set_never_goes_on_alone_18() =>
        Assert.Empty(Streamed(Remembered(Set(1, 1), SyncMode.Strict, change: 2, holder: 2)).Pass(20).Steps);

    [Fact]
    public void R15_other_data_than_the_set_names_do_not_go_on_alone_18() =>
        Assert.Empty(Streamed(Pair with { Change = 2, Set = SyncSet.Of([new SyncMember(new NodeId(2), 99)], 1) }).Pass(20).Steps);

    [Fact]
    public void R15_quorum_mode_has_no_exception_18() => Assert.Empty(Streamed(Remembered(Set(1, 2), change: 2)).Pass(20).Steps);

    [Fact]
    public void R15_who_heard_of_a_later_holder_or_voted_in_a_later_term_does_not_go_on_alone_18()
    {
        OneAgent later = Streamed().Hear(1, Streamed().LastRenew! with { Term = new Term(3), Set = Pair, Round = new Round(9, 5) });
        Assert.Empty(later.Pass(20).Steps);
        OneAgent voted = Streamed().Pass(3.1).Hear(1, new Message.AskVote(new Term(3), new DataPosition(new Term(1), At(1000)))).Stopped(1000);
        Assert.Null(voted.Told<Message.Vote>(1)!.Refusal);
        Assert.DoesNotContain(voted.Pass(20).Steps, step => step is AgentStep.Promote);
    }

    [Fact]
    public void R15_a_third_voter_ends_the_exception_when_the_standby_remembered_it_18()
    {
        OneAgent three = Streamed();
        Membership wider = three.State.Durable.Membership with { Change = 2, Voters = [.. three.State.Durable.Membership.Voters, new Voter(Id(3), false)], Before = three.State.Durable.Membership.Voters };
        three.Hear(1, three.LastRenew! with { Membership = wider, Set = Pair, Round = new Round(9, 7) }).Pass(20);
        Assert.Empty(three.Steps);
    }

    [Fact]
    public void R15_who_began_the_empty_set_may_promote_its_server_again_when_that_dies_18()
    {
        OneAgent alone = Alone().See(new ServerView.Down(At(1100)) { Identity = 2 }).Stopped(1100);
        for (int look = 0; look < 100 && alone.State.Role is not Role.Holding; look++)
        {
            if (alone.State.Doing is AgentStep.StartServer)
                alone.Finish(new StepOutcome.Done());
            else if (alone.State.Doing is AgentStep.CutReceiver)
                alone.Stopped(1100);
            alone.See(Sees(upstream: null, position: 1100)).Pass(0.2);
        }

        Assert.True(alone.State.Durable.Held > new Term(2));
    }

    [Fact]
    public void R15_while_the_other_answers_there_is_no_exception_18()
    {
        OneAgent asking = Streamed().Pass(3.05);
        asking.Hear(1, Ballot(asking, Refusal.Quiet)).Pass(0.25);
        Assert.Empty(asking.Steps);
    }

    private static OneAgent Alone()
    {
        OneAgent alone = Streamed().Pass(3.9).Stopped(1000).Finish(new StepOutcome.Done()).Pass(0.1).Finish(new StepOutcome.Done());
        Assert.Contains("GoesAlone", alone.Edges);
        return alone.See(Writes(alone));
    }

    private static OneAgent Streamed(RememberedSet? set = null)
    {
        OneAgent standby = new OneAgent(disk: TwoVoters).Renew(1, term: 1);
        standby.Hear(1, standby.LastRenew! with { Set = set ?? Pair, IsSetConfirmed = true, Round = new Round(9, 2) });
        return standby.See(Sees(upstream: 1));
    }

    private static ServerView.Recovering Sees(int? upstream, ulong position = 1000) =>
        new(At(position), upstream is { } node ? new NodeId(node) : null, 0) { Identity = 2 };

    private static ServerView.Writable Writes(OneAgent alone) => new(At(1100)) { Identity = 2, LastCommit = new AcknowledgedCommit(alone.Now, At(1100)) };

    private static DurableState TwoVoters(DurableState durable) => durable with
    {
        Set = Pair,
        Membership = new Membership(new Term(1), 1, [new Voter(Id(1), true), new Voter(Id(2), true)]),
    };
}
