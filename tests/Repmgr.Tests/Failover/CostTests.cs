using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Tests.Failover.Simulation;

namespace Repmgr.Tests.Failover;

/// <summary>What agents that have nothing to do cost: how often they wake, and how much they say (docs/adr/0119).</summary>
public sealed class CostTests
{
    private const int Ttls = 20;

    private static readonly AgentPolicy Policy = new();

    /// <summary>A voter says one thing for each renewal of the holder, whatever the size of the cluster; the holder one to each voter.</summary>
    [Theory]
    [InlineData(3, 3)]
    [InlineData(3, 30)]
    [InlineData(30, 30)]
    public void R2_the_messages_of_a_voter_do_not_become_more_with_the_cluster_and_those_of_the_holder_only_with_its_voters(int withData, int voters)
    {
        var world = new World(1, new SimulationProfile { DataNodes = withData, Witnesses = voters - withData, Spares = 0, Faults = [], Synchronous = SyncMode.Quorum });
        world.RunFor(TimeSpan.FromSeconds(10));
        long[] before = [.. world.Nodes.Select(node => node.Sent)];
        world.RunFor(Ttls * Policy.Ttl);
        double[] perTtl = [.. world.Nodes.Select((node, at) => (double)(node.Sent - before[at]) / Ttls)];

        // Turns of the simulation are rarer than those of an agent: a renewal may leave up to a look late.
        double most = Policy.Ttl / Policy.RenewEvery * 1.02, least = most * 0.75;
        Assert.Equal(world.Node(1), world.Primary);
        Assert.InRange(perTtl[0], (voters - 1) * least, (voters - 1) * most);
        Assert.All(perTtl[1..], sent => Assert.InRange(sent, least, most));
    }

    [Fact]
    public void Who_follows_a_holder_sleeps_until_the_next_look_and_never_beyond_its_promise()
    {
        OneAgent voter = new OneAgent().SeeStandby(100).Renew(1, 1);
        Assert.Equal(TimeSpan.FromMilliseconds(250), Wait(voter));
        Assert.Equal(TimeSpan.FromMilliseconds(100), NextTurn.After(voter.State, voter.Now + TimeSpan.FromSeconds(2.9)));

        // The word is over: whether to ask for votes is to be decided every now and then.
        Assert.Equal(TimeSpan.FromMilliseconds(50), NextTurn.After(voter.State, voter.Now + TimeSpan.FromSeconds(3)));
        Assert.Equal(TimeSpan.FromMilliseconds(20), Wait(new OneAgent().SeeStandby(100, upstream: null).Pass(0.05)));
    }

    [Fact]
    public void A_holder_sleeps_until_its_renewal_or_its_deadline_and_one_that_is_late_not_at_all()
    {
        OneAgent holder = Scenes.Serving();
        holder.AcknowledgedBy(3);
        TimeSpan next = ((Role.Holding)holder.State.Role).NextRenewal;
        Assert.Equal(TimeSpan.FromMilliseconds(250), NextTurn.After(holder.State, next - TimeSpan.FromMilliseconds(400)));
        Assert.Equal(TimeSpan.FromMilliseconds(40), NextTurn.After(holder.State, next - TimeSpan.FromMilliseconds(40)));
        Assert.Equal(TimeSpan.FromMilliseconds(1), NextTurn.After(holder.State, next + TimeSpan.FromMilliseconds(40)));

        TimeSpan deadline = LeaseTimes.FenceDeadline(((Role.Holding)holder.State.Role).End!.Value, holder.State.Policy);
        AgentState renewedLately = holder.State with { Role = (Role.Holding)holder.State.Role with { NextRenewal = deadline + TimeSpan.FromSeconds(1) } };
        Assert.Equal(TimeSpan.FromMilliseconds(30), NextTurn.After(renewedLately, deadline - TimeSpan.FromMilliseconds(30)));

        AgentState paused = renewedLately with { PauseEnds = deadline - TimeSpan.FromSeconds(1) };
        Assert.Equal(TimeSpan.FromMilliseconds(20), NextTurn.After(paused, deadline - TimeSpan.FromMilliseconds(1020)));
    }

    /// <summary>While something is being done, waits for the disk or is about to end, turns come often.</summary>
    [Fact]
    public void Who_is_at_something_does_not_sleep_long()
    {
        OneAgent voter = new OneAgent().SeeStandby(100).Renew(1, 1);
        Assert.Equal(TimeSpan.FromMilliseconds(50), NextTurn.After(voter.State with { Doing = new AgentStep.StartServer() }, voter.Now));
        Assert.Equal(TimeSpan.FromMilliseconds(50), NextTurn.After(voter.State with { IsStopping = true }, voter.Now));
        Assert.Equal(TimeSpan.FromMilliseconds(50), NextTurn.After(voter.State with { ResignedAt = voter.Now }, voter.Now));
        Assert.Equal(TimeSpan.FromMilliseconds(20), NextTurn.After(voter.State with { Held = [new Held(9, null, new AgentStep.StartServer())] }, voter.Now));
        Assert.Equal(TimeSpan.FromMilliseconds(30), NextTurn.After(voter.State with { NextFollow = voter.Now + TimeSpan.FromMilliseconds(30) }, voter.Now));
    }

    private static TimeSpan Wait(OneAgent agent) => NextTurn.After(agent.State, agent.Now);
}
