using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Planning.Switchover;

/// <summary>What <c>standby switchover</c> is asked to do.</summary>
/// <param name="Candidate">Who is to be the primary.</param>
/// <param name="Own">How the own node is reached: its password serves for the others too.</param>
/// <param name="Force">Go on where a check finds something that need not stand in the way.</param>
/// <param name="Limits">From where on something does.</param>
/// <param name="Times">How long each part may take.</param>
public sealed record SwitchoverRequest(NodeId Candidate, Conninfo Own, bool Force, SwitchoverLimits Limits, SwitchoverTimes Times);

/// <summary>From where on something stands in the way, or is told.</summary>
/// <param name="ArchiveWarning"><c>archive_ready_warning</c>, in files.</param>
/// <param name="ArchiveCritical"><c>archive_ready_critical</c>, in files.</param>
/// <param name="LagWarning"><c>replication_lag_warning</c></param>
/// <param name="LagCritical"><c>replication_lag_critical</c></param>
public sealed record SwitchoverLimits(int ArchiveWarning, int ArchiveCritical, TimeSpan LagWarning, TimeSpan LagCritical)
{
    /// <summary>
    /// How far behind the candidate may be when the primary is stopped, in bytes: a segment of WAL. What it lacks then, it receives and replays while there is no primary.
    /// </summary>
    public const ulong NearBytes = 16 * 1024 * 1024;
}

/// <summary>How long each part may take.</summary>
/// <param name="Near"><c>wal_receive_check_timeout</c>: until the candidate is near, and until it has all there is.</param>
/// <param name="Promote"><c>promote_check_timeout</c>: until the candidate takes writes.</param>
/// <param name="Return"><c>standby_reconnect_timeout</c>: until the former primary streams from it.</param>
/// <param name="Follow"><c>standby_follow_timeout</c>: until another standby does.</param>
public sealed record SwitchoverTimes(TimeSpan Near, TimeSpan Promote, TimeSpan Return, TimeSpan Follow);

/// <summary>What was seen before.</summary>
/// <param name="Cluster">All registered nodes, looked at.</param>
/// <param name="Primary">What the primary says beyond that; null: it was not asked, or does not answer.</param>
/// <param name="Candidate">The same of the candidate.</param>
/// <param name="Agents">What the agents say, who decide.</param>
public sealed record SwitchoverSeen(ClusterView Cluster, SwitchoverServer? Primary, SwitchoverServer? Candidate, AgentsView Agents);

/// <summary>What matters of a server that is to take the other's role.</summary>
/// <param name="Room">What it has left for standbys.</param>
/// <param name="Capacities">
/// The settings that a hot standby must have no smaller than its primary: https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-ADMIN
/// </param>
/// <param name="ArchiveBacklog">Files that wait to be archived; null: it archives nothing, or the role may not see it.</param>
/// <param name="IsInExclusiveBackup"><c>pg_is_in_backup()</c>, which PostgreSQL 15 has no more.</param>
public sealed record SwitchoverServer(ServerRoom Room, IReadOnlyDictionary<string, long> Capacities, long? ArchiveBacklog, bool IsInExclusiveBackup);
