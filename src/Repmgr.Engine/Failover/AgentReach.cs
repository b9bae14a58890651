using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Observation;

namespace Repmgr.Engine.Failover;

/// <summary>Whom the node of an agent can connect to, for commands that ask. Who asks while a look is under way gets that look's answer.</summary>
/// <param name="self">The node.</param>
/// <param name="own">Its conninfo.</param>
/// <param name="nodes">Who is registered, as the agent knows it.</param>
/// <param name="observer">Looks at servers.</param>
/// <param name="others">Asks the other agents for their rows; the caller disposes of it.</param>
internal sealed class AgentReach(NodeId self, Conninfo own, Func<IReadOnlyList<KnownNode>> nodes, NodeObserver observer, Func<AgentsLook> others)
{
    private readonly Lock _starting = new();
    private Task<ReachRow>? _row;
    private Task<IReadOnlyList<ReachRow>>? _rows;

    /// <summary>From here.</summary>
    public Task<ReachRow> RowAsync()
    {
        lock (_starting)
            return _row = _row is { IsCompleted: false } running ? running : LookAsync();
    }

    /// <summary>From here, and from all nodes whose agents are reached from here.</summary>
    public Task<IReadOnlyList<ReachRow>> RowsAsync()
    {
        lock (_starting)
            return _rows = _rows is { IsCompleted: false } running ? running : AskAllAsync();
    }

    private Task<ReachRow> LookAsync() =>
        new ReachLook(observer).LookAsync(self, nodes().Select(node => (node.Id, node.Conninfo)), own, CancellationToken.None);

    private async Task<IReadOnlyList<ReachRow>> AskAllAsync()
    {
        using AgentsLook look = others();
        Task<ReachRow> here = RowAsync();
        ReachRow?[] there = await Task.WhenAll(nodes().Where(node => node.Id != self).Select(async node => (await look.ReachAsync(node.Id, CancellationToken.None)).Row));
        return [await here, .. there.OfType<ReachRow>()];
    }
}
