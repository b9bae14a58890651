using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover;

/// <summary>How the own server was seen. A position is the end of valid WAL on the disk, at the last complete record (R8).</summary>
public abstract record ServerView
{
    private ServerView() { }

    /// <summary>Not looked at yet; a witness stays here.</summary>
    public sealed record Unseen : ServerView;

    /// <summary>No process of it is left.</summary>
    /// <param name="Position">Read from <c>pg_wal</c>; null: that could not be told.</param>
    public sealed record Down(Lsn? Position) : ServerView;

    /// <summary>It replays.</summary>
    /// <param name="Position">Null: that cannot be told yet (after a restart, before all local WAL is replayed).</param>
    /// <param name="Upstream">The node its receiver is connected to; null: to none.</param>
    /// <param name="LeftToReplay">In bytes.</param>
    public sealed record Recovering(Lsn? Position, NodeId? Upstream, ulong LeftToReplay) : ServerView;

    /// <summary>It takes writes.</summary>
    public sealed record Writable(Lsn Position) : ServerView;

    /// <summary>Its processes are there and it does nothing within the deadline (R16).</summary>
    public sealed record Hung : ServerView;

    public Lsn? End => this switch
    {
        Down down => down.Position,
        Recovering recovering => recovering.Position,
        Writable writable => writable.Position,
        _ => null,
    };
}
