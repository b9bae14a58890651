using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Observation;

/// <summary>What a look at the whole cluster brought.</summary>
/// <param name="First">What the node that was asked first is, and its copy of the table.</param>
/// <param name="View">All registered nodes; empty when no table could be read.</param>
public sealed record ClusterLook(NodeLook First, ClusterView View);

/// <summary>
/// Looks at all nodes at once, each within its own deadline. Who is registered is taken from the primary's table where one primary is
/// seen, because a standby's copy may be old; else from the table of the node that was asked first.
/// </summary>
public sealed class ClusterObserver(NodeObserver observer, TimeProvider clock)
{
    /// <summary>Looks at the first node, then at all it knows of.</summary>
    /// <param name="first">How to reach the node to ask first.</param>
    /// <param name="self">Its id, when it is known; else it is looked at twice.</param>
    /// <param name="cancel">The caller gives up; then <see cref="OperationCanceledException"/> is thrown.</param>
    public async Task<ClusterLook> LookAsync(Conninfo first, NodeId? self, CancellationToken cancel)
    {
        NodeLook look = await observer.LookAsync(first, cancel);
        return new ClusterLook(look, await LookAtAllAsync(look, first, self, cancel));
    }

    /// <summary>Goes on from a look at the first node.</summary>
    /// <param name="look">What the first node said.</param>
    /// <param name="first">How it was reached; its password serves for the others too, since none is registered.</param>
    /// <param name="self">Its id, when it is known.</param>
    /// <param name="cancel">The caller gives up.</param>
    public Task<ClusterView> LookAtAllAsync(NodeLook look, Conninfo first, NodeId? self, CancellationToken cancel) =>
        LookAtOthersAsync(look, first, self is { } own ? new Dictionary<NodeId, NodeLook> { [own] = look } : [], cancel);

    /// <summary>Goes on from a look at a node whose table names the others.</summary>
    /// <param name="look">What that node said.</param>
    /// <param name="first">How it was reached.</param>
    /// <param name="known">Nodes that have been looked at already, also in vain.</param>
    /// <param name="cancel">The caller gives up.</param>
    public async Task<ClusterView> LookAtOthersAsync(
        NodeLook look, Conninfo first, IReadOnlyDictionary<NodeId, NodeLook> known, CancellationToken cancel)
    {
        Dictionary<NodeId, NodeLook> looks = new(known);
        IReadOnlyList<NodeRecord> records = look.Table.RecordsOrNone;
        await LookAsync(records, looks, first, cancel);
        if (PrimarysTable(records, looks) is { } better)
        {
            records = better;
            await LookAsync(records, looks, first, cancel);
        }

        return new ClusterView(clock.GetUtcNow(), [.. records.Select(record => View(record, looks[record.Id]))]);
    }

    private async Task LookAsync(
        IReadOnlyList<NodeRecord> records, Dictionary<NodeId, NodeLook> looks, Conninfo first, CancellationToken cancel)
    {
        NodeRecord[] unseen = [.. records.Where(record => !looks.ContainsKey(record.Id))];
        NodeLook[] seen = await Task.WhenAll(unseen.Select(record => LookAtAsync(record, first, cancel)));
        foreach ((NodeRecord record, NodeLook look) in unseen.Zip(seen))
            looks[record.Id] = look;
    }

    // An empty string would lead to the local default server, which is somebody else.
    private Task<NodeLook> LookAtAsync(NodeRecord record, Conninfo first, CancellationToken cancel) =>
        record.Conninfo.Length == 0
            ? Task.FromResult(NodeObserver.Unseen(new NodeProbe.Silent("no conninfo is registered for it")))
            : Conninfo.TryParse(record.Conninfo, out _, out Core.Problems.Problem? problem)
                ? observer.LookAsync(NodeReach.Of(record, first), cancel)
                : Task.FromResult(NodeObserver.Unseen(new NodeProbe.Rejected(null, $"its registered conninfo cannot be read: {problem.Message}")));

    private static IReadOnlyList<NodeRecord>? PrimarysTable(IReadOnlyList<NodeRecord> records, Dictionary<NodeId, NodeLook> looks)
    {
        List<NodeLook> primaries =
        [
            .. records.Where(record => record.Type != NodeType.Witness).Select(record => looks[record.Id])
                .Where(look => look is { Probe: NodeProbe.Primary, Table: NodeTable.Rows }),
        ];
        return primaries is [var only] ? only.Table.RecordsOrNone : null;
    }

    private static NodeView View(NodeRecord record, NodeLook look) =>
        new(record, look.Probe, look.Table.RecordsOrNone.FirstOrDefault(own => own.Id == record.Id));
}
