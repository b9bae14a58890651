using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Problems;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr primary unregister</c>, <c>repmgr standby unregister</c> and <c>repmgr witness unregister</c></summary>
internal sealed class UnregisterCommand(NodeType type) : NodeCommand
{
    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        ClusterFound found = await new ClusterFinder(node.Tools, node.Context).FindAsync(node.Loaded, MetadataUse.Unregister, cancel);
        if (found is not ClusterFound.Seen { View: var cluster })
            return node.Context.Refuse((ClusterFound.Nowhere)found);

        NodeId target = node.Options.NodeId is { } id ? new NodeId(id) : node.Id;
        Planned planned = UnregisterPlanner.Plan(new UnregisterRequest(target, type, node.On, node.Options.Force), cluster)
            .Unless(await node.LackingAsync(cluster, MetadataUse.Unregister, cancel));
        CarriedOut done = await node.Context.CarryOutAsync(planned, node.Tools.Runner, cancel);
        if (done.Outcome is not { } outcome)
            return done.ExitCode;

        string name = cluster.Find(target)!.Record.Name;
        ClusterEvent happened = new(
            target,
            type switch
            {
                NodeType.Primary => EventName.PrimaryUnregister,
                NodeType.Standby => EventName.StandbyUnregister,
                _ => EventName.WitnessUnregister,
            },
            outcome is PlanOutcome.Done,
            outcome.Failure ?? $"node \"{name}\" (ID: {target}) is registered no more");
        NodeRecord primary = ((PrimarySearch.Found)PrimarySearch.In(cluster)).Node.Record;
        await node.Tools.Events.RecordAsync(NodeReach.Of(primary, node.On), happened, cancel);
        if (outcome is PlanOutcome.Done)
            node.Log.Notice(happened.Details!);
        return done.ExitCode;
    }
}
