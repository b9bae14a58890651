using System.Collections.Immutable;
using System.Globalization;
using Repmgr.Core.Cluster;

namespace Repmgr.Core.Failover;

/// <summary>Who votes: a node, and the random number that was made with its state directory (R1).</summary>
/// <remarks>An agent that lost its state directory comes back under another number, and is no voter until it is admitted anew.</remarks>
public readonly record struct VoterId(NodeId Node, ulong State)
{
    /// <summary>Nodes begin at 1: this number is the store's, where the lease lies in one (docs/adr/0116).</summary>
    public static NodeId StoreNode { get; }

    /// <summary>It is the store's voter. Its number is drawn when failover begins, and names what lies there.</summary>
    public bool IsStore => Node == StoreNode;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Node}#{State:x}");
}

/// <summary>A voter. One without data is a witness, or the store's.</summary>
public sealed record Voter(VoterId Id, bool HasData);

/// <summary>All registered voters, the failed primary included (R13).</summary>
public sealed record Membership(Term Term, int Change, IReadOnlyList<Voter> Voters)
{
    /// <summary>Of an agent that was never a voter.</summary>
    public static Membership None { get; } = new(new Term(0), 0, []);

    /// <summary>The voters before this change, or before this holder affirmed them; null once it is confirmed: majorities of both remember it.</summary>
    public IReadOnlyList<Voter>? Before { get; init; }

    /// <summary>What holds for the whole cluster, whatever the files of its nodes say; null: each goes by its own file.</summary>
    public AgreedTimes? Times { get; init; }

    /// <summary>
    /// Who was taken out on an operator's word that they are lost (R18), until they are admitted anew; null: nobody. They do not know it: asked by them, who knows it
    /// says so, so that they do not elect among themselves.
    /// </summary>
    public IReadOnlyList<VoterId>? Lost { get; init; }

    /// <summary>Who is asked: those before it, too, until it is confirmed.</summary>
    public IEnumerable<Voter> Asked => Before is null ? Voters : Voters.UnionBy(Before, voter => voter.Id);

    /// <summary>The store's voter, where the lease lies in a store; null: the agents keep it among themselves.</summary>
    public VoterId? Store => StoreOf(Voters);

    public bool Contains(VoterId id) => Votes(id) || Before?.Any(voter => voter.Id == id) == true;

    /// <summary>It is a voter now; one that was removed is not, also while that is not confirmed.</summary>
    public bool Votes(VoterId id) => Voters.Any(voter => voter.Id == id);

    /// <summary>
    /// More than half of all registered voters, never of those in sight; and of those before them, until the change is confirmed. Where the lease lies in a store, its
    /// voter alone is a majority, and nobody is one without it.
    /// </summary>
    public bool IsMajority(IReadOnlyCollection<VoterId> who) => IsMajorityOf(Voters, who) && (Before is null || IsMajorityOf(Before, who));

    /// <summary>Whether so many of the present voters are more than half of them: for what is shown, not for what is decided.</summary>
    public bool IsMajority(int voters) => voters > Voters.Count / 2;

    /// <summary>A newer one has the greater (term, change); of the same, the one that is confirmed.</summary>
    public bool IsNewerThan(Membership other) =>
        (Term.Number, Change, Before is null).CompareTo((other.Term.Number, other.Change, other.Before is null)) > 0;

    public static Membership Newest(Membership left, Membership? right) => right?.IsNewerThan(left) == true ? right : left;

    public bool Equals(Membership? other) => other is not null && Term == other.Term && Change == other.Change && Before is null == other.Before is null;

    public override int GetHashCode() => HashCode.Combine(Term, Change);

    internal static bool IsMajorityOf(IReadOnlyList<Voter> voters, IReadOnlyCollection<VoterId> who) =>
        StoreOf(voters) is { } store ? who.Contains(store) : voters.Count(voter => who.Contains(voter.Id)) > voters.Count / 2;

    private static VoterId? StoreOf(IReadOnlyList<Voter> voters)
    {
        foreach (Voter voter in voters)
        {
            if (voter.Id.IsStore)
                return voter.Id;
        }

        return null;
    }
}

/// <summary>Times that are remembered with the membership (R13).</summary>
/// <param name="Ttl"><c>lease_ttl</c></param>
/// <param name="RestartGrace"><c>agent_restart_grace</c></param>
public sealed record AgreedTimes(TimeSpan Ttl, TimeSpan RestartGrace);
