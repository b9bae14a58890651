using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Checks;

/// <summary>How far a standby has come, and along which timelines.</summary>
/// <param name="SystemIdentifier">The identity of its cluster.</param>
/// <param name="Timeline">The timeline it is on.</param>
/// <param name="Replayed">What it has replayed: this is in its data files and cannot be taken back.</param>
/// <param name="Received">The end of the WAL it has; never before <paramref name="Replayed"/>.</param>
/// <param name="ReplayRests">
/// Nothing more of what it has will be replayed by itself: replay has reached the end of the last whole record. False while it
/// is busy, or paused or delayed with WAL left.
/// </param>
/// <param name="History">The history of its timeline as it has it; null when it has none at hand.</param>
public sealed record CopyEnd(ulong SystemIdentifier, int Timeline, Lsn Replayed, Lsn Received, bool ReplayRests, TimelineHistory? History);

/// <summary>What a server offers to those that stream from it.</summary>
/// <param name="SystemIdentifier">The identity of its cluster.</param>
/// <param name="Timeline">The timeline it is on.</param>
/// <param name="End">The end of its WAL. Read after that of the copy, or a busy primary would seem to be behind.</param>
/// <param name="History">The history of its timeline.</param>
/// <param name="Grows">It is a primary's own WAL, or it is still being received: what is missing will come.</param>
/// <param name="IsPrimary">It writes WAL itself.</param>
public sealed record SourceEnd(ulong SystemIdentifier, int Timeline, Lsn End, TimelineHistory History, bool Grows, bool IsPrimary);

/// <summary>
/// Whether a standby can go on from where it is with the WAL of another server. Everything that the standby has replayed must
/// be part of that server's history, all the way back; the newest timeline alone does not show it.
/// </summary>
public static class AncestryCheck
{
    /// <param name="standby">The standby's name, for the message.</param>
    /// <param name="copy">Where it is.</param>
    /// <param name="upstream">The other server's name, for the message.</param>
    /// <param name="source">What that offers.</param>
    /// <returns>Why it cannot; null when it can.</returns>
    public static Problem? WhyNotFollow(string standby, CopyEnd copy, string upstream, SourceEnd source)
    {
        if (copy.SystemIdentifier != source.SystemIdentifier)
        {
            return new Problem(
                $"nodes \"{standby}\" and \"{upstream}\" belong to different clusters",
                $"The system identifier of \"{standby}\" is {copy.SystemIdentifier}, that of \"{upstream}\" is {source.SystemIdentifier}.",
                $"Check the conninfo of both nodes, or clone \"{standby}\" anew from \"{upstream}\".");
        }

        if (copy.History?.FirstDifference(source.History) is var (mine, theirs))
        {
            return Diverged(standby, upstream,
                $"Both name a timeline {Math.Max(mine.Timeline, theirs.Timeline) + 1} or later, but \"{standby}\" left timeline {mine.Timeline} at {mine.SwitchPoint} and \"{upstream}\" left timeline {theirs.Timeline} at {theirs.SwitchPoint}: they were promoted apart.");
        }

        if (source.History.SharedUpTo(copy.Timeline) is not { } shared)
        {
            string history = source.History.Ancestors.Count == 0
                ? "which began with it"
                : $"whose history is {string.Join(", ", source.History.Ancestors.Select(ancestor => $"{ancestor.Timeline} (up to {ancestor.SwitchPoint})"))}";
            return Diverged(standby, upstream,
                $"\"{standby}\" is on timeline {copy.Timeline}; \"{upstream}\" is on timeline {source.Timeline}, {history}.");
        }

        return copy.Timeline == source.Timeline
            ? OnOneTimeline(standby, copy, upstream, source)
            : OnAnOlderTimeline(standby, copy, upstream, source, shared);
    }

    private static Problem? OnAnOlderTimeline(string standby, CopyEnd copy, string upstream, SourceEnd source, Lsn shared)
    {
        string forked = $"\"{upstream}\" left timeline {copy.Timeline} at {shared} on its way to timeline {source.Timeline}";
        if (copy.Replayed > shared)
            return Diverged(standby, upstream, $"{forked}; \"{standby}\" has replayed up to {copy.Replayed}, {copy.Replayed - shared} bytes past that point.");

        // What was received past the fork and not replayed is dropped by the server as soon as it sees the new timeline, but until
        // then it might still be replayed. Half a record at the very end is ordinary: the primary died while it wrote it.
        if (copy.Received > shared && !copy.ReplayRests)
        {
            return new Problem(
                $"node \"{standby}\" has WAL to replay that node \"{upstream}\" does not have",
                $"{forked}; \"{standby}\" has replayed up to {copy.Replayed}, but has WAL up to {copy.Received}, which it may still replay.",
                "If replay is paused or delayed, run the command when it has ended; if it then has gone past that point, clone the standby anew.");
        }

        return null;
    }

    private static Problem? OnOneTimeline(string standby, CopyEnd copy, string upstream, SourceEnd source)
    {
        if (copy.Replayed <= source.End || (source.Grows && !source.IsPrimary))
            return null; // A cascading upstream that still receives will come to where this one is.

        string ahead = $"Both are on timeline {copy.Timeline}; \"{standby}\" has replayed up to {copy.Replayed}, \"{upstream}\" ends at {source.End}, {copy.Replayed - source.End} bytes before that.";
        return source.IsPrimary
            ? Diverged(standby, upstream, ahead)
            : new Problem(
                $"node \"{standby}\" is ahead of node \"{upstream}\"",
                $"{ahead} \"{upstream}\" receives no WAL at the moment, so it would never catch up.",
                $"Make \"{upstream}\" stream first, or follow another node.");
    }

    private static Problem Diverged(string standby, string upstream, string detail) => new(
        $"node \"{standby}\" cannot follow node \"{upstream}\": their histories diverge",
        detail,
        $"Clone \"{standby}\" anew with \"repmgr standby clone --force\", which copies only what differs. What is on it alone will be lost.");
}
