using Repmgr.Core.Cluster;

namespace Repmgr.Core.Checks.Nodes;

/// <summary>
/// How long ago a standby had what the primary has. A standby that receives nothing any more has replayed all it has, so that its own
/// positions say nothing: the primary's count.
/// </summary>
internal static class LagCheck
{
    public static CheckFinding Of(NodeHealthView view, Thresholds limits)
    {
        if (view.Node.Probe is not NodeProbe.Standby standby || view.Self.Type == NodeType.Witness)
            return Finding(CheckStatus.Ok, $"N/A - node is {(view.Self.Type == NodeType.Witness ? "witness" : "primary")}", 0, limits);

        bool waits = standby.ReplayPaused && standby.Position > (standby.Replayed ?? Postgres.Lsn.Zero);
        string paused = waits ? ", replay is paused" : "";
        return Seconds(view) is { } seconds
            ? Finding(limits.Judge(seconds), $"{seconds} seconds{Place(view.Node)}{paused}", seconds, limits)
            : Finding(CheckStatus.Unknown, $"{Unknown(view.Node)}{paused}{LastCommit(standby)}", null, limits);
    }

    /// <summary>Null when the node is no standby, or it cannot be told: what the primary has is not known.</summary>
    public static long? Seconds(NodeHealthView view)
    {
        TimeSpan? behind = view.Node.Lag is { ReplayedBytes: not null, Time: { } time } ? time : BehindUpstream(view);
        return behind is { } known ? (long)known.TotalSeconds : null;
    }

    /// <summary>Where the primary is not seen, and the upstream streams itself: what is known from there.</summary>
    private static TimeSpan? BehindUpstream(NodeHealthView view)
    {
        if (view.Node is not { Probe: NodeProbe.Standby standby, Attachment: Attachment.To { IsStreaming: true } to, Lag: { ReplayedBytes: null } lag }
            || view.Cluster.Find(to.Node.Id)?.Probe is not NodeProbe.Standby { Receiver.Status: "streaming" })
            return null;
        return to.Sender.ReplayLag ?? (standby.Replayed >= standby.Position ? TimeSpan.Zero : lag.Time);
    }

    private static string Place(NodeReport node) => (node.Attachment, node.Lag) switch
    {
        (Attachment.To, { ReplayedBytes: null }) => " behind its upstream; the primary cannot be seen",
        (Attachment.To, _) => "",
        (Attachment.None, _) => ", not attached to its upstream",
        _ => ", its upstream cannot be asked",
    };

    // The last commit is not known of a server that has replayed none since it was started.
    private static string Unknown(NodeReport node) => (node.Lag?.ReplayedBytes, node.Attachment) switch
    {
        ({ } bytes, _) => $"it lacks {bytes} bytes of WAL, of an age that is not known{Place(node)}",
        (_, Attachment.To) => "what the primary has is not known",
        _ => $"what the primary has is not known{Place(node)}",
    };

    private static string LastCommit(NodeProbe.Standby standby) =>
        standby.LastReplayedCommit is { } commit
            ? $"; the last transaction that was replayed was committed {(long)Math.Max(0, (standby.Server.Now - commit).TotalSeconds)} seconds ago"
            : "";

    private static CheckFinding Finding(CheckStatus status, string details, long? seconds, Thresholds limits) => new(CheckItem.Lag, status, details)
    {
        Performance = seconds is null ? null : $"lag={seconds};{limits.Warning};{limits.Critical}",
        Values = seconds is { } lag ? new Dictionary<string, long> { ["lag_seconds"] = lag, ["warning"] = limits.Warning, ["critical"] = limits.Critical } : [],
    };
}
