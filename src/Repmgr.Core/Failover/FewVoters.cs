using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Failover;

/// <summary>What a cluster of one or two voters lacks, and how it gets it (R15).</summary>
public static class FewVoters
{
    /// <summary>More than this many, and any of them can be lost.</summary>
    public const int TooFew = 2;

    /// <summary>How there is a third.</summary>
    public const string Hint =
        "Register another standby, or a witness: on a third host, which needs no PostgreSQL, write node_id, node_name and the conninfo of the primary into repmgr.conf, "
        + "run \"repmgr witness register\", and start repmgrd.";

    /// <summary>What two nodes can do without one.</summary>
    public const string StrictHint =
        "Or set synchronous = strict on both nodes: then the standby takes over when the primary's host is lost, and writes stop while the standby is lost.";

    /// <summary>
    /// Two nodes with data whose commits wait for the standby: it may go on alone when the other is lost, which commits nothing without it. A witness cannot stand in for it: it
    /// acknowledges no commit.
    /// </summary>
    public static bool StandbyGoesAlone(Membership membership, RememberedSet? set)
    {
        ArgumentNullException.ThrowIfNull(membership);
        return membership.Voters.Count == TooFew && membership.Voters.All(voter => voter.HasData) && set is { Mode: SyncMode.Strict };
    }

    /// <summary>What there is not, with so few.</summary>
    public static Problem Problem(Membership membership, RememberedSet? set)
    {
        ArgumentNullException.ThrowIfNull(membership);
        if (membership.Voters.Count < TooFew)
            return new Problem("there is no failover: this node votes alone", null, Hint);
        return StandbyGoesAlone(membership, set)
            ? new Problem(
                "with two voters, failover goes one way",
                "When the primary's host is lost, the standby goes on alone. When the standby is lost, writes stop until it is back (synchronous = strict).", Hint)
            : new Problem(
                "there is no failover with two voters", "A majority of two is both: neither can be elected without the other, and when one is lost, the other is taken out of service.", Hint);
    }
}
