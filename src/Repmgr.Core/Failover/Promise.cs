using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Failover;

/// <summary>A voter's word not to vote for another node (R2).</summary>
/// <param name="Term">The term of the holder, or of the candidate that got the vote.</param>
/// <param name="To">Who has it.</param>
/// <param name="Until">On the voter's boot clock.</param>
public sealed record Promise(Term Term, NodeId To, TimeSpan Until)
{
    public bool IsLive(TimeSpan now) => now < Until;

    /// <summary>Whether it forbids a vote for <paramref name="candidate"/>: one to the candidate itself does not (R3, R8).</summary>
    public bool Forbids(NodeId candidate, TimeSpan now) => IsLive(now) && To != candidate;

    /// <summary>A promise to the same node never becomes shorter: a late or shorter renewal does not undo a longer one [8].</summary>
    public static Promise Extend(Promise? before, Term term, NodeId to, TimeSpan until) =>
        before is not null && before.To == to && before.Until > until ? before with { Term = term } : new Promise(term, to, until);
}

/// <summary>When a lease ends, on the holder's boot clock (R2, R4).</summary>
public static class LeaseTimes
{
    /// <summary>A lease counts from the instant its round was sent, and ends a margin before the promises that carry it can.</summary>
    public static TimeSpan End(TimeSpan sent, TimeSpan ttl, TimeSpan driftMargin) => sent + ttl - driftMargin;

    /// <summary>What two clocks may differ by in this time: in proportion to the margin for one ttl.</summary>
    public static TimeSpan Margin(TimeSpan of, AgentPolicy policy) => policy.DriftMargin * (of / policy.Ttl);

    /// <summary>When taking the server out of service begins, so that it is over when the lease ends.</summary>
    public static TimeSpan FenceDeadline(TimeSpan leaseEnd, AgentPolicy policy) => leaseEnd - policy.FenceBudget;

    /// <summary>Whether these times leave a holder two renewals before it has to fence (R4).</summary>
    public static bool AreSound(AgentPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy.Ttl - policy.DriftMargin - policy.FenceBudget >= 2 * policy.RenewEvery;
    }

    /// <summary>Why these times leave no room for two renewals, and from which ttl on they would; null: they do.</summary>
    public static Problem? Unsound(AgentPolicy policy)
    {
        if (AreSound(policy))
            return null;
        // The margin grows with the ttl.
        double least = ((2 * policy.RenewEvery) + policy.FenceBudget) / (policy.Ttl - policy.DriftMargin) * policy.Ttl.TotalSeconds;
        return new Problem(
            Say($"a lease_ttl of {policy.Ttl.TotalSeconds:0.###} s leaves no room for two renewals"),
            Say($"Of that, {policy.DriftMargin.TotalSeconds:0.###} s are kept for clocks that differ and {policy.FenceBudget.TotalSeconds:0.###} s for taking the server out of service, and the lease is renewed every {policy.RenewEvery.TotalSeconds:0.###} s (lease_renew_interval)."),
            Say($"A lease_ttl of {Math.Ceiling(least * 10) / 10:0.#} s would do; or lower lease_renew_interval on all nodes, and restart repmgrd."));
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
