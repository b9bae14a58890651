using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Registration;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Files;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr primary unregister</c> and <c>repmgr standby unregister</c></summary>
internal sealed class UnregisterCommand(NodeType type) : ICommand
{
    public async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel)
    {
        if (!context.TryReadSettings(out SettingsLoad.Loaded? loaded))
            return ExitCode.BadConfig;

        Settings settings = loaded.Settings;
        if (LocalNode.Missing(settings) is { Count: > 0 } missing)
            return context.Refuse(missing);

        NodeTools tools = new(context, settings);
        Conninfo own = settings.Conninfo!;
        ClusterFound found = await new ClusterFinder(tools, context).FindAsync(loaded, cancel);
        if (found is ClusterFound.Nowhere nowhere)
            return context.Refuse(nowhere.Problem, nowhere.ExitCode);

        ClusterView cluster = ((ClusterFound.Seen)found).View;
        NodeId target = context.Options.NodeId is { } id ? new NodeId(id) : settings.NodeId!.Value;
        CarriedOut done = await context.CarryOutAsync(
            UnregisterPlanner.Plan(new UnregisterRequest(target, type, own, context.Options.Force), cluster), tools.Runner, cancel);
        if (done.Outcome is not { } outcome)
            return done.ExitCode;

        string name = cluster.Find(target)!.Record.Name;
        ClusterEvent happened = new(
            target,
            type == NodeType.Primary ? EventName.PrimaryUnregister : EventName.StandbyUnregister,
            outcome is PlanOutcome.Done,
            outcome is PlanOutcome.Failed failed ? failed.Problem.Message : $"node \"{name}\" (ID: {target}) is registered no more");
        NodeRecord primary = ((PrimarySearch.Found)PrimarySearch.In(cluster)).Node.Record;
        await tools.Events.RecordAsync(NodeReach.Of(primary, own), happened, cancel);
        if (outcome is PlanOutcome.Done)
            context.Log.Notice(happened.Details!);
        return done.ExitCode;
    }
}
