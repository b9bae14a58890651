using Repmgr.Core.Postgres;

namespace Repmgr.Core.Cluster;

/// <summary>A node as <c>cluster show</c> tells of it: what is registered beside what was seen.</summary>
/// <param name="Record">What is registered.</param>
/// <param name="Probe">What it answered.</param>
/// <param name="Status">The marker and word of repmgr 5: <c>* running</c>, <c>? unreachable</c>.</param>
/// <param name="Upstream">The upstream's name with repmgr 5's marker: <c>node1</c>, <c>! node1</c>, <c>?</c>; empty: none.</param>
/// <param name="Attachment">How it hangs on its upstream; null for a node that has none.</param>
/// <param name="Lag">How far it is behind the primary; null for a node that is no running standby.</param>
public sealed record NodeReport(
    NodeRecord Record, NodeProbe Probe, string Status, string Upstream, Attachment? Attachment, ReplicationLag? Lag)
{
    /// <summary>The timeline as it was seen; null when it was not.</summary>
    public int? Timeline => Record.Type == NodeType.Witness ? null : Probe.Running?.Timeline;

    /// <summary>The end of the WAL it has; null when it was not seen.</summary>
    public Lsn? Position => Probe switch
    {
        NodeProbe.Primary primary => primary.Written,
        NodeProbe.Standby standby => standby.Position,
        _ => null,
    };
}

/// <summary>How a standby hangs on its upstream, by the sender's own account (<c>pg_stat_replication</c>).</summary>
public abstract record Attachment
{
    private Attachment() { }

    /// <summary>A WAL sender of that upstream serves it.</summary>
    /// <param name="Node">The node that sends.</param>
    /// <param name="Sender">What it says of the connection.</param>
    public sealed record To(NodeRecord Node, WalSenderFacts Sender) : Attachment
    {
        /// <summary>
        /// False: that node serves it under another name, because its <c>primary_conninfo</c> has no application_name (a clone that was made
        /// without a configuration file); that it streams from there is its own account.
        /// </summary>
        public bool UnderOwnName { get; init; } = true;

        /// <summary>It keeps up; a role that may not see the state cannot tell, and gives the benefit of the doubt.</summary>
        public bool IsStreaming => Sender.State is "streaming" or null;
    }

    /// <summary>The upstream answers and serves no such standby.</summary>
    public sealed record None : Attachment;

    /// <summary>It could not be found out.</summary>
    public sealed record Unknown(string Reason) : Attachment;
}

/// <summary>How far a standby is behind.</summary>
/// <param name="ReceivedBytes">WAL the primary has written and the standby has not received; null when no primary was seen.</param>
/// <param name="ReplayedBytes">WAL the primary has written and the standby has not replayed; null when no primary was seen.</param>
/// <param name="Time">Age of what was replayed last, zero when all is replayed; null when it cannot be told.</param>
public sealed record ReplicationLag(long? ReceivedBytes, long? ReplayedBytes, TimeSpan? Time)
{
    /// <summary>Compares a standby with the primary. The two were not looked at in the same instant, so a difference below zero is none.</summary>
    /// <param name="standby">What the standby said.</param>
    /// <param name="primary">What the primary said; null when it was not seen.</param>
    /// <param name="sender">The WAL sender that serves it; null when there is none.</param>
    public static ReplicationLag Between(NodeProbe.Standby standby, NodeProbe.Primary? primary, WalSenderFacts? sender)
    {
        long? received = primary is null ? null : Math.Max(0, primary.Written - standby.Position);
        long? replayed = primary is null ? null : Math.Max(0, primary.Written - (standby.Replayed ?? Lsn.Zero));
        return new ReplicationLag(received, replayed, TimeBehind(standby, primary, sender, replayed));
    }

    // The age of the last replayed commit grows while the primary is idle, so it counts only where WAL is known to be missing, and
    // the sender's own measure goes before it. The primary stamped the commit: its clock is the one to compare with.
    private static TimeSpan? TimeBehind(NodeProbe.Standby standby, NodeProbe.Primary? primary, WalSenderFacts? sender, long? replayed)
    {
        if (replayed == 0)
            return TimeSpan.Zero;

        if (sender?.ReplayLag is { } measured)
            return measured;

        // All that the primary sent is replayed, and what it wrote since is on its way: the two were not looked at in the same instant.
        if (sender is { State: "streaming" or null } && primary?.Server.Downstreams.Contains(sender) == true && standby.Replayed >= standby.Position)
            return TimeSpan.Zero;

        DateTimeOffset now = primary?.Server.Now ?? standby.Server.Now;
        return standby.LastReplayedCommit is { } commit ? Max(now - commit, TimeSpan.Zero) : null;
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
