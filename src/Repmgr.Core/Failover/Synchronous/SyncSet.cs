using System.Collections.Immutable;
using System.Globalization;
using Repmgr.Core.Cluster;

namespace Repmgr.Core.Failover.Synchronous;

/// <summary>What a commit waits for: <c>synchronous</c> in <c>repmgr.conf</c>.</summary>
public enum SyncMode
{
    /// <summary>For nothing: lease mode.</summary>
    Off,

    /// <summary>For so many standbys as there are, up to <c>synchronous_node_count</c>: it shrinks when they are lost.</summary>
    Quorum,

    /// <summary>For <c>synchronous_node_count</c> standbys, always: writes wait while there are fewer.</summary>
    Strict,
}

/// <summary>A standby whose acknowledgement can count.</summary>
/// <param name="Node">Which.</param>
/// <param name="Data">The random identity of its data directory: the same node with other data is another member (R12).</param>
public readonly record struct SyncMember(NodeId Node, ulong Data)
{
    /// <summary>It never streams and never answers, so that writes wait: it keeps the count where members are missing (<c>strict</c>).</summary>
    public bool IsNobody => Node.Value <= 0;

    public static SyncMember Nobody(int number) => new(new NodeId(-number), 0);
}

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

    public override string ToString() => Count == 0 ? "nobody" : string.Create(
        CultureInfo.InvariantCulture, $"{Count} of {string.Join(", ", Members.Select(member => member.IsNobody ? "nobody" : $"node {member.Node}"))}");

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
            "{(member.IsNobody ? "nobody" : nameOf(member.Node))}@{term}.{change}"
            """));
        return string.Create(CultureInfo.InvariantCulture, $"ANY {Count} ({string.Join(", ", names)})");
    }

    public bool Equals(SyncSet? other) => other is not null && Count == other.Count && Members.SequenceEqual(other.Members);

    public override int GetHashCode() => HashCode.Combine(Count, Members.Length);
}

/// <summary>What the names of a set in force carry: each change of it gives all of them a new one (R9).</summary>
public readonly record struct SyncStamp(Term Term, int Change)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Term}.{Change}");
}

/// <summary>A set as it is in force in PostgreSQL, or about to be.</summary>
public sealed record StampedSet(SyncStamp Stamp, SyncSet Set)
{
    /// <summary>The <c>application_name</c> with which a standby of the set connects.</summary>
    public static string NameOf(NodeId node) => string.Create(CultureInfo.InvariantCulture, $"node{node}");

    /// <summary>The value of <c>synchronous_standby_names</c> on a server that is no holder: should it take writes, they wait for nobody who exists (R9).</summary>
    public const string NobodyNames = "ANY 1 (\"nobody@0\")";

    /// <summary>The value of <c>synchronous_standby_names</c>.</summary>
    public string Names => Set.Names(NameOf, Stamp.Term, Stamp.Change);

    /// <summary>The <c>application_name</c> of a member under this stamp.</summary>
    public static string NameOf(NodeId node, SyncStamp stamp) => $"{NameOf(node)}@{stamp}";

    /// <summary>Reads what <see cref="NameOf(NodeId, SyncStamp)"/> wrote; null: it is no such name.</summary>
    public static (NodeId Node, SyncStamp Stamp)? Read(string? applicationName)
    {
        if (applicationName?.Split('@') is not [['n', 'o', 'd', 'e', .. var id], var stamp] || stamp.Split('.') is not [var term, var change]
            || !int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int node)
            || !long.TryParse(term, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            || !int.TryParse(change, NumberStyles.None, CultureInfo.InvariantCulture, out int count))
            return null;
        return (new NodeId(node), new SyncStamp(new Term(number), count));
    }
}

/// <summary>The set that a majority of voters remembers. A newer one has the greater (term, change).</summary>
/// <param name="Holder">Who remembered it; its own answer, fenced and with unchanged data, replaces those of the members.</param>
public sealed record RememberedSet(Term Term, int Change, SyncSet Set, SyncMember Holder) : IComparable<RememberedSet>
{
    public SyncMode Mode { get; init; } = SyncMode.Quorum;

    /// <summary><c>synchronous_node_count</c>: how many are to acknowledge when there are so many.</summary>
    public int Wanted { get; init; } = 1;

    public static RememberedSet? Newest(RememberedSet? left, RememberedSet? right) => left is null || right?.CompareTo(left) > 0 ? right : left;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Set} ({Mode}, {Term}.{Change} of node {Holder.Node})");

    public int CompareTo(RememberedSet? other) =>
        other is null ? 1 : Term != other.Term ? Term.CompareTo(other.Term) : Change.CompareTo(other.Change);

    public static bool operator <(RememberedSet left, RememberedSet right) => left.CompareTo(right) < 0;

    public static bool operator >(RememberedSet left, RememberedSet right) => left.CompareTo(right) > 0;

    public static bool operator <=(RememberedSet left, RememberedSet right) => left.CompareTo(right) <= 0;

    public static bool operator >=(RememberedSet left, RememberedSet right) => left.CompareTo(right) >= 0;
}
