using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Settings;

/// <summary>
/// What <c>repmgr.conf</c> says, one property per key; a new one holds the defaults. The keys are described in
/// <see cref="SettingTable"/>. Strings are null when unset.
/// </summary>
public sealed record Settings
{
    /// <summary>The settings of an empty file.</summary>
    public static Settings Defaults { get; } = new();

    // The node
    public NodeId? NodeId { get; init; }
    public string? NodeName { get; init; }

    /// <summary>The name of the cluster in 1.x; null: the views of 1.x are not offered.</summary>
    public string? Cluster { get; init; }
    public Conninfo? Conninfo { get; init; }
    public string? DataDirectory { get; init; }
    public string? ConfigDirectory { get; init; }
    public string Location { get; init; } = "default";
    public int Priority { get; init; } = 100;

    // Replication
    public string? ReplicationUser { get; init; }
    public ReplicationType ReplicationType { get; init; }
    public bool UseReplicationSlots { get; init; }
    public string? Passfile { get; init; }
    public bool UsePrimaryConninfoPassword { get; init; }
    public string? RestoreCommand { get; init; }
    public string? ArchiveCleanupCommand { get; init; }
    public TimeSpan RecoveryMinApplyDelay { get; init; }

    // Logging
    public Severity LogLevel { get; init; } = Severity.Info;
    public LogFacility LogFacility { get; init; }
    public string? LogFile { get; init; }

    public LogFormat LogFormat { get; init; }

    /// <summary>Zero: no status lines.</summary>
    public TimeSpan LogStatusInterval { get; init; } = TimeSpan.FromSeconds(300);

    // Events
    public string? EventNotificationCommand { get; init; }

    /// <summary>The events the command is run for; empty: all.</summary>
    public IReadOnlyList<string> EventNotifications { get; init; } = [];

    // Programs
    public string? PgBindir { get; init; }
    public string? RepmgrBindir { get; init; }
    public string? PgCtlOptions { get; init; }
    public string? PgBasebackupOptions { get; init; }
    public string? RsyncOptions { get; init; }
    public string? SshOptions { get; init; } = "-q -o ConnectTimeout=10";

    // Cloning
    public string? CloneCommand { get; init; }
    public IReadOnlyList<TablespaceMapping> TablespaceMapping { get; init; } = [];
    public string? BarmanHost { get; init; }
    public string? BarmanServer { get; init; }
    public string? BarmanConfig { get; init; }
    public string? PgBackupApiHost { get; init; }
    public string? PgBackupApiNodeName { get; init; }
    public string? PgBackupApiBackupId { get; init; }
    public string? PgBackupApiRemoteSshCommand { get; init; }

    // Promoting and following
    public TimeSpan PromoteCheckTimeout { get; init; } = TimeSpan.FromSeconds(60);
    public TimeSpan PrimaryFollowTimeout { get; init; } = TimeSpan.FromSeconds(60);
    public TimeSpan StandbyFollowTimeout { get; init; } = TimeSpan.FromSeconds(30);
    public bool StandbyFollowRestart { get; init; }

    // Switchover and rejoin
    public TimeSpan ShutdownCheckTimeout { get; init; } = TimeSpan.FromSeconds(60);
    public TimeSpan StandbyReconnectTimeout { get; init; } = TimeSpan.FromSeconds(60);
    public TimeSpan WalReceiveCheckTimeout { get; init; } = TimeSpan.FromSeconds(30);
    public TimeSpan NodeRejoinTimeout { get; init; } = TimeSpan.FromSeconds(60);

    // Checks
    public int ArchiveReadyWarning { get; init; } = 16;
    public int ArchiveReadyCritical { get; init; } = 128;
    public TimeSpan ReplicationLagWarning { get; init; } = TimeSpan.FromSeconds(300);
    public TimeSpan ReplicationLagCritical { get; init; } = TimeSpan.FromSeconds(600);

