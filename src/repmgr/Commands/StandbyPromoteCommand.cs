using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Promotion;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Files;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Postgres;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr standby promote</c></summary>
internal sealed class StandbyPromoteCommand : ICommand
{
    public async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel)
    {
        if (!context.TryReadSettings(out SettingsLoad.Loaded? loaded))
            return ExitCode.BadConfig;
        Settings settings = loaded.Settings;
        if (LocalNode.Missing(settings) is { Count: > 0 } missing)
            return context.Refuse(missing);

        (NodeId self, Conninfo on) = (settings.NodeId!.Value, settings.Conninfo!);
        var connector = new PostgresConnector();
        var cluster = new ClusterObserver(new NodeObserver(connector), TimeProvider.System);
        PromoteSeen seen = await new PromotionLook(connector, cluster)
            .LookAsync(self, on, settings.ReplicationUser, context.Options.SiblingsFollow, cancel);
        string name = seen.Cluster.Find(self)?.Record.Name ?? settings.NodeName ?? $"node{self}";
        Planned planned = PromotePlanner.Plan(
            new PromoteRequest(
                self, name, on, context.Options.Force, context.Options.SiblingsFollow, settings.ServicePromoteCommand,
                settings.PromoteCheckTimeout, settings.StandbyFollowTimeout),
            seen);

        using var runner = new StepRunner(new StepContext(settings, connector, TimeProvider.System, context.Log));
        CarriedOut done = await context.CarryOutAsync(planned, runner, cancel);
        if (done.Outcome is not { } outcome)
            return done.ExitCode;

        // A sibling that did not follow does not undo the promotion.
        bool promoted = outcome is PlanOutcome.Done or PlanOutcome.Failed { InAftermath: true };
        var happened = new ClusterEvent(
            self, EventName.StandbyPromote, promoted,
            promoted
                ? $"server \"{name}\" (ID: {self}) was successfully promoted to primary"
                : ((PlanOutcome.Failed)outcome).Problem.Message);
        await new EventRecorder(settings, connector, TimeProvider.System, context.Log).RecordAsync(promoted ? on : null, happened, cancel);
        if (promoted)
            context.Log.Notice(happened.Details!);
        return outcome is PlanOutcome.Failed { InAftermath: true } ? ExitCode.SwitchoverIncomplete : done.ExitCode;
    }
}
