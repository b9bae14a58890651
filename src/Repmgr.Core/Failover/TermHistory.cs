using System.Collections.Immutable;
using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover;

/// <summary>From where on a term wrote (R7).</summary>
/// <param name="Term">The term.</param>
/// <param name="Timeline">Where it wrote. For people: two forks from one position can have one number, so it decides nothing.</param>
/// <param name="Begin">The first position that it could write.</param>
/// <param name="Promoted">The term whose promotion began the timeline: the same term, or an earlier one of a holder that went on (R3).</param>
public readonly record struct TermLine(Term Term, int Timeline, Lsn Begin, Term Promoted)
{
    /// <summary>Who held the term: for people; null: that was not remembered.</summary>
    public NodeId? Holder { get; init; }
}

/// <summary>How far a node's data go: the term that wrote the last byte, then the position. Greater is newer (R7).</summary>
public readonly record struct DataPosition(Term Term, Lsn Position) : IComparable<DataPosition>
{
    public int CompareTo(DataPosition other) => Term != other.Term ? Term.CompareTo(other.Term) : Position.CompareTo(other.Position);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Position} of term {Term}");

    public static bool operator <(DataPosition left, DataPosition right) => left.CompareTo(right) < 0;

    public static bool operator >(DataPosition left, DataPosition right) => left.CompareTo(right) > 0;

    public static bool operator <=(DataPosition left, DataPosition right) => left.CompareTo(right) <= 0;

    public static bool operator >=(DataPosition left, DataPosition right) => left.CompareTo(right) >= 0;
}

/// <summary>Which term wrote which part of the WAL that lies on a node (R7).</summary>
/// <remarks>
/// Terms decide, and of them the one that promoted the timeline: a holder that goes on in a new term without promotion (R3) goes on
/// writing the same WAL, and a standby that has not heard of the new term yet has not diverged. See docs/adr/0080.
/// </remarks>
public sealed class TermHistory(ImmutableArray<TermLine> lines) : IEquatable<TermHistory>
{
    public ImmutableArray<TermLine> Lines { get; } = lines;

    /// <summary>Of data about which nothing is known: they lie on nobody's history.</summary>
    public static TermHistory Unknown { get; } = new([new TermLine(new Term(0), 0, Lsn.Zero, new Term(0))]);

    public TermLine Newest => Lines[^1];

    /// <summary>The line in which the last byte before <paramref name="position"/> lies.</summary>
    public TermLine LineAt(Lsn position)
    {
        int line = Lines.Length - 1;
        while (line > 0 && Lines[line].Begin >= position)
            line--;
        return Lines[line];
    }

    public DataPosition At(Lsn position) => new(LineAt(position).Promoted, position);

    /// <summary>The history of data that end at <paramref name="position"/>, with a line for what is written from there on.</summary>
    public TermHistory PromotedAt(Lsn position, Term term, NodeId? holder = null) =>
        new([.. Lines.Where((line, index) => index == 0 || line.Begin < position), new TermLine(term, Newest.Timeline + 1, position, term) { Holder = holder }]);

    /// <summary>The same WAL goes on in a new term.</summary>
    public TermHistory ContinuedAt(Lsn position, Term term) =>
        new([.. Lines, new TermLine(term, Newest.Timeline, position, Newest.Promoted) { Holder = Newest.Holder }]);

    /// <summary>Data of this history that end at <paramref name="position"/> hold something that data of the other do not (R12).</summary>
    public bool Diverges(Lsn position, TermHistory other) => position > CommonUntil(other);

    /// <summary>Up to here the WAL of both is the same. The greatest position when neither has left the other.</summary>
    public Lsn CommonUntil(TermHistory other)
    {
        ImmutableArray<TermLine> mine = Forks(), theirs = other.Forks();
        int line = 0;
        while (line < mine.Length && line < theirs.Length && mine[line].Term == theirs[line].Term)
            line++;
        if (line == 0)
            return Lsn.Zero;

        Lsn end = new(ulong.MaxValue);
        if (line < mine.Length)
            end = mine[line].Begin;
        return line < theirs.Length && theirs[line].Begin < end ? theirs[line].Begin : end;
    }

    public bool Equals(TermHistory? other) => other is not null && (ReferenceEquals(this, other) || Lines.SequenceEqual(other.Lines));

    public override bool Equals(object? obj) => Equals(obj as TermHistory);

    public override int GetHashCode() => Newest.GetHashCode();

    public override string ToString() =>
        string.Join(", ", Lines.Select(line => string.Create(CultureInfo.InvariantCulture, $"{line.Term}/{line.Timeline}@{line.Begin}")));

    private ImmutableArray<TermLine> Forks() => [.. Lines.Where(line => line.Term == line.Promoted)];
}
