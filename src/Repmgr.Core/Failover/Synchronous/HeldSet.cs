using System.Collections.Immutable;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover.Synchronous;

/// <summary>What a holder knows of its synchronous set while it holds; after a restart of its agent it learns it anew.</summary>
public sealed record HeldSet
{
    /// <summary>The newest set that a majority is known to remember.</summary>
    public RememberedSet? Confirmed { get; init; }

    /// <summary>Since when PostgreSQL is known to have the set that was put in force; null: it is being set.</summary>
    public TimeSpan? SetAt { get; init; }

    /// <summary>The end of the WAL at some instant after <see cref="SetAt"/>: all that was acknowledged before lies below it.</summary>
    public Lsn? Mark { get; init; }

    /// <summary>The set that was remembered first and is to be put in force now; null: none.</summary>
    public SyncSet? Loosened { get; init; }

    /// <summary>Who follows, with the identity of their data.</summary>
    public ImmutableDictionary<NodeId, SyncMember> Known { get; init; } = ImmutableDictionary<NodeId, SyncMember>.Empty;

    /// <summary>Whose data are about to be overwritten (R12).</summary>
    public ImmutableHashSet<NodeId> Leaving { get; init; } = [];

    /// <summary>When members were last seen to stream under the stamp in force, and to keep up or at least to get on; and how far they had come.</summary>
    public ImmutableDictionary<NodeId, (TimeSpan At, Lsn Flushed)> Seen { get; init; } = ImmutableDictionary<NodeId, (TimeSpan At, Lsn Flushed)>.Empty;

    /// <summary>When the server was last seen to write: what was not looked at since says nothing of its members.</summary>
    public TimeSpan? LookedAt { get; init; }

    /// <summary>What was announced last as the end of the WAL: who has flushed as much keeps up.</summary>
    public Lsn Announced { get; init; }
}
