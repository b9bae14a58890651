using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Problems;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr witness register</c></summary>
internal sealed class WitnessRegisterCommand : NodeCommand
{
    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        ClusterFound found = await new ClusterFinder(node.Tools, node.Context).FindAsync(node.Loaded, MetadataUse.Register, cancel);
        if (found is not ClusterFound.Seen { View: var cluster })
            return node.Context.Refuse((ClusterFound.Nowhere)found);

        NodeRecord own = node.Record(NodeType.Witness, WitnessConninfo.Of(AgentAddress.Of(node.Settings, null)), [.. cluster.Nodes.Select(view => view.Record)], null);
        NodeRecord record = own with { Priority = 0, SlotName = null, ReplicationUser = node.On["user"] ?? Environment.UserName };
        Planned planned = RegisterWitnessPlanner.Plan(new RegisterWitnessRequest(record, node.On, node.Options.Force), cluster)
            .Unless(await node.LackingAsync(cluster, MetadataUse.Register, cancel));
        CarriedOut done = await node.Context.CarryOutAsync(planned, node.Tools.Runner, cancel);
        if (done.Outcome is not { } outcome)
            return done.ExitCode;

        NodeRecord primary = ((PrimarySearch.Found)PrimarySearch.In(cluster)).Node.Record;
        ClusterEvent happened = new(
            node.Id, EventName.WitnessRegister, outcome is PlanOutcome.Done, outcome.Failure ?? $"witness \"{record.Name}\" (ID: {node.Id}) is registered");
        await node.Tools.Events.RecordAsync(NodeReach.Of(primary, node.On), happened, cancel);
        if (outcome is PlanOutcome.Done)
            node.Log.Notice(happened.Details!, hint: "Start repmgrd on this host: it votes as soon as the agent of the primary has admitted it.");
        return done.ExitCode;
    }
}
