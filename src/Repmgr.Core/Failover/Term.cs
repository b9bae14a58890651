using System.Globalization;

namespace Repmgr.Core.Failover;

/// <summary>A number that only grows; a term has at most one holder, the node that may be primary (invariant I2).</summary>
public readonly record struct Term(long Number) : IComparable<Term>
{
    public Term Next => new(Number + 1);

    public static Term Max(Term left, Term right) => left > right ? left : right;

    public int CompareTo(Term other) => Number.CompareTo(other.Number);

    public override string ToString() => Number.ToString(CultureInfo.InvariantCulture);

    public static bool operator <(Term left, Term right) => left.Number < right.Number;

    public static bool operator >(Term left, Term right) => left.Number > right.Number;

    public static bool operator <=(Term left, Term right) => left.Number <= right.Number;

    public static bool operator >=(Term left, Term right) => left.Number >= right.Number;
}
