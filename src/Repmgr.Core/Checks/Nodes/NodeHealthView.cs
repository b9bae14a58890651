using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Settings;

namespace Repmgr.Core.Checks.Nodes;

/// <summary>What one look at the local node brought: all that <c>node status</c> tells and <c>node check</c> judges.</summary>
/// <param name="Self">Its record.</param>
/// <param name="Cluster">All nodes, the local one among them, which was seen running.</param>
/// <param name="Room">What it has for standbys: WAL senders and slots.</param>
/// <param name="Archiving">Of its WAL.</param>
/// <param name="Directory">Where its data is.</param>
/// <param name="Failover">Where agents decide, the slots are theirs, and the names in the records do not count.</param>
public sealed record NodeHealthView(
    NodeRecord Self, ClusterView Cluster, ServerRoom Room, ArchivingView Archiving, DataDirectoryView Directory, FailoverMode Failover)
{
    /// <summary>Of all databases together; null: it was not asked for, or the role may not know it.</summary>
    public long? DataBytes { get; init; }

    /// <summary>What is registered beside what was seen.</summary>
    public ClusterReport Report { get; } = ClusterReport.Of(Cluster);

    /// <summary>The local node's part of it.</summary>
    public NodeReport Node => Report.Nodes.First(node => node.Record.Id == Self.Id);

    /// <summary>The standbys that are recorded as replicating from it.</summary>
    public IEnumerable<NodeReport> Downstreams => Report.Nodes.Where(node => node.Record.Type == NodeType.Standby && node.Record.Upstream == Self.Id);
}

/// <summary>How a server archives its WAL.</summary>
/// <param name="Mode"><c>archive_mode</c>: <c>off</c>, <c>on</c> or <c>always</c>.</param>
/// <param name="Command"><c>archive_command</c>; null when there is none, or it may not be seen.</param>
/// <param name="Library"><c>archive_library</c> (PostgreSQL 15+); null when there is none.</param>
/// <param name="Pending">WAL files that wait to be archived; null when the role may not see them.</param>
/// <param name="FailedFile">The file that could not be archived at the last attempt; null when the last attempt was no failure.</param>
/// <remarks>https://www.postgresql.org/docs/current/runtime-config-wal.html#RUNTIME-CONFIG-WAL-ARCHIVING</remarks>
public sealed record ArchivingView(string Mode, string? Command, string? Library, int? Pending, string? FailedFile)
{
    /// <summary>Whether a server in this role archives.</summary>
    public bool IsAtWork(bool inRecovery) => Mode == "always" || (Mode == "on" && !inRecovery);
}

/// <summary>The data directory as it is configured, and as the server has it.</summary>
/// <param name="Configured"><c>data_directory</c> of repmgr.conf; null when it is not set.</param>
/// <param name="OfServer">What the server says; null when the role may not see it.</param>
/// <param name="IsSame">Whether both are one; null when that could not be found out.</param>
public sealed record DataDirectoryView(string? Configured, string? OfServer, bool? IsSame);

/// <summary>From where on <c>node check</c> warns, and is critical.</summary>
/// <param name="Archive"><c>archive_ready_warning</c> and <c>archive_ready_critical</c>, in files.</param>
/// <param name="Lag"><c>replication_lag_warning</c> and <c>replication_lag_critical</c>, in seconds.</param>
public sealed record CheckLimits(Thresholds Archive, Thresholds Lag)
{
    public static CheckLimits Of(Settings.Settings settings) => new(
        new Thresholds(settings.ArchiveReadyWarning, settings.ArchiveReadyCritical),
        new Thresholds((long)settings.ReplicationLagWarning.TotalSeconds, (long)settings.ReplicationLagCritical.TotalSeconds));
}

/// <summary>The two limits of a number that should be small.</summary>
public readonly record struct Thresholds(long Warning, long Critical)
{
    public CheckStatus Judge(long value) => value >= Critical ? CheckStatus.Critical : value >= Warning ? CheckStatus.Warning : CheckStatus.Ok;
}
