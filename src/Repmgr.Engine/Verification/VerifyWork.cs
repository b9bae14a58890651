using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;
using Repmgr.Core.Verification;
using Repmgr.Engine.Cloning;
using Repmgr.Engine.Cloning.Direct;

namespace Repmgr.Engine.Verification;

/// <summary>What all connections of one comparison work with.</summary>
internal sealed class VerifyWork(LocalCopy here, SourceIdentity source, RateLimit limit, CopyMeter meter)
    : SourceWork(source, limit, meter)
{
    public LocalCopy Here => here;

    public VerifyTally Tally { get; } = new();

    /// <summary>As they were before the pages of this round were read.</summary>
    public required SettledPositions Settled { get; set; }

    /// <summary>Checksums of pages here mean something: a host that lost power may have left torn pages, which recovery mends.</summary>
    public required bool ChecksHere { get; init; }

    /// <summary>A page's number within its relation, which goes on over the segment files.</summary>
    public uint BlockInRelation(CopyFile file, long page) => (uint)(((file.Relation?.Segment ?? 0) * (long)Source.SegmentPages) + page);

    public bool IsDamaged(CopyFile file, long page, ReadOnlySpan<byte> content) =>
        Source.HasChecksums && file.Relation is not null && content.Length == PageBytes
        && PageChecksum.Check(content, BlockInRelation(file, page)) == PageState.Damaged;
}
