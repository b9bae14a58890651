using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using static Repmgr.Tests.Failover.Scenes;

namespace Repmgr.Tests.Failover.Rules;

/// <summary>A holder gives its term to a node that was named (R18), and is not replaced too soon after its promotion (R17).</summary>
public sealed class HandingOverTests
{
    [Fact]
    public void R18_a_holder_stops_in_good_order_and_names_its_successor_with_every_resignation()
    {
        OneAgent holder = Serving().AcknowledgedBy(3).Ask(new Request.HandOver(new NodeId(2)));
        Assert.Null(holder.Replies[^1].Refusal);
        Assert.Equal(new AgentStep.PrepareHandOver(new NodeId(2)), Assert.Single(holder.Steps));
        Assert.Contains("about to be handed over to node 2", holder.Ask(new Request.HandOver(new NodeId(3))).Replies[^1].Refusal, StringComparison.Ordinal);
        // The operator's command has its time: the lease goes on.
        holder.Pass(0.5).AcknowledgedBy(3).Echo(1.9).Pass(0.05);
        Assert.IsType<Role.Holding>(holder.State.Role);
        holder.Finish(new StepOutcome.Done());
        Assert.True(Assert.IsType<AgentStep.Fence>(holder.Steps[^1]).IsOrderly);
        Assert.Null(holder.Told<Message.Resign>(3));
        holder.Stopped(500).Pass(1.1);
        Message.Resign[] said = [.. holder.Sent.Select(envelope => envelope.Message).OfType<Message.Resign>()];
        Assert.True(said.Length > 2);
        Assert.All(said, resign => Assert.Equal(new NodeId(2), resign.Successor));
    }

    [Fact]
    public void R18_what_came_about_while_it_was_prepared_may_speak_against_it()
    {
        OneAgent paused = Serving().AcknowledgedBy(3).Ask(new Request.HandOver(new NodeId(2))).Ask(new Request.Pause(TimeSpan.FromSeconds(60)));
        paused.Finish(new StepOutcome.Done());
        Assert.IsType<Role.Holding>(paused.State.Role);
        Assert.Equal("HandsOverNot", paused.State.Decisions[^1].Name);

        OneAgent died = Serving().AcknowledgedBy(3).Ask(new Request.HandOver(new NodeId(2))).See(new ServerView.Down(OneAgent.At(500)));
        Assert.False(Assert.IsType<AgentStep.Fence>(died.Steps[^1]).IsOrderly);
    }

    [Theory]
    [InlineData(1, "is the primary already")]
    [InlineData(9, "is no voter with data")]
    public void R18_a_holder_does_not_hand_over_to_just_anybody(int node, string why) =>
        Assert.Contains(why, Refused(Serving(), node), StringComparison.Ordinal);

    [Fact]
    public void R18_nothing_is_handed_over_in_a_pause() =>
        Assert.Contains("unpause", Refused(Serving().Ask(new Request.Pause(TimeSpan.FromSeconds(60))), 2), StringComparison.Ordinal);

    [Fact]
    public void R18_others_let_the_successor_stand_for_a_ttl_although_they_are_better()
    {
        OneAgent better = Resigned(successor: 3);
        Assert.Contains(better.Walked, edge => edge is { Name: "LetsBetterStand", Rule: "R18" });
        Assert.DoesNotContain("Stands", better.Edges);
        for (int turn = 0; turn < 20 && !better.Edges.Contains("Stands"); turn++)
            better.Pass(0.25).Hear(3, Ballot(better, null) with { Candidacy = Of(3, 900) });
        Assert.Contains("Stands", better.Edges);
    }

    [Theory, InlineData(null), InlineData(false)]
    public void R18_a_successor_that_answers_is_waited_for_also_while_it_cannot_tell_how_far_its_data_go(bool? isEligible)
    {
        OneAgent agent = new OneAgent().Renew(1, term: 1).SeeStandby(1000).Hear(1, new Message.Resign(new Term(1)) { Successor = new NodeId(3) });
        agent.Hear(1, Ballot(agent, null) with { Candidacy = Of(1, 100) });
        agent.Hear(3, Ballot(agent, null) with { Candidacy = isEligible is { } may ? Of(3, 900) with { IsEligible = may } : null }).Pass(0.05);
        Assert.Contains(agent.Walked, edge => edge is { Name: "LetsBetterStand", Rule: "R18" });
        Assert.DoesNotContain("Stands", agent.Edges);
    }

    [Fact]
    public void R18_the_successor_does_not_wait_for_better_ones() => Assert.Contains("Stands", Resigned(successor: 2, equal: true).Edges);

    [Fact]
    public void R17_a_server_that_hangs_soon_after_its_promotion_is_given_time_and_one_that_ended_is_not()
    {
        OneAgent promoted = Promoting().Finish(new StepOutcome.Done());
        promoted.See(new ServerView.Hung());
        Assert.Equal("CoolsDown", promoted.State.Decisions[^1].Name);
        Assert.IsType<Role.Holding>(promoted.State.Role);
        promoted.See(new ServerView.Hung { IsHeadless = true });
        Assert.IsType<Role.Fencing>(promoted.State.Role);
    }

    private static string? Refused(OneAgent holder, int node)
    {
        holder.Ask(new Request.HandOver(new NodeId(node)));
        Assert.DoesNotContain(holder.Steps, step => step is AgentStep.Fence);
        return holder.Replies[^1].Refusal;
    }

    /// <summary>Node 2 with more data than node 3, or as much; node 1 gave its term back.</summary>
    private static OneAgent Resigned(int successor, bool equal = false)
    {
        OneAgent agent = new OneAgent().Renew(1, term: 1).SeeStandby(1000);
        agent.Hear(1, new Message.Resign(new Term(1)) { Successor = new NodeId(successor) });
        // Node 1 would be the better candidate, its data being the same and its number lower.
        agent.Hear(1, Ballot(agent, null) with { Candidacy = Of(1, equal ? 1000UL : 100UL) });
        return agent.Hear(3, Ballot(agent, null) with { Candidacy = Of(3, 900) }).Pass(0.05);
    }
}
