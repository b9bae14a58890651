using Repmgr.Core.Postgres;

namespace Repmgr.Core.Cloning;

/// <summary>What was found where the copy is to go.</summary>
/// <param name="Directory">The data directory.</param>
/// <param name="Content">What is in it.</param>
/// <param name="Unwritable">Why this operating-system user cannot write there; null when it can.</param>
/// <param name="Main">The room for the data directory.</param>
/// <param name="Tablespaces">The room for each tablespace that has a directory of its own.</param>
public sealed record CloneTarget(
    string Directory,
    TargetContent Content,
    string? Unwritable,
    TargetRoom Main,
    IReadOnlyList<TargetTablespace> Tablespaces)
{
    /// <summary>The data directory of another cluster that this one lies inside of; null: of none.</summary>
    public string? Inside { get; init; }

    /// <summary>Tablespace directories that other clusters on this host use, as far as they are known: nothing in them is touched.</summary>
    public IReadOnlyList<string> TablespacesOfOthers { get; init; } = [];

    /// <summary>The earlier backups named in the request, in its order.</summary>
    public IReadOnlyList<EarlierBackup> EarlierBackups { get; init; } = [];

    /// <summary>Where a link in the place of <c>pg_wal</c> leads; null: there is none. Such a link is kept.</summary>
    public string? WalLink { get; init; }

    /// <summary>The directory that was named for WAL holds something, and is not the one this target uses already.</summary>
    public bool IsWalDirectoryInUse { get; init; }

    /// <summary>The configuration that a server on this directory will read, where it lies outside of it (Debian's layout); null: inside.</summary>
    public LocalConfiguration? Configuration { get; init; }
}

/// <summary>A configuration directory on this host.</summary>
/// <param name="Directory">For instance <c>/etc/postgresql/15/main</c>.</param>
/// <param name="Settings">What it gives the settings that a standby must have at least as high as its primary.</param>
public sealed record LocalConfiguration(string Directory, IReadOnlyDictionary<string, int> Settings);

/// <summary>What is in a directory that shall become a standby's data directory.</summary>
public abstract record TargetContent
{
    private TargetContent() { }

    /// <summary>Files of this cluster, whole or not, that a copy replaces.</summary>
    public bool HoldsCopy => this is Cluster or Unfinished;

    /// <summary>It does not exist yet.</summary>
    public sealed record Absent : TargetContent;

    /// <summary>It exists and holds nothing (a file system's <c>lost+found</c> does not count).</summary>
    public sealed record Empty : TargetContent;

    /// <summary>A clone was begun here and did not end. PostgreSQL refuses to start on it.</summary>
    /// <param name="Marker">What is known of it.</param>
    /// <param name="InProgress">Another repmgr is at it now.</param>
    public sealed record Unfinished(UnfinishedClone Marker, bool InProgress) : TargetContent;

    /// <summary>A whole cluster.</summary>
    /// <param name="Major">From <c>PG_VERSION</c>.</param>
    /// <param name="SystemIdentifier">From <c>pg_control</c>; null when it cannot be read.</param>
    /// <param name="RunningPid">The server that runs on it, or null.</param>
    public sealed record Cluster(int Major, ulong? SystemIdentifier, int? RunningPid) : TargetContent;

    /// <summary>Something else; its first entries by name.</summary>
    public sealed record Foreign(IReadOnlyList<string> Sample) : TargetContent;

    /// <summary>It cannot be looked into.</summary>
    public sealed record Unreadable(string Reason) : TargetContent;
}

/// <summary>What the marker file of a clone in progress says.</summary>
/// <param name="SystemIdentifier">The cluster that is being copied.</param>
/// <param name="Major">Its major version.</param>
/// <param name="Method">How.</param>
/// <param name="TablespaceDirectories">The tablespace directories here that belong to it.</param>
public sealed record UnfinishedClone(ulong SystemIdentifier, int Major, CloneMethod Method, IReadOnlyList<string> TablespaceDirectories);

/// <summary>A directory to copy into, and its file system.</summary>
/// <param name="Path">Where the files go.</param>
/// <param name="Mount">The mount point it lies on; directories on one mount share its free bytes.</param>
/// <param name="FreeBytes">Free there for this user.</param>
/// <param name="HeldBytes">Bytes that the directory holds now and that the clone replaces.</param>
public sealed record TargetRoom(string Path, string Mount, long FreeBytes, long HeldBytes);

/// <summary>Where a tablespace goes.</summary>
/// <param name="Oid">The tablespace.</param>
/// <param name="Room">Its directory.</param>
/// <param name="Unwritable">Why it cannot be written; null when it can.</param>
/// <param name="InUse">It holds files that are not this target's own: another cluster's, perhaps the source's.</param>
public sealed record TargetTablespace(uint Oid, TargetRoom Room, string? Unwritable, bool InUse);

/// <summary>The programs a clone needs, as they were found.</summary>
/// <param name="BinDirectory">Where PostgreSQL's programs are; null when not found.</param>
/// <param name="BaseBackup">Version of <c>pg_basebackup</c>; null when there is none.</param>
/// <param name="VerifyBackup"><c>pg_verifybackup</c> is there.</param>
/// <param name="Server">Version of <c>postgres</c>; null when there is none.</param>
/// <param name="Rsync">Version of the local rsync as it prints it; null when there is none. Not looked for when not needed.</param>
/// <param name="Remote">The other side of ssh; null when not looked for.</param>
public sealed record CloneTools(
    string? BinDirectory,
    PostgresVersion? BaseBackup,
    bool VerifyBackup,
    PostgresVersion? Server,
    Version? Rsync = null,
    RemoteView? Remote = null)
{
    /// <summary><c>pg_combinebackup</c> is there.</summary>
    public bool CombineBackup { get; init; }
}

/// <summary>What a try of ssh to the source's host found.</summary>
public abstract record RemoteView
{
    private RemoteView() { }

    /// <summary>ssh and rsync work, and the source's data directory can be read.</summary>
    public sealed record Ready : RemoteView;

    /// <summary>ssh itself failed.</summary>
    public sealed record Unreachable(string Command, string Reason) : RemoteView;

    /// <summary>There is no rsync over there.</summary>
    public sealed record NoRsync(string Reason) : RemoteView;

    /// <summary>rsync works but the data directory cannot be read, or is not that of the source.</summary>
    public sealed record NoData(string Reason) : RemoteView;
}
