using Repmgr.Core.Problems;

namespace Repmgr.Core.Hosts;

/// <summary>Something that was not configured and was looked for instead.</summary>
public abstract record Detected<T>
{
    private Detected() { }

    /// <param name="Value">What was found.</param>
    /// <param name="How">Where it comes from, to be read after the value: <c>from data_directory in repmgr.conf</c>.</param>
    public sealed record Found(T Value, string How) : Detected<T>;

    /// <param name="Problem">Nothing or too much was found; the hint names the key to set.</param>
    public sealed record Unclear(Problem Problem) : Detected<T>;
}
