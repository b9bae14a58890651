using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using static Repmgr.Tests.Failover.Scenes;

namespace Repmgr.Tests.Failover.Rules;

/// <summary>An agent that is started anew (R14): what went wrong with simpler rules, one agent at a time. A number at the end is that of the scenario.</summary>
public sealed class RestartTests
{
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
        // Two clocks part more in so long a time than in one ttl.
        Assert.Equal(holder.Now + TimeSpan.FromSeconds(30 - 3 - 0.5), holder.GuardOrders[^1].Deadline);
    }

    /// <summary>It would end before the long renewal has left, and its guard take the server out of service in a ttl.</summary>
    [Fact]
    public void R14_a_renewal_that_was_on_its_way_when_the_agent_was_told_to_end_does_not_end_it()
    {
        OneAgent holder = Serving().Pass(0.6);
        Message.Renew before = holder.Told<Message.Renew>(3)!;
        holder.Give(new Input.StopRequested(holder.Now)).Echo(1.5).Hear(3, new Message.Renewed(before.Term, before.Round, new NodeId(1)));
        Assert.DoesNotContain(holder.Steps, step => step is AgentStep.Exit);
        Message.Renew last = holder.Told<Message.Renew>(3)!;
        Assert.Equal(new AgentPolicy().RestartGrace, last.Ttl);
        holder.Hear(3, new Message.Renewed(last.Term, last.Round, new NodeId(1)));
        Assert.IsType<AgentStep.Exit>(holder.Steps[^1]);
        Assert.Equal(holder.Now + TimeSpan.FromSeconds(30 - 3 - 0.5), holder.GuardOrders[^1].Deadline);
    }

    [Fact]
    public void R14_an_agent_that_stops_begins_nothing_any_more()
    {
        OneAgent asking = new OneAgent().SeeStandby(900, upstream: null).Pass(0.05);
        asking.Hear(3, Ballot(asking, null)).Give(new Input.StopRequested(asking.Now + TimeSpan.FromSeconds(5)));
        Assert.IsType<AgentStep.Exit>(Assert.Single(asking.Steps));
    }
}
