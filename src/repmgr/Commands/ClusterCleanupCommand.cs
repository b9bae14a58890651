using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Files;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr cluster cleanup</c></summary>
internal sealed class ClusterCleanupCommand : ICommand
{
    public async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel)
    {
        if (!context.TryReadSettings(out SettingsLoad.Loaded? loaded))
            return ExitCode.BadConfig;

        Settings settings = loaded.Settings;
        if (LocalNode.Missing(settings) is { Count: > 0 } missing)
            return context.Refuse(missing);

        NodeTools tools = new(context, settings);
        ClusterFound found = await new ClusterFinder(tools, context).FindAsync(loaded, cancel);
        if (found is ClusterFound.Nowhere nowhere)
            return context.Refuse(nowhere.Problem, nowhere.ExitCode);

        NodeId? standby = context.Options.NodeId is { } id ? new NodeId(id) : null;
        Planned planned = CleanupPlanner.Plan(((ClusterFound.Seen)found).View, context.Options.KeepHistory ?? 0, standby, settings.Conninfo!);
        CarriedOut done = await context.CarryOutAsync(planned, tools.Runner, cancel);
        if (done.Outcome is { } outcome)
        {
            ClusterEvent happened = new(
                settings.NodeId!.Value,
                EventName.ClusterCleanup,
                outcome is PlanOutcome.Done,
                outcome is PlanOutcome.Failed failed ? failed.Problem.Message : "monitoring history deleted");
            Conninfo primary = ((Step.DeleteHistory)((Planned.Ready)planned).Plan.Steps[0]).On;
            await tools.Events.RecordAsync(primary, happened, cancel);
        }

        return done.ExitCode;
    }
}
