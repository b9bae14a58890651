using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Failover;

public sealed class LeaseTests
{
    [Fact]
    public void R2_every_promise_outlives_the_lease_that_it_carries_whatever_the_clocks_within_the_margin()
    {
        var policy = new AgentPolicy();
        for (double holder = 0.95; holder <= 1.0501; holder += 0.005)
        {
            for (double voter = 0.95; voter <= 1.0501; voter += 0.005)
            {
                // In true time, from the sending on; the voter receives at the same instant at the earliest.
                double leaseEnds = LeaseTimes.End(TimeSpan.Zero, policy.Ttl, policy.DriftMargin).TotalSeconds / holder;
                double promiseEnds = policy.Ttl.TotalSeconds / voter;
                Assert.True(leaseEnds <= promiseEnds, $"rates {holder} and {voter}: {leaseEnds} > {promiseEnds}");
            }
        }
    }

    [Fact]
    public void R4_times_that_leave_less_than_two_renewals_before_the_fence_are_refused()
    {
        Assert.True(LeaseTimes.AreSound(new AgentPolicy()));
        Assert.False(LeaseTimes.AreSound(new AgentPolicy { RenewEvery = TimeSpan.FromSeconds(1.2) }));
        Assert.False(LeaseTimes.AreSound(new AgentPolicy { FenceBudget = TimeSpan.FromSeconds(2) }));
    }

    [Fact]
    public void R7_the_order_of_candidates_is_total()
    {
        Candidacy[] all =
        [
            .. from term in new[] { 1, 2 }
               from position in new ulong[] { 10, 20 }
               from synchronous in new[] { false, true }
               from priority in new[] { 50, 100 }
               from near in new[] { false, true }
               from left in new ulong[] { 0, 5 }
               from node in new[] { 1, 2 }
               select new Candidacy(
                   new NodeId(node), new DataPosition(new Term(term), new Lsn(position)), OneAgent.First, true, synchronous, priority, near, left),
        ];
        CandidateOrder order = CandidateOrder.BestFirst;
        foreach (Candidacy left in all)
        {
            foreach (Candidacy right in all)
            {
                Assert.Equal(Math.Sign(order.Compare(left, right)), -Math.Sign(order.Compare(right, left)));
                Assert.True(order.Compare(left, right) != 0 || left == right);
            }
        }

        // As R7 lists them: what comes first decides, whatever follows.
        Candidacy[] sorted = [.. all.Order(order)];
        Assert.Equal(
            [.. sorted.Select(one => (-one.Data.Term.Number, -(long)one.Data.Position.Bytes, !one.IsSynchronous, -one.Priority, !one.IsNear, one.LeftToReplay, one.Node.Value)).Order()],
            sorted.Select(one => (-one.Data.Term.Number, -(long)one.Data.Position.Bytes, !one.IsSynchronous, -one.Priority, !one.IsNear, one.LeftToReplay, one.Node.Value)));
    }
}
