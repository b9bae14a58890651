using CsCheck;

namespace Repmgr.Tests;

/// <summary>One of some known values.</summary>
internal static class Pick
{
    public static Gen<T> From<T>(params IReadOnlyList<T> values) => Gen.Int[0, values.Count - 1].Select(index => values[index]);
}
