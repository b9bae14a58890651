using Repmgr.Core.Failover;
using static Repmgr.Tests.Failover.OneAgent;
using static Repmgr.Tests.Failover.Scenes;

namespace Repmgr.Tests.Failover.Rules;

/// <summary>A pause begins with the majority and ends at the holder (R14, docs/adr/0107). A number at the end is that of the scenario.</summary>
public sealed class PauseTests
{
    [Fact]
    public void R14_a_pause_is_in_force_when_a_majority_has_acknowledged_it_and_then_nobody_fences_guard_included_13()
    {
        OneAgent holder = Asked(new Request.Pause(TimeSpan.FromSeconds(60)));
        Assert.Null(holder.Replies[^1].Refusal);
        Assert.DoesNotContain(holder.GuardOrders, order => order.PausedUntil is not null);
        TimeSpan begun = holder.Now;
        holder.AcknowledgedBy(3);
        Assert.Equal(begun + TimeSpan.FromSeconds(60), holder.GuardOrders.Last(order => order.PausedUntil is not null).PausedUntil);
        holder.Pass(20);
        Assert.Empty(holder.Steps);
    }

    [Fact]
    public void R14_a_pause_that_no_majority_acknowledges_protects_nobody()
    {
        OneAgent holder = Asked(new Request.Pause(TimeSpan.FromSeconds(60))).Pass(4);
        Assert.Single(holder.Steps.OfType<AgentStep.Fence>());
    }

    [Fact]
    public void R14_a_holder_whose_pause_expires_while_nobody_answers_fences_and_keeps_the_term_until_a_majority_knows_13()
    {
        OneAgent holder = Asked(new Request.Pause(TimeSpan.FromSeconds(10))).AcknowledgedBy(3).Pass(9.5);
        Assert.Empty(holder.Steps);
        holder.Pass(1);
        Assert.Single(holder.Steps.OfType<AgentStep.Fence>());
        Assert.Equal(TimeSpan.Zero, holder.GuardOrders.Last(order => order.PausedUntil is not null).PausedUntil);

        holder.Stopped(500).See(new ServerView.Down(At(500))).Pass(1);
        Assert.Null(holder.Told<Message.Resign>(3));
        Assert.False(holder.Told<Message.Renew>(3)!.Pause!.IsOn);
        holder.AcknowledgedBy(3).Pass(0.6);
        Assert.NotNull(holder.Told<Message.Resign>(3));
    }

    [Fact]
    public void R14_a_server_that_dies_in_a_pause_moves_nothing_and_nothing_is_resigned()
    {
        OneAgent holder = Asked(new Request.Pause(TimeSpan.FromSeconds(60))).AcknowledgedBy(3).See(new ServerView.Down(At(500))).Pass(10);
        Assert.Empty(holder.Steps);
        Assert.Null(holder.Told<Message.Resign>(3));
        Assert.True(holder.Told<Message.Renew>(3)!.Pause!.IsOn);
    }

    [Fact]
    public void R14_a_paused_voter_votes_for_nobody_and_a_renewal_sent_before_the_pause_does_not_end_it()
    {
        OneAgent voter = new OneAgent().SeeStandby(900).Renew(1, term: 1);
        Message.Renew before = voter.LastRenew!, paused = before with { Pause = new Pause(new Term(1), 1, TimeSpan.FromSeconds(60)), Round = new Round(9, 2) };
        voter.Hear(1, paused);
        Assert.Equal(paused.Round, voter.Told<Message.Renewed>(1)!.Round);
        voter.Hear(1, before with { Round = new Round(9, 1) });
        Assert.Equal(paused.Round, voter.Told<Message.Renewed>(1)!.Round);

        voter.Pass(20).Hear(3, new Message.AskVote(new Term(2), Far));
        Assert.Equal(Refusal.Paused, voter.Told<Message.Vote>(3)!.Refusal);
        Assert.Equal(1, voter.Edges.Count(edge => edge == "Asks"));

        // The end is said by the holder; then it votes after a ttl.
        voter.Hear(1, before with { Pause = new Pause(new Term(1), 2, null), Round = new Round(9, 3) }).Hear(3, new Message.AskVote(new Term(2), Far));
        Assert.Equal(Refusal.Promised, voter.Told<Message.Vote>(3)!.Refusal);
        voter.Pass(3.1).SeeStandby(900, upstream: null).Hear(3, new Message.AskVote(new Term(2), Far)).Stopped(900);
        Assert.Null(voter.Told<Message.Vote>(3)!.Refusal);
    }

