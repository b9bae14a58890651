using System.Globalization;
using Repmgr.Core.Cluster;

namespace Repmgr.Core.Failover;

/// <summary>Who votes: a node, and the random number that was made with its state directory (R1).</summary>
/// <remarks>An agent that lost its state directory comes back under another number, and is no voter until it is admitted anew.</remarks>
public readonly record struct VoterId(NodeId Node, ulong State)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Node}#{State:x}");
}

/// <summary>A voter. One without data is a witness.</summary>
public sealed record Voter(VoterId Id, bool HasData);

/// <summary>All registered voters, the failed primary included (R13). A newer one has the greater (term, change).</summary>
public sealed record Membership(Term Term, int Change, IReadOnlyList<Voter> Voters)
{
    public bool Contains(VoterId id) => Voters.Any(voter => voter.Id == id);

    /// <summary>More than half of all registered voters, never of those in sight.</summary>
    public bool IsMajority(int voters) => voters > Voters.Count / 2;

    public bool Equals(Membership? other) => other is not null && Term == other.Term && Change == other.Change;

    public override int GetHashCode() => HashCode.Combine(Term, Change);
}
