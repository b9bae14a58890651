namespace Repmgr.Core.Problems;

/// <summary>The exit codes of both programs. They are an interface: a number never changes its meaning.</summary>
/// <remarks>
/// The numbers are those of repmgr 5.x. Where 1.x used a number for a failure that only <c>repmgr</c> can have and 5.x uses
/// the same number for one that only <c>repmgrd</c> can have, both hold, each in its program (3 and 9).
/// </remarks>
public enum ExitCode
{
    /// <summary>The command did what was asked.</summary>
    Success = 0,

    /// <summary>Bad usage or configuration, and most prerequisites that are not met.</summary>
    BadConfig = 1,

    /// <summary>rsync failed.</summary>
    BadRsync = 2,

    /// <summary>repmgrd: already running, or its pid file cannot be written. repmgr: <c>pg_backup_stop</c> failed (as in 1.x).</summary>
    BadPidFileOrStopBackup = 3,

    /// <summary>A PostgreSQL server could not be started or restarted.</summary>
    NoRestart = 4,

    /// <summary>A local command failed (service commands; in 1.x: the WAL directory could not be created).</summary>
    LocalCommand = 5,

    /// <summary>A database connection could not be made.</summary>
    DbConnection = 6,

    /// <summary>A query failed.</summary>
    DbQuery = 7,

    /// <summary>The promotion failed.</summary>
    PromotionFailed = 8,

    /// <summary>repmgrd: degraded_monitoring_timeout has passed. repmgr: a password was rejected (as in 1.x).</summary>
    MonitoringTimeoutOrBadPassword = 9,

    /// <summary>Kept for compatibility (5.x: an internal buffer was too small); never returned.</summary>
    StringOverflow = 10,

    /// <summary>The failover failed.</summary>
    FailoverFailed = 11,

    /// <summary>ssh failed.</summary>
    BadSsh = 12,

    /// <summary>A call of the operating system failed.</summary>
    SystemFailure = 13,

    /// <summary>pg_basebackup or another copy over a PostgreSQL connection failed.</summary>
    BadBaseBackup = 14,

    /// <summary>A defect of this program.</summary>
    Internal = 15,

    /// <summary>repmgrd cannot go on monitoring.</summary>
    MonitoringFailed = 16,

    /// <summary>The backup label is damaged.</summary>
    BadBackupLabel = 17,

    /// <summary>The switchover failed.</summary>
    SwitchoverFailed = 18,

    /// <summary>Barman failed.</summary>
    Barman = 19,

    /// <summary>The node record did not reach the standby within <c>--wait-sync</c>.</summary>
    RegistrationSync = 20,

    /// <summary>The machine ran out of memory.</summary>
    OutOfMemory = 21,

    /// <summary>Promoted, but the demoted node or a sibling is not attached.</summary>
    SwitchoverIncomplete = 22,

    /// <summary>The standby does not follow the node it was pointed at.</summary>
    FollowFailed = 23,

    /// <summary>The rejoin failed.</summary>
    RejoinFailed = 24,

    /// <summary>Issues were found (node status, node check, cluster show).</summary>
    NodeStatus = 25,

    /// <summary>Pausing or unpausing failed somewhere.</summary>
    RepmgrdPause = 26,

    /// <summary>repmgrd could not be started or stopped.</summary>
    RepmgrdService = 27,

    /// <summary>pg-backup-api failed.</summary>
    PgBackupApi = 28,
}
