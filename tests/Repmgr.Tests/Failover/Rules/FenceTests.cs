using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using static Repmgr.Tests.Failover.OneAgent;
using static Repmgr.Tests.Failover.Scenes;

namespace Repmgr.Tests.Failover.Rules;

/// <summary>When a server is taken out of service, and by whom (R3, R4, R5): what went wrong with simpler rules, one agent at a time. A number at the end is that of the scenario.</summary>
public sealed class FenceTests
{
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

    /// <summary>It takes seconds to see that a disk hangs, and a set that is put in force meanwhile fails sooner, again and again.</summary>
    [Fact]
    public void R16_that_a_server_hangs_is_not_outdated_by_a_set_that_could_not_be_put_in_force()
    {
        OneAgent holder = SyncHolder(Remembered(Set(1, 2, 3)), Set(1, 2, 3));
        TimeSpan began = holder.Now;
        Assert.IsType<AgentStep.SetSynchronous>(holder.State.Doing);
        holder.Pass(0.2).Finish(new StepOutcome.Failed("the server cannot be looked at"));
        holder.Give(new Input.Observed(holder.Now, began, new ServerView.Hung()));
        Assert.IsType<Role.Fencing>(holder.State.Role);
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
}
