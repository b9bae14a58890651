using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Monitoring;

/// <summary>
/// How <c>repmgrd</c> decides while it only watches (<c>failover=manual</c>): state and what is seen in, state and what is to be
/// said and done out. It touches no server: what it orders are rows in the metadata, events and the operator's own command.
/// </summary>
public static class WatchMachine
{
    /// <summary>One look without an answer may be a busy moment; two in a row are an event.</summary>
    public const int MissesThatCount = 2;

    public static Turn Decide(WatchState state, Situation s, WatchPolicy policy)
    {
        var notes = new TurnNotes(policy.Self);
        ulong? cluster = Strangers.ClusterOf(state.SystemIdentifier, s);
        s = Strangers.Hide(s, cluster, policy.Self, state.Known, notes);
        OwnServer own = OwnServerWatch.Decide(state.Own, s, policy.Self, notes);
        Surroundings around = Surroundings.Of(state, s, policy.Self);
        around.Complain(state.SawPrimaries, notes);

        UpstreamLink link = UpstreamWatch.Decide(state.Upstream, s, around, policy, notes);
        RecordWish? wish = RecordWatch.Decide(state, s, around, policy, notes);
        ChildNodes children = ChildNodesWatch.Decide(state.Children, s, around, policy.Children, notes);
        Watching? watching = Announce(state.Watching, s, around, link, notes);
        if (policy.KeepsHistory)
            KeepHistory(s, around, notes);
        if (own is OwnServer.Unseen)
            notes.Complain(Severity.Warning, $"waiting for the server of {around.Self.Label}", $"{s.Own.Reason}.");

        bool statusIsDue = policy.StatusEvery > TimeSpan.Zero && s.Clock - state.LastStatus >= policy.StatusEvery;
        SayComplaints(state.Complaints, statusIsDue, notes);
        if (statusIsDue)
            notes.Say(Severity.Info, Status(around, own, link));

        (IReadOnlyList<NodeRecord> look, bool scanned) = NextLook(state, s, around, link, policy);
        var next = new WatchState(
            own,
            link,
            around.Known,
            around.Primary?.Node ?? state.Primary,
            watching,
            wish,
            children,
            notes.Complaints,
            statusIsDue ? s.Clock : state.LastStatus,
            scanned ? s.Clock : state.LastScan,
            cluster)
        {
            SawPrimaries = around.Primaries.Count > 1,
        };
        return new Turn(next, notes.Acts, notes.Lines, look, s, Exit(state, around, policy, notes));
    }

    /// <summary>Names a node in messages: <c>node "node2" (ID: 2)</c>.</summary>
    internal static string Label(IReadOnlyList<NodeRecord> known, NodeId id) =>
        known.FirstOrDefault(node => node.Id == id)?.Label ?? string.Create(CultureInfo.InvariantCulture, $"node ID {id}");

    /// <summary>What is being watched is an event when the watch begins and whenever it changes, by whatever hand.</summary>
    private static Watching? Announce(Watching? before, Situation s, Surroundings around, UpstreamLink link, TurnNotes notes)
    {
        Watching? now = (s.Own.Probe, around.OwnRecord) switch
        {
            (NodeProbe.Primary, not null) => new Watching(IsPrimary: true, Upstream: null),
            (NodeProbe.Standby, not null) when link.Upstream is { } upstream => new Watching(IsPrimary: false, upstream),
            _ => null,
        };
        if (now is null || now == before)
            return before;

        if (before is { IsPrimary: true } && !now.IsPrimary)
        {
            notes.Tell(
                EventName.RepmgrdStandbyReconnect, successful: true, Severity.Notice,
                $"{around.Self.Label}, which was a primary, is a standby now; its upstream is {Label(around.Known, now.Upstream!.Value)}");
        }

        notes.Tell(
            before is null ? EventName.RepmgrdStart : EventName.RepmgrdReload, successful: true, Severity.Notice,
            now.Upstream is { } node ? $"monitoring connection to upstream {Label(around.Known, node)}" : $"monitoring cluster primary {around.Self.Quoted}");
        return now;
    }

    private static void KeepHistory(Situation s, Surroundings around, TurnNotes notes)
    {
        if (s.Own.Probe is not NodeProbe.Standby standby || around.OwnRecord is null || around.Primary is not { } sight)
            return;
        // On another timeline the two positions lie on different histories, and their difference means nothing.
        if (sight.Probe is NodeProbe.Primary primary && primary.Server.Timeline == standby.Server.Timeline && around.PrimaryRecord is { } record)
            notes.Acts.Add(new WatchAct.KeepHistory(record, MonitoringRow.Of(record.Id, primary, s.Own.Node, standby)));
    }

    private static void SayComplaints(IReadOnlyList<LogLine> before, bool all, TurnNotes notes)
    {
        foreach (LogLine complaint in notes.Complaints)
        {
            if (all || !before.Any(said => said.Message == complaint.Message))
                notes.Lines.Add(complaint);
        }

        foreach (LogLine said in before)
        {
            if (!notes.Complaints.Any(complaint => complaint.Message == said.Message))
                notes.Say(Severity.Info, $"no longer so: {said.Message}");
        }
    }

    private static string Status(Surroundings around, OwnServer own, UpstreamLink link)
    {
        string state = own is OwnServer.Up && link is not (UpstreamLink.Missing or UpstreamLink.Degraded) ? "normal" : "degraded";
        return (own, link.Upstream) switch
        {
            (OwnServer.Unseen, _) => $"{around.Self.Label} waiting for its server",
            (_, { } upstream) => $"{around.Self.Label} monitoring upstream {Label(around.Known, upstream)} in {state} state",
            (OwnServer.Up { IsPrimary: true } or OwnServer.Missing { Before.IsPrimary: true }, _) => $"monitoring primary {around.Self.Label} in {state} state",
            _ => $"{around.Self.Label} waiting to learn its upstream",
        };
    }

    /// <summary>
    /// The upstream and the primary always; all nodes every now and then, so that a second primary is noticed, and in every turn
    /// while this node knows no living primary, because one may have been made by hand.
    /// </summary>
    private static (IReadOnlyList<NodeRecord> Look, bool Scanned) NextLook(
        WatchState state, Situation s, Surroundings around, UpstreamLink link, WatchPolicy policy)
    {
        bool headless = around.Primary is null && around.Known.Count > 0;
        bool scan = headless || s.Clock - state.LastScan >= policy.ScanEvery;
        NodeId? primary = around.Primary?.Node ?? state.Primary;
        NodeRecord[] look =
        [
            .. around.Known.Where(node =>
                node.Id != s.Own.Node && node.Type != NodeType.Witness && (scan || node.Id == link.Upstream || node.Id == primary)),
        ];
        return (look, scan);
    }

    // Only at the start, as in 5.x: later it is the daemon itself that marks its node, while the server is down.
    private static ExitCode? Exit(WatchState state, Surroundings around, WatchPolicy policy, TurnNotes notes)
    {
        if (!policy.ExitOnInactive || state.Watching is not null || around.OwnRecord is not { Active: false })
            return null;
        notes.Tell(EventName.RepmgrdShutdown, successful: false, Severity.Error, $"{around.Self.Label} is marked inactive and repmgrd_exit_on_inactive_node is set");
        return ExitCode.BadConfig;
    }
}
