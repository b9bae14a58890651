using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Observation;

/// <summary>Tries to connect to nodes from here, side by side.</summary>
internal sealed class ReachLook(NodeObserver observer)
{
    /// <summary>Longer than a connection usually may take, and short enough for who waits for the answer.</summary>
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(4);

    /// <param name="from">The node that this is.</param>
    /// <param name="nodes">Whom to try, and as what they are registered.</param>
    /// <param name="own">The own node's conninfo.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<ReachRow> LookAsync(NodeId from, IEnumerable<(NodeId Node, string Conninfo)> nodes, Conninfo own, CancellationToken cancel) =>
        new(from, await Task.WhenAll(nodes.Select(async node => new ReachedNode(node.Node, await WhyNotAsync(node.Conninfo, own, cancel)))));

    private async Task<string?> WhyNotAsync(string conninfo, Conninfo own, CancellationToken cancel)
    {
        if (NodeReach.Of(conninfo, own) is not { } reach)
            return "its registered conninfo cannot be read";
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Within);
        try
        {
            return (await observer.LookAsync(reach, deadline.Token)).Probe.Obstacle;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return $"no answer within {Within.TotalSeconds:0} s";
        }
    }
}
