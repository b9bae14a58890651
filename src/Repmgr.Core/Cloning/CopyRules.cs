using System.Collections.Immutable;

namespace Repmgr.Core.Cloning;

/// <summary>What a file-level backup leaves out, and where this program keeps its own files while it copies.</summary>
/// <remarks>https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP-DATA</remarks>
public static class CopyRules
{
    /// <summary>Says what is going on in a directory that is being filled. It is the last thing to go.</summary>
    public const string Marker = "repmgr_clone.unfinished";

    /// <summary>Where pg_basebackup puts its copy, inside the data directory and inside each tablespace, before it is moved into place.</summary>
    public const string Staging = "repmgr_clone.staging";

    /// <summary>Where an incremental backup goes before it is combined with those before it, in the same places.</summary>
    public const string Incremental = "repmgr_clone.incremental";

    /// <summary>Files of our own beside the cluster's begin like this; they are neither copied nor taken for extraneous.</summary>
    public const string OwnPrefix = "repmgr_clone.";

    /// <summary>Lists of files that do not fit into memory, plus what they list. They lose their names as soon as they are made.</summary>
    public const string List = "repmgr_clone.list.";

    /// <summary>A configuration file that a forced clone replaced keeps its content under its name plus this.</summary>
    public const string BeforeClone = ".before_clone";

    public const string ControlFile = "global/pg_control";

    /// <summary>Where the copied control file waits until everything else is on disk. Under this name PostgreSQL does not find it.</summary>
    public const string PendingControlFile = "repmgr_clone.pg_control";

    /// <summary>Directories that must exist but whose content belongs to the running source alone.</summary>
    public static ImmutableArray<string> EmptyDirectories { get; } =
    [
        "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans",
    ];

    /// <summary>Files at the top of the data directory that a copy must not contain.</summary>
    public static ImmutableArray<string> TopLevelFiles { get; } =
    [
        "postmaster.pid", "postmaster.opts", "backup_label", "backup_label.old", "tablespace_map", "tablespace_map.old",
        "backup_manifest", "backup_manifest.tmp", "standby.signal", "recovery.signal", "postgresql.auto.conf.tmp",
        "current_logfiles", "current_logfiles.tmp",
    ];

    /// <summary>Left out wherever they are: temporary files and relation caches, which the server makes anew.</summary>
    public static ImmutableArray<string> Anywhere { get; } = ["pgsql_tmp*", "pg_internal.init*"];

    /// <summary>rsync filter rules for a copy whose root is the data directory, WAL and tablespace links aside.</summary>
    /// <remarks>
    /// <c>H</c> hides a name from the source only, so that <c>--delete</c> removes it here; <c>-</c> also keeps what is here.
    /// </remarks>
    public static IReadOnlyList<string> RootFilters(IEnumerable<TablespaceView> tablespaces) =>
    [
        // The directory itself is made here: on the source, or here, it may be a link to another disk.
        "- /pg_wal",
        "- /" + ControlFile,
        .. EmptyDirectories.Select(name => $"H /{name}/*"),
        .. TopLevelFiles.Select(name => "H /" + name),
        .. tablespaces.Where(space => !space.InPlace).Select(space => $"- /pg_tblspc/{space.Oid}"),
        .. CommonFilters,
    ];

    /// <summary>rsync filter rules that hold in every directory.</summary>
    public static IReadOnlyList<string> CommonFilters { get; } =
        [.. Anywhere.Select(pattern => "H " + pattern), $"- /{OwnPrefix}*", $"- /*{BeforeClone}"];
}
