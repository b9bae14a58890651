using Repmgr.Core.Postgres;

namespace Repmgr.Core.Verification;

/// <summary>How far a copy has come on which timeline.</summary>
/// <param name="Timeline">The timeline it is on.</param>
/// <param name="Settled">All changes before this position are in its files.</param>
/// <param name="History">The history of the timeline; null when it is not at hand.</param>
public sealed record CopyHistory(int Timeline, Lsn Settled, TimelineHistory? History);

/// <summary>Whether two copies of a cluster have gone ways of their own.</summary>
public static class Divergence
{
    /// <returns>How, as a sentence; null when nothing shows that they have.</returns>
    public static string? Of(CopyHistory here, CopyHistory source) =>
        here.Timeline > source.Timeline ? OfDescendant("This copy", here, "the source", source) : OfDescendant("The source", source, "this copy", here);

    // What the elder has gone past the point where the younger left its timeline, is on it alone.
    private static string? OfDescendant(string younger, CopyHistory descendant, string elder, CopyHistory ancestor)
    {
        if (descendant.History is not { } history)
            return null;
        if (ancestor.History?.FirstDifference(history) is var (one, other))
            return $"{younger} left timeline {other.Timeline} at {other.SwitchPoint}, and {elder} timeline {one.Timeline} at {one.SwitchPoint}: they were promoted apart.";
        return history.SharedUpTo(ancestor.Timeline) switch
        {
            null => $"{younger} is on timeline {descendant.Timeline}, which does not come from timeline {ancestor.Timeline} of {elder}.",
            { } shared when ancestor.Settled > shared => $"{younger} left timeline {ancestor.Timeline} at {shared}; {elder} has changes of that timeline up to {ancestor.Settled} in its files.",
            _ => null,
        };
    }
}
