using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Monitoring;

/// <summary>What one turn decided.</summary>
/// <param name="Next">What the next turn goes on from.</param>
/// <param name="Acts">What is to be done, in order. None of it is waited for: the next turn looks what became of it.</param>
/// <param name="Lines">What is to be said.</param>
/// <param name="Look">The other nodes to be looked at next.</param>
/// <param name="Seen">What was decided on: the situation without servers of other database clusters.</param>
/// <param name="Exit">The daemon is to end with this code; null: it goes on.</param>
public sealed record Turn(
    WatchState Next,
    IReadOnlyList<WatchAct> Acts,
    IReadOnlyList<LogLine> Lines,
    IReadOnlyList<NodeRecord> Look,
    Situation Seen,
    ExitCode? Exit = null);

/// <summary>Something a turn wants done.</summary>
public abstract record WatchAct
{
    private WatchAct() { }

    /// <summary>Write a row of <c>repmgr.monitoring_history</c> into the primary's database.</summary>
    public sealed record KeepHistory(NodeRecord Primary, MonitoringRow Row) : WatchAct;

    /// <summary>Record an event and announce it. It waits for a primary if there is none to record it at.</summary>
    public sealed record Tell(ClusterEvent Event) : WatchAct;

    /// <summary>Bring a node's row in <c>repmgr.nodes</c> up to date, at the primary.</summary>
    /// <param name="Primary">Where.</param>
    /// <param name="Record">What is to stand there.</param>
    /// <param name="Deactivate">Former primaries that are not to count as active any more.</param>
    /// <param name="Then">The event that is told when it stands there; null: none.</param>
    public sealed record Write(NodeRecord Primary, NodeRecord Record, IReadOnlyList<NodeId> Deactivate, ClusterEvent? Then) : WatchAct;

    /// <summary>Run <c>child_nodes_disconnect_command</c>.</summary>
    /// <param name="Template">The command with its placeholders.</param>
    /// <param name="Self">What <c>%p</c> stands for.</param>
    /// <param name="Why">For the event.</param>
    public sealed record RunChildCommand(string Template, NodeId Self, string Why) : WatchAct;
}