    [Fact]
    public void R14_without_the_holder_a_pause_ends_only_where_nothing_reaches_the_holder_13()
    {
        OneAgent voter = new OneAgent().SeeStandby(900).Renew(1, term: 1);
        voter.Hear(1, voter.LastRenew! with { Pause = new Pause(new Term(1), 1, TimeSpan.FromSeconds(60)), Round = new Round(9, 2) });
        Assert.Contains("renewed", voter.Ask(new Request.ResumeWithoutHolder()).Replies[^1].Refusal, StringComparison.Ordinal);
        Assert.Contains("receives", voter.Pass(4).Ask(new Request.ResumeWithoutHolder()).Replies[^1].Refusal, StringComparison.Ordinal);
        Assert.Null(voter.SeeStandby(900, upstream: null).Ask(new Request.ResumeWithoutHolder()).Replies[^1].Refusal);
        Assert.False(voter.State.Durable.Pause!.IsOn);
    }

    [Fact]
    public void R14_in_a_pause_a_term_that_was_asked_for_does_not_keep_the_holder_from_renewing()
    {
        OneAgent holder = Asked(new Request.Pause(TimeSpan.FromSeconds(60))).AcknowledgedBy(3).Hear(2, new Message.Superseded(new Term(2), null));
        Assert.Null(((Role.Holding)holder.State.Role).Affirming);
    }

    [Fact]
    public void R14_the_guard_is_told_of_the_pause_with_each_deadline_and_anew_by_an_agent_that_was_restarted()
    {
        OneAgent holder = Asked(new Request.Pause(TimeSpan.FromSeconds(60))).AcknowledgedBy(3).Pass(0.6).Echo(1.9).AcknowledgedBy(3);
        Assert.Equal(holder.State.PauseEnds, holder.GuardOrders.Last(order => order.Deadline is not null).PausedUntil);

        // Its guard is another one, and has no deadline: the cluster is paused all the same.
        var again = new OneAgent(node: 1, disk: _ => holder.State.Durable);
        again.See(new ServerView.Writable(At(500))).Echo(null).Pass(30);
        Assert.Contains("Resumes", again.Edges);
        Assert.Empty(again.Steps);
        Assert.Equal(again.State.PauseEnds, again.GuardOrders.First(order => order.PausedUntil is not null).PausedUntil);

        // Nobody has renewed its lease: an order would end its server with the pause, and is refused; at the expiry it ends.
        again.Ask(new Request.Resume()).Pass(0.05);
        Assert.Contains("No majority", again.Replies[^1].Refusal, StringComparison.Ordinal);
        Assert.Empty(again.Steps);
        again.Pass(31);
        Assert.Single(again.Steps.OfType<AgentStep.Fence>());
    }

    [Fact]
    public void R14_the_guard_lets_a_server_be_that_was_started_anew_as_a_standby_in_the_pause()
    {
        OneAgent holder = Asked(new Request.Pause(TimeSpan.FromSeconds(60))).AcknowledgedBy(3).See(new ServerView.Down(At(500)));
        Assert.Contains(holder.GuardOrders, order => order.IsOver);
        int told = holder.GuardOrders.Count;
        holder.SeeStandby(500, upstream: null).Pass(0.6).Echo(null).AcknowledgedBy(3);
        Assert.DoesNotContain(holder.GuardOrders.Skip(told), order => order.Deadline is not null);
    }

    [Fact]
    public void R18_a_node_that_is_not_the_holder_says_who_is()
    {
        OneAgent voter = new OneAgent().Renew(1, term: 1).Ask(new Request.Pause(TimeSpan.FromSeconds(60)));
        Assert.Contains("Node 1 holds", voter.Replies[^1].Refusal, StringComparison.Ordinal);
        Assert.Equal("Refused", voter.State.Decisions[^1].Name);
    }

    private static OneAgent Asked(Request request) => Serving().Ask(request);
}
