using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Execution;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr cluster cleanup</c></summary>
internal sealed class ClusterCleanupCommand : NodeCommand
{
    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        ClusterFound found = await new ClusterFinder(node.Tools, node.Context).FindAsync(node.Loaded, MetadataUse.Cleanup, cancel);
        if (found is not ClusterFound.Seen { View: var cluster })
            return node.Context.Refuse((ClusterFound.Nowhere)found);

        NodeId? standby = node.Options.NodeId is { } id ? new NodeId(id) : null;
        Planned planned = CleanupPlanner.Plan(cluster, node.Options.KeepHistory ?? 0, standby, node.On)
            .Unless(await node.LackingAsync(cluster, MetadataUse.Cleanup, cancel));
        CarriedOut done = await node.Context.CarryOutAsync(planned, node.Tools.Runner, cancel);
        if (done.Outcome is { } outcome)
        {
            ClusterEvent happened = new(node.Id, EventName.ClusterCleanup, outcome is PlanOutcome.Done, outcome.Failure ?? "monitoring history deleted");
            await node.Tools.Events.RecordAsync(((Step.DeleteHistory)((Planned.Ready)planned).Plan.Steps[0]).On, happened, cancel);
        }

        return done.ExitCode;
    }
}
