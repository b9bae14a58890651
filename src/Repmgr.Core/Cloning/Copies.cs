using Repmgr.Core.Postgres;

namespace Repmgr.Core.Cloning;

/// <summary>What pg_basebackup is to do.</summary>
/// <param name="Program">Path of pg_basebackup.</param>
/// <param name="Source">The server to copy; may hold a password, which travels in the environment.</param>
/// <param name="SourceName">For messages.</param>
/// <param name="Staging">Where the copy goes first: a directory inside the data directory, on the same file system.</param>
/// <param name="Tablespaces">Tablespaces with directories of their own, each with its staging directory.</param>
/// <param name="Arguments">All arguments besides connection, directory and tablespaces.</param>
/// <param name="TotalBytes">The expected size, for progress; null when it is not known.</param>
public sealed record BaseBackupCopy(
    string Program,
    Conninfo Source,
    string SourceName,
    string Staging,
    IReadOnlyList<StagedTablespace> Tablespaces,
    IReadOnlyList<string> Arguments,
    long? TotalBytes)
{
    /// <summary>Where a tablespace goes first.</summary>
    public string StagingOf(StagedTablespace space) => space.Beside(Staging[(Staging.LastIndexOf('/') + 1)..]);
}

/// <summary>A tablespace on its way.</summary>
/// <param name="Oid">Its number.</param>
/// <param name="Location">Its directory on the source.</param>
/// <param name="Destination">Its directory here.</param>
/// <param name="VersionDirectory">The directory in it that belongs to the cluster: <c>PG_15_202209061</c>.</param>
public sealed record StagedTablespace(uint Oid, string Location, string Destination, string VersionDirectory)
{
    /// <summary>Where pg_basebackup puts it before it is moved into place.</summary>
    public string Staging => Beside(CopyRules.Staging);

    /// <summary>A directory of our own in the tablespace's directory.</summary>
    public string Beside(string name) => $"{Destination.TrimEnd('/')}/{name}";
}

/// <summary>What pg_combinebackup is to do.</summary>
/// <param name="Program">Its path.</param>
/// <param name="Earlier">The directories of the earlier backups, the full one first.</param>
/// <param name="Incremental">The directory of the incremental one made now, inside the data directory; it is removed afterwards.</param>
/// <param name="Staging">Where the combined copy goes.</param>
/// <param name="Tablespaces">Tablespaces with directories of their own.</param>
/// <param name="TotalBytes">The expected size, for progress; null when it is not known.</param>
public sealed record CombineCopy(
    string Program, IReadOnlyList<string> Earlier, string Incremental, string Staging, IReadOnlyList<StagedTablespace> Tablespaces, long? TotalBytes);

/// <summary>How ssh reaches the source's host.</summary>
/// <param name="Host">Its name.</param>
/// <param name="User">The user there; null: the same as here.</param>
/// <param name="Options">From <c>ssh_options</c>.</param>
public sealed record RemoteShell(string Host, string? User, IReadOnlyList<string> Options);

/// <summary>What keeps the WAL on the source from start to stop of the backup.</summary>
public enum WalGuard
{
    /// <summary>The standby's own slot, reserved before.</summary>
    StandbySlot,

    /// <summary>A temporary slot that ends with the backup's session, however that ends.</summary>
    TemporarySlot,

    /// <summary><c>wal_keep_size</c>, which the operator vouched for with <c>-w</c>.</summary>
    KeptWal,

    /// <summary>Nothing: it is fetched as it is written, while the files are copied.</summary>
    Streamed,
}

/// <summary>What the rsync method is to do.</summary>
public sealed record RsyncCopy
{
    public required Conninfo Source { get; init; }

    public required RemoteShell Shell { get; init; }

    public required PostgresVersion Version { get; init; }

    public required long WalSegmentBytes { get; init; }

    public required string SourceDirectory { get; init; }

    public required string DataDirectory { get; init; }

    public required IReadOnlyList<TablespaceView> Tablespaces { get; init; }

    /// <summary>Those with a directory of their own.</summary>
    public required IReadOnlyList<StagedTablespace> Destinations { get; init; }

    /// <summary>The directory in each tablespace that belongs to the cluster.</summary>
    public required string VersionDirectory { get; init; }

    /// <summary>Tablespace directories of other clusters on this host.</summary>
    public IReadOnlyList<string> TablespacesOfOthers { get; init; } = [];

    /// <summary>Files are there already: compare them by checksum, and delete what the source does not have.</summary>
    public required bool OntoExisting { get; init; }

    public required bool IgnoreVanishedFiles { get; init; }

    public required IReadOnlyList<string> RsyncOptions { get; init; }

    public required int Jobs { get; init; }

    public required long? MaxRateKilobytes { get; init; }

    public required WalGuard Guard { get; init; }

    /// <summary>Path of pg_controldata, which checks the copied control file; null when there is none.</summary>
    public required string? ControlDataProgram { get; init; }

    public string Host => Shell.Host;
}

/// <summary>A configuration file and where it goes.</summary>
public sealed record ConfigFileCopy(string From, string To);
