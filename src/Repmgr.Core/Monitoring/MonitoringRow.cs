using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Monitoring;

/// <summary>A row of <c>repmgr.monitoring_history</c>.</summary>
/// <param name="Primary"><c>primary_node_id</c></param>
/// <param name="Standby"><c>standby_node_id</c></param>
/// <param name="At"><c>last_monitor_time</c>: when the primary was looked at, by its own clock.</param>
/// <param name="LastApplied"><c>last_apply_time</c></param>
/// <param name="PrimaryLocation"><c>last_wal_primary_location</c></param>
/// <param name="StandbyLocation"><c>last_wal_standby_location</c>; null before the standby received or replayed anything.</param>
/// <param name="ReplicationLag">Bytes written by the primary that the standby does not have.</param>
/// <param name="ApplyLag">Bytes the standby has but did not replay.</param>
public sealed record MonitoringRow(
    NodeId Primary,
    NodeId Standby,
    DateTimeOffset At,
    DateTimeOffset? LastApplied,
    Lsn PrimaryLocation,
    Lsn? StandbyLocation,
    long ReplicationLag,
    long ApplyLag)
{
    /// <summary>Compares a primary and a standby, which must be of one cluster.</summary>
    public static MonitoringRow Of(NodeId primaryId, NodeProbe.Primary primary, NodeId standbyId, NodeProbe.Standby standby)
    {
        Lsn has = standby.Position;
        Lsn replayed = standby.Replayed ?? Lsn.Zero;
        return new MonitoringRow(
            primaryId,
            standbyId,
            primary.Server.Now,
            standby.LastReplayedCommit,
            primary.Written,
            standby.Received is null && standby.Replayed is null ? null : has,
            // Two servers are never looked at in one instant: the standby may have been seen later, and so be ahead.
            Math.Max(0, primary.Written - has),
            Math.Max(0, has - replayed));
    }
}
