using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Monitoring;

/// <summary>
/// Keeps the own row in <c>repmgr.nodes</c> true: registers a standby that has none, as the original did, and records what was
/// changed by hand (a promotion, another upstream, a former primary that came back as standby).
/// </summary>
internal static class RecordWatch
{
    /// <summary>A command that changes a role writes the record itself a moment later. It gets that moment.</summary>
    private const int TurnsBeforeWriting = 2;

    public static RecordWish? Decide(WatchState state, Situation s, Surroundings around, WatchPolicy policy, TurnNotes notes)
    {
        if (around.IsForeign || around.Primaries.Count > 1)
            return null;
        NodeRecord? wanted = Wanted(state, s, around, policy, notes);
        if (wanted is null || (around.OwnRecord is { } stands && stands == wanted && !HasFormerPrimary(around, wanted)))
            return null;

        RecordWish wish = state.Wish is { } before && before.Record == wanted
            ? before with { Turns = Math.Min(before.Turns + 1, TurnsBeforeWriting) }
            : new RecordWish(wanted, 1, null);
        bool isDue = wish.AskedAt is not { } asked || s.Clock - asked >= policy.WriteAgainAfter;
        if (wish.Turns < TurnsBeforeWriting || !isDue || !around.IsFresh || around.PrimaryRecord is not { } primary)
            return wish;

        notes.Acts.Add(new WatchAct.Write(primary, wanted, FormerPrimaries(around, wanted), Event(around, wanted, primary, notes)));
        return wish with { AskedAt = s.Clock };
    }

    /// <summary>What should stand there; null when that cannot be told, or is not this program's to decide.</summary>
    private static NodeRecord? Wanted(WatchState state, Situation s, Surroundings around, WatchPolicy policy, TurnNotes notes)
    {
        switch (s.Own.Probe)
        {
            case NodeProbe.Primary when around.OwnRecord is { } record:
                return record with { Type = NodeType.Primary, Upstream = null, Active = true };
            case NodeProbe.Primary when around.OwnTableUnreadable is not null:
                return null;
            case NodeProbe.Primary:
                notes.Complain(
                    Severity.Warning, $"{around.Self.Label} is a primary and not registered", null, "Run \"repmgr primary register\" on it.");
                return null;
            case NodeProbe.Standby when around.OwnRecord is { } record:
                return record with { Type = NodeType.Standby, Upstream = around.StreamsFrom ?? KeptUpstream(record, around), Active = true };
            case NodeProbe.Standby when around.OwnTableUnreadable is not null:
                return null;
            case NodeProbe.Standby when around.Known.Count == 0:
                notes.Complain(
                    Severity.Warning, "no node is registered in this cluster yet", null, "Run \"repmgr primary register\" on the primary.");
                return null;
            case NodeProbe.Standby:
                return policy.Self with { Upstream = around.StreamsFrom ?? around.Primary?.Node };
            default:
                // A standby that is down is marked so, as repmgr 5.x did. A primary's record lies on itself.
                bool isDown = state.Own is OwnServer.Missing { IsAnnounced: true, Before.IsPrimary: false };
                return isDown && around.OwnRecord is { Type: NodeType.Standby } row ? row with { Active = false } : null;
        }
    }

    /// <summary>A former primary's record has no upstream; until it is seen streaming, the primary is the best guess.</summary>
    private static NodeId? KeptUpstream(NodeRecord record, Surroundings around) =>
        record.Type == NodeType.Standby && record.Upstream is not null ? record.Upstream : around.Primary?.Node;

    private static bool HasFormerPrimary(Surroundings around, NodeRecord wanted) => FormerPrimaries(around, wanted).Count > 0;

    private static List<NodeId> FormerPrimaries(Surroundings around, NodeRecord wanted) => wanted.Type != NodeType.Primary
        ? []
        : [.. around.Known.Where(node => node.Id != wanted.Id && node is { Type: NodeType.Primary, Active: true }).Select(node => node.Id)];

    private static ClusterEvent? Event(Surroundings around, NodeRecord wanted, NodeRecord primary, TurnNotes notes)
    {
        if (around.OwnRecord is not { } stands)
        {
            notes.Say(Severity.Notice, $"registering {wanted.Label} as a standby");
            return new ClusterEvent(
                wanted.Id, EventName.StandbyRegister, Successful: true,
                $"standby registration succeeded; upstream node ID is {wanted.Upstream}",
                new EventSubject(primary.Id, primary.Conninfo, primary.Name));
        }

        notes.Say(Severity.Notice, $"updating the record of {wanted.Label}: {Difference(stands, wanted)}");
        return null;
    }

    private static string Difference(NodeRecord stands, NodeRecord wanted)
    {
        List<string> changes = [];
        if (stands.Type != wanted.Type)
            changes.Add($"it is a {(wanted.Type == NodeType.Primary ? "primary" : "standby")} now");
        if (stands.Upstream != wanted.Upstream)
            changes.Add(wanted.Upstream is { } upstream ? $"its upstream is node ID {upstream}" : "it has no upstream");
        if (stands.Active != wanted.Active)
            changes.Add(wanted.Active ? "it is active" : "it is inactive");
        return changes.Count == 0 ? "a former primary is inactive" : string.Join(", ", changes);
    }
}
