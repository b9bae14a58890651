using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Promotion;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Observation;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr standby promote</c></summary>
internal sealed class StandbyPromoteCommand : NodeCommand
{
    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        Settings settings = node.Settings;
        if (await AutomaticFailover.WhyNotByHandAsync(node.Tools.Connector, node.On, settings.Failover, cancel) is not null)
            return await new AgentPromotion(node).RunAsync(cancel);
        if (node.Options.WithoutMajority is not null)
        {
            return node.Context.Refuse(new Problem(
                "--without-majority is for clusters whose agents decide", "Here nobody votes: a standby is promoted by this command as it is.", "Run \"repmgr standby promote\" without it."));
        }

        PromoteSeen seen = await new PromotionLook(node.Tools.Connector, node.Tools.Cluster)
            .LookAsync(node.Id, node.On, settings, node.Options.SiblingsFollow, cancel);
        string name = seen.Cluster.Find(node.Id)?.Record.Name ?? settings.NodeName ?? $"node{node.Id}";
        Planned planned = PromotePlanner.Plan(
            new PromoteRequest(
                node.Id, name, node.On, node.Options.Force, node.Options.SiblingsFollow, settings.ServicePromoteCommand,
                settings.PromoteCheckTimeout, settings.StandbyFollowTimeout),
            seen);

        CarriedOut done = await node.Context.CarryOutAsync(planned, node.Tools.Runner, cancel);
        if (done.Outcome is not { } outcome)
            return done.ExitCode;

        // A sibling that did not follow does not undo the promotion.
        bool promoted = outcome.ReachedGoal;
        ClusterEvent happened = new(
            node.Id, EventName.StandbyPromote, promoted,
            promoted ? $"server \"{name}\" (ID: {node.Id}) was successfully promoted to primary" : outcome.Failure);
        await node.Tools.Events.RecordAsync(promoted ? node.On : null, happened, cancel);
        if (promoted)
            node.Log.Notice(happened.Details!);
        return outcome is PlanOutcome.Failed { InAftermath: true } ? ExitCode.SwitchoverIncomplete : done.ExitCode;
    }
}
