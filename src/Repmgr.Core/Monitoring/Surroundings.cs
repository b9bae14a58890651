using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Monitoring;

/// <summary>What the looks of one turn say together about the cluster around this node.</summary>
/// <param name="Self">This node's record, or, while it has none, what it would register.</param>
/// <param name="Known">The newest copy of the table of nodes.</param>
/// <param name="IsFresh">The table was read in this turn at the primary: what is missing in it is missing.</param>
/// <param name="OwnRecord">This node's row; null when it has none.</param>
/// <param name="Primaries">All that were seen out of recovery, this node included.</param>
/// <param name="Primary">The one primary; null when none was seen, or more than one.</param>
/// <param name="StreamsFrom">The node this standby receives from; null when that cannot be told.</param>
/// <param name="IsForeign">This node's server is no copy of the primary's.</param>
/// <param name="OwnTableUnreadable">Why this node's copy of the table could not be read; null when it was read or is not there.</param>
internal sealed record Surroundings(
    NodeRecord Self,
    IReadOnlyList<NodeRecord> Known,
    bool IsFresh,
    NodeRecord? OwnRecord,
    IReadOnlyList<Sight> Primaries,
    Sight? Primary,
    NodeId? StreamsFrom,
    bool IsForeign,
    Problem? OwnTableUnreadable)
{
    public NodeRecord? PrimaryRecord => Primary is { } sight ? Known.FirstOrDefault(node => node.Id == sight.Node) : null;

    public static Surroundings Of(WatchState state, Situation s, NodeRecord self)
    {
        Sight[] all = [s.Own, .. s.Others];
        Sight[] primaries = [.. all.Where(sight => sight.Probe is NodeProbe.Primary)];
        Sight? primary = primaries is [var only] ? only : null;

        // The primary's copy is the table itself; a standby's may lag, but is newer than nothing.
        IReadOnlyList<NodeRecord> known = primary?.Table ?? s.Own.Table ?? state.Known;
        NodeRecord? own = known.FirstOrDefault(node => node.Id == self.Id);
        bool foreign = s.Own.Probe.Running is { } mine && primary?.Probe.Running is { } theirs && mine.SystemIdentifier != theirs.SystemIdentifier;
        return new Surroundings(
            own ?? self,
            known,
            primary?.Table is not null,
            own,
            primaries,
            foreign ? null : primary,
            s.Own.Probe is NodeProbe.Standby standby ? Sender(standby, known, s, self) : null,
            foreign,
            s.Own.TableUnreadable);
    }

    /// <param name="sawPrimaries">There was more than one primary in the turn before, too: an answer may have been under way while its server was replaced.</param>
    /// <param name="notes">What is to be said.</param>
    public void Complain(bool sawPrimaries, TurnNotes notes)
    {
        if (Primaries.Count > 1 && sawPrimaries)
        {
            notes.Complain(
                Severity.Crit,
                "more than one node is a primary",
                string.Join(", ", Primaries.Select(Describe)) + ".",
                "Find out which one the applications write to, stop the other, and clone it again or rewind it. Nothing is recorded until then.");
        }

        if (OwnTableUnreadable is { } reason)
            notes.Complain(Severity.Error, reason.Message, reason.Detail, reason.Hint);
        if (IsForeign)
        {
            notes.Complain(
                Severity.Error,
                $"the server of {Self.Label} does not belong to this cluster",
                "Its system identifier is not the primary's.",
                "Clone it with \"repmgr standby clone --force\", or correct conninfo.");
        }
    }

    private string Describe(Sight sight) =>
        $"{WatchMachine.Label(Known, sight.Node)} on timeline {sight.Probe.Running!.Timeline}";

    /// <summary>By the address the receiver is connected to; where names differ, by who says it serves a standby of this name.</summary>
    private static NodeId? Sender(NodeProbe.Standby standby, IReadOnlyList<NodeRecord> known, Situation s, NodeRecord self)
    {
        if (standby.Receiver is not { } receiver)
            return null;
        if (known.Where(node => node.Id != self.Id && NodeReach.Serves(node, receiver)).ToArray() is [var byAddress])
            return byAddress.Id;

        NodeRecord present = known.FirstOrDefault(node => node.Id == self.Id) ?? self;
        Sight[] serving = [.. s.Others.Where(other => other.Probe.Running?.Downstreams.Any(sender => sender.IsOf(present)) ?? false)];
        return serving is [var byName] ? byName.Node : null;
    }
}
