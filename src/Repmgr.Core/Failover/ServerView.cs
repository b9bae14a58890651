using System.Collections.Immutable;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover;

/// <summary>How the own server was seen. A position is the end of valid WAL on the disk, at the last complete record (R8).</summary>
public abstract record ServerView
{
    private ServerView() { }

    /// <summary>
    /// The random identity of the data directory, written at the end of a clone (R12); null: there is none to be read.
    /// </summary>
    public ulong? Identity { get; init; }

    /// <summary>Not looked at yet; a witness stays here.</summary>
    public sealed record Unseen : ServerView;

    /// <summary>No process of it is left.</summary>
    /// <param name="Position">Read from <c>pg_wal</c>; null: that could not be told.</param>
    public sealed record Down(Lsn? Position) : ServerView;

    /// <summary>It replays.</summary>
    /// <param name="Position">Null: that cannot be told yet (after a restart, before all local WAL is replayed).</param>
    /// <param name="Upstream">The node its receiver is connected to; null: to none.</param>
    /// <param name="LeftToReplay">In bytes.</param>
    public sealed record Recovering(Lsn? Position, NodeId? Upstream, ulong LeftToReplay) : ServerView
    {
        /// <summary>What its <c>application_name</c> carries (R9); null: nothing.</summary>
        public SyncStamp? Stamp { get; init; }

        /// <summary>
        /// It lets nobody in yet, so that its receiver cannot be cut, nor it be promoted. The position was read from <c>pg_wal</c>: others can fetch up to there.
        /// </summary>
        public bool IsStarting { get; init; }
    }

    /// <summary>It takes writes.</summary>
    public sealed record Writable(Lsn Position) : ServerView
    {
        /// <summary>The newest commit of the agent's own that was acknowledged under <c>synchronous_standby_names</c>; null: none yet (R9).</summary>
        public AcknowledgedCommit? LastCommit { get; init; }

        /// <summary>The standbys that stream from it: <c>pg_stat_replication</c>.</summary>
        public ImmutableArray<Sender> Senders { get; init; } = [];

        /// <summary>What a fresh connection showed; null: none was looked through yet, or no set is kept.</summary>
        public EffectiveNames? Effective { get; init; }

        /// <summary>Why commits of clients may be acknowledged that no standby has, whatever the set says (R16); null: nothing is known to speak against it.</summary>
        public string? Unprotected { get; init; }
    }

    /// <summary>Its processes are there and it does nothing within the deadline (R16).</summary>
    public sealed record Hung : ServerView
    {
        /// <summary>Its postmaster is gone, and processes of it are left: it will not go on.</summary>
        public bool IsHeadless { get; init; }
    }

    public Lsn? End => this switch
    {
        Down down => down.Position,
        Recovering recovering => recovering.Position,
        Writable writable => writable.Position,
        _ => null,
    };
}

/// <summary>A commit of the agent's own.</summary>
/// <param name="SentAt">When it was sent, on the boot clock.</param>
/// <param name="Position">Where its record ends.</param>
public readonly record struct AcknowledgedCommit(TimeSpan SentAt, Lsn Position);

/// <summary>The value of <c>synchronous_standby_names</c> that a new connection has.</summary>
/// <param name="At">When that connection was begun, on the boot clock.</param>
public sealed record EffectiveNames(TimeSpan At, string Names);

/// <summary>A standby that streams from the own server.</summary>
/// <param name="Stamp">What its <c>application_name</c> carries; null: nothing.</param>
/// <param name="Flushed"><c>flush_lsn</c>.</param>
public readonly record struct Sender(NodeId Node, SyncStamp? Stamp, Lsn Flushed);
