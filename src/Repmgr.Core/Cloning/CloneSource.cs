using Repmgr.Core.Checks;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Cloning;

/// <summary>What the server to be copied says of itself. Settings a role may not see are null.</summary>
public sealed record CloneSource
{
    public required PostgresVersion Version { get; init; }

    public required ulong SystemIdentifier { get; init; }

    public required bool InRecovery { get; init; }

    /// <summary><c>PG_15_202209061</c>: the directory a tablespace of this version uses.</summary>
    public required string TablespaceVersionDirectory { get; init; }

    public string? DataDirectory { get; init; }

    public string? ConfigFile { get; init; }

    public string? HbaFile { get; init; }

    public string? IdentFile { get; init; }

    /// <summary>Files that the configuration includes, as absolute paths (<c>pg_file_settings</c>); empty when the role may not see them.</summary>
    public IReadOnlyList<string> IncludedFiles { get; init; } = [];

    public required string WalLevel { get; init; }

    public required bool HotStandby { get; init; }

    public required bool FullPageWrites { get; init; }

    public required int MaxWalSenders { get; init; }

    public required int UsedWalSenders { get; init; }

    public required int MaxReplicationSlots { get; init; }

    public required IReadOnlyList<SlotView> Slots { get; init; }

    /// <summary><c>wal_keep_size</c>, in bytes.</summary>
    public required long WalKeepBytes { get; init; }

    public required long WalSegmentBytes { get; init; }

    public required bool DataChecksums { get; init; }

    public required bool WalLogHints { get; init; }

    /// <summary><c>summarize_wal</c>; false where the server is too old to have it.</summary>
    public bool SummarizeWal { get; init; }

    public required IReadOnlyList<TablespaceView> Tablespaces { get; init; }

    /// <summary>Bytes in the data directory without tablespaces elsewhere and without WAL; null when the role may not know.</summary>
    public long? MainBytes { get; init; }

    /// <summary>What a short read of its files over one connection brought in a second; null: not tried.</summary>
    public long? ReadBytesPerSecond { get; init; }

    /// <summary>The settings a standby must have at least as high as its primary, by name.</summary>
    public required IReadOnlyDictionary<string, int> StandbyMinimums { get; init; }

    public required CloneRights Rights { get; init; }

    /// <summary>Why a replication connection could not be opened; null when one was.</summary>
    public ReplicationRefusal? ReplicationRefused { get; init; }

    /// <summary>Names and ids of the nodes registered there; empty when there is no metadata.</summary>
    public IReadOnlyDictionary<int, string> RegisteredNodes { get; init; } = new Dictionary<int, string>();

    /// <summary>What the role may not know the size of, for messages.</summary>
    public IReadOnlyList<string> UnknownSizes =>
    [
        .. MainBytes is null ? ["the data directory"] : Array.Empty<string>(),
        .. Tablespaces.Where(space => space is { InPlace: false, Bytes: null }).Select(space => $"tablespace \"{space.Name}\""),
    ];

    public int FreeWalSenders => MaxWalSenders - UsedWalSenders;

    public int FreeSlots => MaxReplicationSlots - Slots.Count;

    /// <summary>The configuration files that a copy of the data directory does not contain.</summary>
    public IReadOnlyList<string> ExternalConfigFiles => DataDirectory is null
        ? []
        : [.. new[] { ConfigFile, HbaFile, IdentFile }.Concat(IncludedFiles).OfType<string>()
            .Where(file => !file.StartsWith(DataDirectory.TrimEnd('/') + "/", StringComparison.Ordinal)).Distinct()];
}

/// <summary>A replication slot of the source.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Physical">It serves a standby.</param>
/// <param name="ActivePid">The process that uses it now, or null.</param>
/// <param name="Lost">The WAL it stood for is gone (<c>wal_status</c>).</param>
public sealed record SlotView(string Name, bool Physical, int? ActivePid, bool Lost);

/// <summary>A tablespace of the source other than pg_default and pg_global.</summary>
/// <param name="Oid">Its number, the name of its link in <c>pg_tblspc</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Location">Its directory on the source; a relative path for one in place (PostgreSQL 15+).</param>
/// <param name="Bytes">Its size; null when the role may not know.</param>
public sealed record TablespaceView(uint Oid, string Name, string Location, long? Bytes)
{
    /// <summary>It lies inside the data directory as a plain directory.</summary>
    /// <remarks>https://www.postgresql.org/docs/current/runtime-config-developer.html#GUC-ALLOW-IN-PLACE-TABLESPACES</remarks>
    public bool InPlace => !Location.StartsWith('/');
}

/// <summary>What the connecting role may do on the source.</summary>
/// <param name="Role">Its name.</param>
/// <param name="Superuser">Everything.</param>
/// <param name="Replication">It may make slots, and open replication connections.</param>
/// <param name="ReadSettings">It sees <c>data_directory</c> (pg_read_all_settings).</param>
/// <param name="BackupFunctions">It may execute the functions of the low-level backup API.</param>
/// <param name="ReplicationRole">The role that copies and replicates; often the same.</param>
/// <param name="ReplicationRoleMay">It has REPLICATION or is a superuser; null when there is no such role.</param>
public sealed record CloneRights(
    string Role,
    bool Superuser,
    bool Replication,
    bool ReadSettings,
    bool BackupFunctions,
    string ReplicationRole,
    bool? ReplicationRoleMay)
{
    /// <summary>Those of <see cref="FileFunctions"/> that it may not execute.</summary>
    public IReadOnlyList<string> MissingFileFunctions { get; init; } = [];

    /// <summary>The functions of the low-level backup API: PostgreSQL 15 renamed them and dropped the exclusive mode.</summary>
    /// <remarks>https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-BACKUP</remarks>
    public static (string Start, string Stop) BackupSignatures(PostgresVersion version) => version.Major >= 15
        ? ("pg_backup_start(text, boolean)", "pg_backup_stop(boolean)")
        : ("pg_start_backup(text, boolean, boolean)", "pg_stop_backup(boolean, boolean)");

    /// <summary>
    /// What the direct method lists and reads files with. Paths below the data directory need no membership in
    /// pg_read_server_files: convert_and_check_filename() in src/backend/utils/adt/genfile.c.
    /// </summary>
    public static IReadOnlyList<string> FileFunctions { get; } =
        ["pg_ls_dir(text, boolean, boolean)", "pg_stat_file(text, boolean)", "pg_read_binary_file(text, bigint, bigint, boolean)"];
}
