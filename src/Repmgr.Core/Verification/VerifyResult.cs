using Repmgr.Core.Postgres;

namespace Repmgr.Core.Verification;

/// <summary>What is wrong with a file.</summary>
public enum FileFault
{
    /// <summary>Pages are not the source's, and no WAL will make them so.</summary>
    Differs,

    /// <summary>The source has it, here it is not.</summary>
    MissingHere,

    /// <summary>It is here, and the source does not have it.</summary>
    ExtraHere,

    /// <summary>Checksums of pages here do not fit.</summary>
    DamagedHere,

    /// <summary>Checksums of pages on the source do not fit.</summary>
    DamagedOnSource,
}

/// <summary>A file that is not as it should be.</summary>
/// <param name="Path">Relative to the data directory.</param>
/// <param name="Fault">In what.</param>
/// <param name="Pages">Which pages; none where the whole file is meant.</param>
public sealed record FileFinding(string Path, FileFault Fault, IReadOnlyList<PageRange> Pages)
{
    /// <summary>The database's name; null: it belongs to none, or is not known.</summary>
    public string? Database { get; init; }

    /// <summary>The relation's name with its schema; null outside of the database that was connected to.</summary>
    public string? Relation { get; init; }

    public long PageCount => Pages.Sum(range => range.Count);
}

/// <summary>A file in which something differs that may be just under way.</summary>
/// <param name="Path">Relative to the data directory.</param>
/// <param name="Pages">How many pages; 0 for a file that is on one side only.</param>
public sealed record UnsettledFile(string Path, long Pages);

/// <summary>What came of a comparison.</summary>
public sealed record VerifyResult
{
    public required IReadOnlyList<FileFinding> Findings { get; init; }

    public required IReadOnlyList<UnsettledFile> Unsettled { get; init; }

    /// <summary>How the histories diverge; null when nothing shows that they do.</summary>
    public string? Divergence { get; init; }

    /// <summary>Files compared.</summary>
    public required long Files { get; init; }

    /// <summary>Bytes here that were compared.</summary>
    public required long BytesCompared { get; init; }

    /// <summary>Bytes of contents that the source sent.</summary>
    public required long BytesMoved { get; init; }

    public required int Jobs { get; init; }

    public required TimeSpan Duration { get; init; }

    /// <summary>All changes before this were in the files here when the comparison began.</summary>
    public required Lsn SettledHere { get; init; }

    /// <summary>The same on the source.</summary>
    public required Lsn SettledOnSource { get; init; }

    /// <summary>The standby that is behind has replayed what the other had when the pages were read. False: it was not waited for, or not reached.</summary>
    public required bool CaughtUp { get; init; }

    public bool IsSame => Findings.Count == 0 && Divergence is null;

    public long Count(FileFault fault) => Findings.Where(finding => finding.Fault == fault).Sum(finding => Math.Max(1, finding.PageCount));
}
