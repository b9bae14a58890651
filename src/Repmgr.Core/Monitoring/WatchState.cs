using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Monitoring;

/// <summary>What the daemon remembers from one turn to the next.</summary>
/// <param name="Own">The server of this node.</param>
/// <param name="Upstream">The node this standby streams from.</param>
/// <param name="Known">The newest copy of <c>repmgr.nodes</c> seen; empty before one was.</param>
/// <param name="Primary">The primary last seen alive.</param>
/// <param name="Watching">What was last announced as being watched; null: nothing yet.</param>
/// <param name="Wish">A change of the own record that was seen to be needed.</param>
/// <param name="Children">The nodes below this one.</param>
/// <param name="Complaints">What is wrong now, and was said.</param>
/// <param name="LastStatus">When the last status line was written.</param>
/// <param name="LastScan">When all nodes were last looked at.</param>
/// <param name="SystemIdentifier">The database cluster's identifier; null before two servers were seen to share one.</param>
public sealed record WatchState(
    OwnServer Own,
    UpstreamLink Upstream,
    IReadOnlyList<NodeRecord> Known,
    NodeId? Primary,
    Watching? Watching,
    RecordWish? Wish,
    ChildNodes Children,
    IReadOnlyList<LogLine> Complaints,
    TimeSpan LastStatus,
    TimeSpan LastScan,
    ulong? SystemIdentifier)
{
    /// <summary>More than one node was seen as a primary in the last turn.</summary>
    public bool SawPrimaries { get; init; }

    public static WatchState Begin(TimeSpan clock) => new(
        new OwnServer.Unseen(clock), new UpstreamLink.None(), [], null, null, null, ChildNodes.Unseen, [], clock, clock, null);
}

/// <summary>How the own server stands.</summary>
public abstract record OwnServer
{
    private OwnServer() { }

    /// <summary>It was not seen running since the daemon began.</summary>
    public sealed record Unseen(TimeSpan Since) : OwnServer;

    public sealed record Up(bool IsPrimary, ulong SystemIdentifier, int Timeline, DateTimeOffset StartedAt) : OwnServer;

    /// <summary>It answered before, and does not now. The second look in a row without an answer makes it an event.</summary>
    public sealed record Missing(Up Before, TimeSpan Since, int Misses) : OwnServer
    {
        public bool IsAnnounced => Misses >= WatchMachine.MissesThatCount;
    }
}

/// <summary>How a standby's upstream stands.</summary>
public abstract record UpstreamLink
{
    private UpstreamLink() { }

    /// <summary>There is none: a primary, or not known yet.</summary>
    public sealed record None : UpstreamLink;

    public sealed record Normal(NodeId Node) : UpstreamLink;

    /// <summary>It does not answer. The second look in a row without an answer makes it an event.</summary>
    public sealed record Missing(NodeId Node, TimeSpan Since, int Misses) : UpstreamLink;

    /// <summary>It has not answered for so long that an operator is needed.</summary>
    public sealed record Degraded(NodeId Node, TimeSpan Since) : UpstreamLink;

    public NodeId? Upstream => this switch
    {
        Normal normal => normal.Node,
        Missing missing => missing.Node,
        Degraded degraded => degraded.Node,
        _ => null,
    };
}

/// <summary>What was announced: a primary (with no upstream), or a standby and its upstream.</summary>
public sealed record Watching(bool IsPrimary, NodeId? Upstream);

/// <summary>A difference between the own record and what is.</summary>
/// <param name="Record">What should stand there.</param>
/// <param name="Turns">In how many turns in a row it was seen so.</param>
/// <param name="AskedAt">When it was last asked for; null: not yet.</param>
public sealed record RecordWish(NodeRecord Record, int Turns, TimeSpan? AskedAt);

/// <summary>The nodes below a primary.</summary>
/// <param name="Nodes">By ascending id; null before the first look.</param>
/// <param name="LastCheck">When they were last compared.</param>
/// <param name="CommandRan">The command was run for the present shortage.</param>
public sealed record ChildNodes(IReadOnlyList<ChildNode>? Nodes, TimeSpan LastCheck, bool CommandRan)
{
    public static ChildNodes Unseen { get; } = new(null, TimeSpan.MinValue, CommandRan: false);
}

/// <summary>One of them.</summary>
/// <param name="Id">Its id.</param>
/// <param name="IsAttached">A WAL sender serves it.</param>
/// <param name="DetachedAt">When it was seen to be gone; null when it is attached, or was gone when the watch began.</param>
public sealed record ChildNode(NodeId Id, bool IsAttached, TimeSpan? DetachedAt);
