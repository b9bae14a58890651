using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Monitoring;

/// <summary>Follows the node a standby streams from. With <c>failover=manual</c> its loss is told, and nothing is done about it.</summary>
internal static class UpstreamWatch
{
    public static UpstreamLink Decide(UpstreamLink before, Situation s, Surroundings around, WatchPolicy policy, TurnNotes notes)
    {
        NodeId? upstream = s.Own.Probe switch
        {
            NodeProbe.Primary => null,
            NodeProbe.Standby => around.StreamsFrom ?? around.OwnRecord?.Upstream ?? before.Upstream ?? around.Primary?.Node,
            _ => before.Upstream,
        };
        if (upstream is not { } node || node == s.Own.Node)
            return new UpstreamLink.None();
        if (s.Find(node) is not { } sight)
            // Not looked at yet: the last turn did not know it.
            return before.Upstream == node ? before : new UpstreamLink.Normal(node);

        UpstreamLink same = before.Upstream == node ? before : new UpstreamLink.Normal(node);
        string label = WatchMachine.Label(around.Known, node);
        return sight.Probe.Running is null ? Miss(same, node, sight, label, s, policy, notes) : Answered(same, node, label, s, notes);
    }

    private static UpstreamLink Miss(UpstreamLink link, NodeId node, Sight sight, string label, Situation s, WatchPolicy policy, TurnNotes notes)
    {
        switch (link)
        {
            case UpstreamLink.Missing missing:
                if (missing.Misses + 1 == WatchMachine.MissesThatCount)
                    notes.Tell(EventName.RepmgrdUpstreamDisconnect, successful: false, Severity.Warning, $"unable to connect to upstream {label}: {sight.Reason}");
                if (s.Clock - missing.Since < policy.GiveUpAfter || missing.Misses < WatchMachine.MissesThatCount)
                    return missing with { Misses = Math.Min(missing.Misses, WatchMachine.MissesThatCount) + 1 };
                notes.Tell(
                    EventName.StandbyDisconnectManual, successful: false, Severity.Error,
                    $"upstream {label} has not answered for {OwnServerWatch.Seconds(s.Clock - missing.Since)} seconds, and failover is set to manual");
                notes.Say(
                    Severity.Notice, $"continuing to watch in degraded state", null,
                    "Bring the upstream back, or promote a standby with \"repmgr standby promote\" and let the others follow it with \"repmgr standby follow\".");
                return new UpstreamLink.Degraded(node, missing.Since);
            case UpstreamLink.Degraded degraded:
                return degraded;
            default:
                notes.Say(Severity.Warning, $"upstream {label} does not answer", $"{sight.Reason}.");
                return new UpstreamLink.Missing(node, s.Clock, Misses: 1);
        }
    }

    private static UpstreamLink.Normal Answered(UpstreamLink link, NodeId node, string label, Situation s, TurnNotes notes)
    {
        (TimeSpan since, bool announced) = link switch
        {
            UpstreamLink.Missing missing => (missing.Since, missing.Misses >= WatchMachine.MissesThatCount),
            UpstreamLink.Degraded degraded => (degraded.Since, true),
            _ => (s.Clock, false),
        };
        string seconds = OwnServerWatch.Seconds(s.Clock - since);
        if (announced)
            notes.Tell(EventName.RepmgrdUpstreamReconnect, successful: true, Severity.Notice, $"reconnected to upstream {label} after {seconds} seconds");
        else if (link is UpstreamLink.Missing)
            notes.Say(Severity.Info, $"upstream {label} answers again after {seconds} seconds");
        return new UpstreamLink.Normal(node);
    }
}
