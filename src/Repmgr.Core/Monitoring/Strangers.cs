using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Monitoring;

/// <summary>
/// Servers of another database cluster that answer where one of this cluster should: a conninfo that leads elsewhere, a directory
/// initialised anew. Such a server counts as not there: it is no second primary, nothing is compared with it or written to it.
/// </summary>
internal static class Strangers
{
    /// <summary>
    /// Which cluster this is. Two servers that share an identifier say so; a single one may be the stranger. What was once said holds
    /// until two others say otherwise, as when all of the cluster was made anew.
    /// </summary>
    public static ulong? ClusterOf(ulong? known, Situation s)
    {
        ulong? own = s.Own.Probe.Running?.SystemIdentifier;
        return own is not null && s.Others.Any(other => other.Probe.Running?.SystemIdentifier == own) ? own : known;
    }

    /// <summary>The situation in which strangers are silent.</summary>
    public static Situation Hide(Situation s, ulong? cluster, NodeRecord self, IReadOnlyList<NodeRecord> known, TurnNotes notes)
    {
        if (cluster is not { } ours || (IsOurs(s.Own, ours) && s.Others.All(other => IsOurs(other, ours))))
            return s;
        return s with
        {
            Own = Hide(s.Own, ours, self.Label, notes),
            Others = [.. s.Others.Select(other => Hide(other, ours, WatchMachine.Label(known, other.Node), notes))],
        };
    }

    private static Sight Hide(Sight sight, ulong ours, string label, TurnNotes notes)
    {
        if (IsOurs(sight, ours))
            return sight;
        string difference = string.Create(
            CultureInfo.InvariantCulture, $"its system identifier is {sight.Probe.Running!.SystemIdentifier}, this cluster's is {ours}");
        notes.Complain(
            Severity.Error,
            $"the server of {label} does not belong to this cluster",
            $"What answers at its conninfo is another database cluster: {difference}. It counts as not running.",
            "Correct conninfo if it leads to the wrong server; otherwise clone the node anew with \"repmgr standby clone --force\".");
        return new Sight(sight.Node, new NodeProbe.Silent($"another database cluster answers there: {difference}"), null);
    }

    private static bool IsOurs(Sight sight, ulong ours) => sight.Probe.Running is not { } running || running.SystemIdentifier == ours;
}
