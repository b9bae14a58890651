using System.Collections.Immutable;
using System.Globalization;
using Repmgr.Core.Cluster;

namespace Repmgr.Core.Failover.Synchronous;

/// <summary>A standby whose acknowledgement can count.</summary>
/// <param name="Node">Which.</param>
/// <param name="Data">The random identity of its data directory: the same node with other data is another member (R12).</param>
public readonly record struct SyncMember(NodeId Node, ulong Data);

/// <summary>So many of these acknowledge every commit (R9). An empty set: none does.</summary>
/// <param name="Members">Ordered by node.</param>
/// <param name="Count">How many of them: from 0, for an empty set, to their number.</param>
public sealed record SyncSet(ImmutableArray<SyncMember> Members, int Count)
{
    public static SyncSet Empty { get; } = new([], 0);

    public static SyncSet Of(IEnumerable<SyncMember> members, int count)
    {
        ImmutableArray<SyncMember> ordered = [.. members.Distinct().OrderBy(member => member.Node).ThenBy(member => member.Data)];
        return new SyncSet(ordered, Math.Clamp(count, 0, ordered.Length));
    }

    public bool Contains(NodeId node) => Members.Any(member => member.Node == node);

    /// <summary>The value of <c>synchronous_standby_names</c>. Names carry term and change, a second line of defence (R9).</summary>
    /// <remarks>
    /// https://www.postgresql.org/docs/current/runtime-config-replication.html#GUC-SYNCHRONOUS-STANDBY-NAMES. Never empty but on a holder with an empty
    /// set: a fresh setting was seen to be ignored until the checkpointer had run.
    /// </remarks>
    public string Names(Func<NodeId, string> nameOf, Term term, int change)
    {
        if (Count == 0)
            return "";
        IEnumerable<string> names = Members.Select(member => string.Create(CultureInfo.InvariantCulture, $"""
            "{nameOf(member.Node)}@{term}.{change}"
            """));
        return string.Create(CultureInfo.InvariantCulture, $"ANY {Count} ({string.Join(", ", names)})");
    }

    public bool Equals(SyncSet? other) => other is not null && Count == other.Count && Members.SequenceEqual(other.Members);

    public override int GetHashCode() => HashCode.Combine(Count, Members.Length);
}

/// <summary>The set that a majority of voters remembers. A newer one has the greater (term, change).</summary>
/// <param name="Holder">Who remembered it; its own answer, fenced and with unchanged data, replaces those of the members.</param>
public sealed record RememberedSet(Term Term, int Change, SyncSet Set, SyncMember Holder) : IComparable<RememberedSet>
{
    public int CompareTo(RememberedSet? other) =>
        other is null ? 1 : Term != other.Term ? Term.CompareTo(other.Term) : Change.CompareTo(other.Change);

    public static bool operator <(RememberedSet left, RememberedSet right) => left.CompareTo(right) < 0;

    public static bool operator >(RememberedSet left, RememberedSet right) => left.CompareTo(right) > 0;

    public static bool operator <=(RememberedSet left, RememberedSet right) => left.CompareTo(right) <= 0;

    public static bool operator >=(RememberedSet left, RememberedSet right) => left.CompareTo(right) >= 0;
}
