using Repmgr.Core.Settings;

namespace Repmgr.Core.Cloning;

/// <summary>How the files get here.</summary>
public enum CloneMethod
{
    /// <summary>The contents of the files over ordinary connections inside the low-level backup API; onto an existing directory only what differs moves.</summary>
    Direct,

    /// <summary><c>pg_basebackup</c>: over a replication connection; needs nothing but PostgreSQL.</summary>
    BaseBackup,

    /// <summary>rsync over ssh inside the low-level backup API: the original's way; onto an existing directory only differences move.</summary>
    Rsync,

    /// <summary><c>clone_command</c>: whatever tool keeps the operator's backups. It puts a copy into a directory, and we make a standby of it.</summary>
    Command,
}

/// <summary>What becomes of configuration files that the source keeps outside its data directory (Debian's layout).</summary>
public enum ExternalConfigCopy
{
    /// <summary>They stay where they are; the operator is told what to do.</summary>
    None,

    /// <summary>To the same absolute path on this host.</summary>
    SamePath,

    /// <summary>Into the data directory.</summary>
    PgData,
}

/// <summary>What was asked of <c>standby clone</c>, after options and configuration are put together.</summary>
public sealed record CloneRequest
{
    public required CloneMethod Method { get; init; }

    /// <summary>Absolute path of the new data directory.</summary>
    public required string DataDirectory { get; init; }

    public bool Force { get; init; }

    /// <summary>rsync's exit 24 (files vanished while it copied; usual on a busy source) counts as success.</summary>
    public bool IgnoreVanishedFiles { get; init; }

    /// <summary>Where ssh goes; null when nothing names a host.</summary>
    public string? SshHost { get; init; }

    public string? RemoteUser { get; init; }

    public IReadOnlyList<string> SshOptions { get; init; } = [];

    public IReadOnlyList<string> RsyncOptions { get; init; } = [];

    public IReadOnlyList<string> BaseBackupOptions { get; init; } = [];

    /// <summary>Directories of earlier backups, the full one first: what has changed since the last of them is fetched, and all are combined.</summary>
    public IReadOnlyList<string> EarlierBackups { get; init; } = [];

    /// <summary><c>clone_command</c>; null when it is not set.</summary>
    public string? Command { get; init; }

    /// <summary>Upper limit of the copy in kilobytes (1024 bytes) per second, all processes together; null: none.</summary>
    public long? MaxRateKilobytes { get; init; }

    public bool VerifyBackup { get; init; }

    /// <summary>The standby is to be started when it is copied.</summary>
    public bool Start { get; init; }

    /// <summary>How long it may take from then on until it streams.</summary>
    public TimeSpan StreamWithin { get; init; }

    /// <summary>A damaged page on the source does not matter.</summary>
    public bool IgnoreDamagedPages { get; init; }

    /// <summary>Where the WAL of the copy goes; null: into the data directory, or where a link that is there leads.</summary>
    public string? WalDirectory { get; init; }

    /// <summary>The original's <c>-w</c>: WAL segments the source must at least keep; null: not asked.</summary>
    public int? MinimumWalSegments { get; init; }

    public IReadOnlyList<TablespaceMapping> TablespaceMappings { get; init; } = [];

    public ExternalConfigCopy ExternalConfig { get; init; }

    /// <summary>Connections (direct) or processes (rsync) that copy side by side.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>The slot the new standby will use, or null. It is reserved before the copy starts.</summary>
    public string? SlotName { get; init; }

    /// <summary>The name it will be registered under, or null when there is no configuration.</summary>
    public string? NodeName { get; init; }

    public int? NodeId { get; init; }

    /// <summary>The role that will replicate.</summary>
    public string? ReplicationUser { get; init; }

    /// <summary>Where a tablespace of the source goes here.</summary>
    public string Destination(string location) => Destination(TablespaceMappings, location);

    internal static string Destination(IEnumerable<TablespaceMapping> mappings, string location)
    {
        foreach (TablespaceMapping mapping in mappings)
        {
            if (Trim(mapping.Old) == Trim(location))
                return Trim(mapping.New);
        }

        return location;
    }

    private static string Trim(string path) => path.Length > 1 ? path.TrimEnd('/') : path;
}
