using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Cluster;

/// <summary>What a look at one node's server found. Not having seen it is an answer too.</summary>
public abstract record NodeProbe
{
    private NodeProbe() { }

    /// <summary>The server is out of recovery.</summary>
    /// <param name="Server">What holds for any running server.</param>
    /// <param name="Written">End of the WAL written (<c>pg_current_wal_lsn</c>).</param>
    public sealed record Primary(ServerFacts Server, Lsn Written) : NodeProbe;

    /// <summary>The server is in recovery.</summary>
    /// <param name="Server">What holds for any running server.</param>
    /// <param name="Received">End of the WAL received and flushed (<c>pg_last_wal_receive_lsn</c>); null before anything was streamed.</param>
    /// <param name="Replayed">End of the WAL replayed (<c>pg_last_wal_replay_lsn</c>); null before anything was replayed.</param>
    /// <param name="ReplayPaused">Replay is paused (<c>pg_is_wal_replay_paused</c>).</param>
    /// <param name="LastReplayedCommit">Commit time of the last transaction replayed, on the primary's clock; null when there was none.</param>
    /// <param name="Receiver">The WAL receiver; null when none runs.</param>
    public sealed record Standby(
        ServerFacts Server,
        Lsn? Received,
        Lsn? Replayed,
        bool ReplayPaused,
        DateTimeOffset? LastReplayedCommit,
        WalReceiverFacts? Receiver) : NodeProbe
    {
        /// <summary>The greater of received and replayed: after a restart the receiver's position may be behind what was replayed.</summary>
        public Lsn Position => Lsn.Max(Received ?? Lsn.Zero, Replayed ?? Lsn.Zero);
    }

    /// <summary>Something listens there but does not let us in: starting up, shutting down, too many clients, a refused password.</summary>
    /// <param name="SqlState">PostgreSQL's error code, for instance <c>57P03</c> while it starts up; null when there was none.</param>
    /// <param name="Reason">The server's words, without any password.</param>
    public sealed record Rejected(string? SqlState, string Reason) : NodeProbe;

    /// <summary>No answer within the deadline, or nothing listens there.</summary>
    /// <param name="Reason">What was tried and what came of it, without any password.</param>
    public sealed record Silent(string Reason) : NodeProbe;

    /// <summary>There is no server: the agent of a witness answers.</summary>
    /// <param name="Address">Where.</param>
    public sealed record Agent(string Address) : NodeProbe;

    /// <summary>Why it was not seen running, in the words of the look; null when it was.</summary>
    public string? Obstacle => this switch
    {
        Rejected rejected => rejected.Reason,
        Silent silent => silent.Reason,
        _ => null,
    };

    /// <summary>The facts of the running server, or null when it was not seen running.</summary>
    public ServerFacts? Running => this switch
    {
        Primary primary => primary.Server,
        Standby standby => standby.Server,
        _ => null,
    };
}

/// <summary>What a running server says of itself, whatever its role.</summary>
/// <param name="Version">Its version.</param>
/// <param name="SystemIdentifier">The cluster's identity, equal on a primary and all its copies (<c>pg_control_system()</c>).</param>
/// <param name="Timeline">The timeline it writes on, receives, or last replayed from.</param>
/// <param name="DataDirectory"><c>data_directory</c>; null when the role may not see it (it needs pg_read_all_settings).</param>
/// <param name="StartedAt"><c>pg_postmaster_start_time()</c></param>
/// <param name="Now">The server's own clock at the time of the look.</param>
/// <param name="Downstreams">The WAL senders at work now (<c>pg_stat_replication</c>): standbys, and base backups while they run.</param>
public sealed record ServerFacts(
    PostgresVersion Version,
    ulong SystemIdentifier,
    int Timeline,
    string? DataDirectory,
    DateTimeOffset StartedAt,
    DateTimeOffset Now,
    IReadOnlyList<WalSenderFacts> Downstreams);

/// <summary>A row of <c>pg_stat_wal_receiver</c>. Without pg_read_all_stats only its existence is visible; then all is null.</summary>
/// <param name="Status">For instance <c>streaming</c>.</param>
/// <param name="Timeline">The timeline it receives (<c>received_tli</c>).</param>
/// <param name="SenderHost">Host (or socket directory) it is connected to.</param>
/// <param name="SenderPort">Port it is connected to.</param>
/// <param name="SlotName">The slot it uses, or null.</param>
public sealed record WalReceiverFacts(string? Status, int? Timeline, string? SenderHost, int? SenderPort, string? SlotName);

/// <summary>
/// A row of <c>pg_stat_replication</c>. The application name is visible to every role, the rest only with pg_read_all_stats.
/// </summary>
/// <param name="ApplicationName">The standby's application_name: the node's name, when repmgr configured it.</param>
/// <param name="State">For instance <c>streaming</c>, <c>catchup</c>, <c>backup</c>; null when the role may not see it.</param>
/// <param name="Sent">Null when not yet known.</param>
/// <param name="Flushed">Null when not yet known.</param>
/// <param name="Replayed">Null when not yet known.</param>
/// <param name="ReplayLag">Time from flushing WAL here to its replay there (<c>replay_lag</c>); null when idle.</param>
/// <param name="SyncState">For instance <c>async</c>, <c>quorum</c>; null when the role may not see it.</param>
public sealed record WalSenderFacts(
    string ApplicationName,
    string? State,
    Lsn? Sent,
    Lsn? Flushed,
    Lsn? Replayed,
    TimeSpan? ReplayLag,
    string? SyncState)
{
    /// <summary>The node's name, or that of a member of a synchronous set (R9 in docs/failover.md).</summary>
    public bool IsOf(NodeRecord node) => ApplicationName == node.Name || StampedSet.Read(ApplicationName)?.Node == node.Id;
}