    // repmgrd
    public TimeSpan MonitorInterval { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Null when the file does not say; see <see cref="KeepsMonitoringHistory"/>.</summary>
    public bool? MonitoringHistory { get; init; }

    /// <summary>Whether monitoring rows are written: as the file says, and when it does not, as 1.x did (which names its cluster).</summary>
    public bool KeepsMonitoringHistory => MonitoringHistory ?? Cluster is not null;
    public ConnectionCheckType ConnectionCheckType { get; init; }
    public string ConnectionCheckQuery { get; init; } = "SELECT 1";
    public int ReconnectAttempts { get; init; } = 6;
    public TimeSpan ReconnectInterval { get; init; } = TimeSpan.FromSeconds(10);
    public bool ReconnectLoopSync { get; init; }
    public TimeSpan AsyncQueryTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Null: never.</summary>
    public TimeSpan? DegradedMonitoringTimeout { get; init; }
    public TimeSpan WitnessSyncInterval { get; init; } = TimeSpan.FromSeconds(15);
    public string? RepmgrdPidFile { get; init; }
    public bool RepmgrdExitOnInactiveNode { get; init; }

    // Automatic failover
    public FailoverMode Failover { get; init; }
    public TimeSpan LeaseTtl { get; init; } = TimeSpan.FromSeconds(3);
    public TimeSpan LeaseRenewInterval { get; init; } = TimeSpan.FromSeconds(0.5);
    public LeaseStore LeaseStore { get; init; }
    public IReadOnlyList<string> EtcdEndpoints { get; init; } = [];
    public string EtcdPrefix { get; init; } = "/repmgr/";
    public string? EtcdUser { get; init; }
    public string? EtcdPasswordFile { get; init; }
    public string? EtcdCaFile { get; init; }
    public string? EtcdCertFile { get; init; }
    public string? EtcdKeyFile { get; init; }
    public string ApiListen { get; init; } = "*:8008";
    public string? ApiAddress { get; init; }
    public string? ApiSslCertFile { get; init; }

    public string? ApiSslKeyFile { get; init; }

    public string? ApiSslCaFile { get; init; }

    public string? StateDirectory { get; init; }

    /// <summary>In bytes; null: however far behind.</summary>
    public int? MaximumLagOnFailover { get; init; }
    public TimeSpan WalRescueTimeout { get; init; } = TimeSpan.FromSeconds(10);
    public RejoinPolicy Rejoin { get; init; }
    public SyncMode Synchronous { get; init; }
    public int SynchronousNodeCount { get; init; } = 1;
    public TimeSpan AgentRestartGrace { get; init; } = TimeSpan.FromSeconds(30);
    public TimeSpan FailoverCooldown { get; init; } = TimeSpan.FromSeconds(60);
    public string? BeforePromoteCommand { get; init; }
    public string? AfterPromoteCommand { get; init; }
    public string? BeforeDemoteCommand { get; init; }
    public string? AfterDemoteCommand { get; init; }
    public string? BeforeFollowCommand { get; init; }
    public string? AfterFollowCommand { get; init; }
    public string? FenceCommand { get; init; }

    public string? WatchdogDevice { get; init; }
    public TimeSpan HookTimeout { get; init; } = TimeSpan.FromSeconds(10);
    public string? PromoteCommand { get; init; }
    public string? FollowCommand { get; init; }
    public TimeSpan PrimaryNotificationTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Null: <see cref="StandbyReconnectTimeout"/>.</summary>
    public TimeSpan? RepmgrdStandbyStartupTimeout { get; init; }
    public bool StandbyDisconnectOnFailover { get; init; }
    public TimeSpan SiblingNodesDisconnectTimeout { get; init; } = TimeSpan.FromSeconds(30);
    public bool PrimaryVisibilityConsensus { get; init; }
    public bool AlwaysPromote { get; init; }
    public string? FailoverValidationCommand { get; init; }
    public TimeSpan ElectionRerunInterval { get; init; } = TimeSpan.FromSeconds(15);
    public TimeSpan PromoteDelay { get; init; }
    public TimeSpan FailoverDelay { get; init; }

    // Children of a primary
    public TimeSpan ChildNodesCheckInterval { get; init; } = TimeSpan.FromSeconds(5);
    public int? ChildNodesConnectedMinCount { get; init; }
    public int? ChildNodesDisconnectMinCount { get; init; }
    public bool ChildNodesConnectedIncludeWitness { get; init; }
    public TimeSpan ChildNodesDisconnectTimeout { get; init; } = TimeSpan.FromSeconds(30);
    public string? ChildNodesDisconnectCommand { get; init; }

    // Service commands
    public string? ServiceStartCommand { get; init; }
    public string? ServiceStopCommand { get; init; }
    public string? ServiceRestartCommand { get; init; }
    public string? ServiceReloadCommand { get; init; }
    public string? ServicePromoteCommand { get; init; }
    public string? RepmgrdServiceStartCommand { get; init; }
    public string? RepmgrdServiceStopCommand { get; init; }
}

/// <summary>The kinds of replication there are.</summary>
public enum ReplicationType
{
    Physical,
}

/// <summary>Whether repmgrd only watches, or also promotes and follows.</summary>
public enum FailoverMode
{
    Manual,
    Automatic,
}

/// <summary>Where the lease lies.</summary>
public enum LeaseStore
{
    /// <summary>Among the agents: a majority of them renews it.</summary>
    Peers,

    /// <summary>In an etcd that is there already.</summary>
    Etcd,
}

/// <summary>What becomes of the data of a node that went another way than the primary's.</summary>
public enum RejoinPolicy
{
    /// <summary>They are made anew from the primary's; only what differs is moved.</summary>
    Clone,

    /// <summary>They stay as they are, and the node stays down.</summary>
    Never,
}

/// <summary>How repmgrd sees whether a server is there.</summary>
public enum ConnectionCheckType
{
    Ping,
    Connection,
    Query,
}
