using System.Globalization;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;

namespace Repmgr.Core.Cloning.Direct;

/// <summary>What the direct method is to do.</summary>
public sealed record DirectCopy
{
    /// <summary>The server, as the role reaches it that may call the backup functions and read files.</summary>
    public required Conninfo Source { get; init; }

    /// <summary>For messages.</summary>
    public required string SourceName { get; init; }

    public required PostgresVersion Version { get; init; }

    /// <summary>What is to be found there: the planner has judged it.</summary>
    public required ulong SystemIdentifier { get; init; }

    public required long WalSegmentBytes { get; init; }

    public required string DataDirectory { get; init; }

    /// <summary>The directory in each tablespace that belongs to the cluster.</summary>
    public required string VersionDirectory { get; init; }

    public required IReadOnlyList<TablespaceMapping> TablespaceMappings { get; init; }

    /// <summary>The tablespace directories that were looked at, and found free or this target's own.</summary>
    public required IReadOnlyList<string> KnownDirectories { get; init; }

    /// <summary>Tablespace directories of other clusters on this host.</summary>
    public IReadOnlyList<string> TablespacesOfOthers { get; init; } = [];

    /// <summary>Where <c>pg_wal</c> is to be; null: in the data directory, or where a link that is there leads.</summary>
    public string? WalDirectory { get; init; }

    /// <summary>Files are there already: what is the same need not be moved.</summary>
    public required bool OntoExisting { get; init; }

    /// <summary>Connections that copy, side by side.</summary>
    public required int Jobs { get; init; }

    /// <summary>All of them together; null: no limit.</summary>
    public required long? MaxBytesPerSecond { get; init; }

    public required WalGuard Guard { get; init; }

    /// <summary>Check each page, where the source has checksums.</summary>
    public required bool VerifyChecksums { get; init; }

    /// <summary>What the source's files take, as far as the role may know; null: it may not.</summary>
    public long? EstimatedBytes { get; init; }

    /// <summary>What a short read over one connection brought in a second; null: not tried.</summary>
    public long? ReadBytesPerSecond { get; init; }

    /// <summary>
    /// For the description of the step: <c> (12 GB, at 50 MB a second at least 4 min)</c>, or <c> (12 GB, about 1 min by a short test read)</c>.
    /// Empty when nothing is known. How much of an existing copy has to be moved is not known before.
    /// </summary>
    public string Estimate => (EstimatedBytes, MaxBytesPerSecond, ReadBytesPerSecond) switch
    {
        (null, _, _) => "",
        ({ } bytes, { } limit, var read) when !OntoExisting && !(read < limit) => $" ({TargetChecks.Size(bytes)}, at {TargetChecks.Size(limit)} a second at least {Time(bytes / limit)})",
        ({ } bytes, _, { } read and > 0) when !OntoExisting => $" ({TargetChecks.Size(bytes)}, about {Time(bytes / read)} by a short test read)",
        ({ } bytes, _, _) => $" ({TargetChecks.Size(bytes)})",
    };

    private static string Time(long seconds) => seconds switch
    {
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, seconds)} s"),
        < 7200 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600} h"),
    };

    /// <summary>Where a tablespace of the source goes here.</summary>
    public string Destination(string location) => CloneRequest.Destination(TablespaceMappings, location);
}
