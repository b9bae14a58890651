using Repmgr.Core.Checks.Nodes;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Daemon;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Observation;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr node check</c></summary>
internal sealed class NodeCheckCommand : NodeCommand
{
    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        if (node.Options.CheckItem is { } item)
            return Answer(node.Context, await OneAsync(node, item, cancel), node);

        NodeHealth health = await LocalHealth.LookAsync(node, HealthWish.Others, cancel);
        if (health is not NodeHealth.Seen { View: var view })
        {
            (Problem problem, ExitCode exitCode) = LocalHealth.Why(node, health);
            return node.Context.Refuse(problem, exitCode);
        }

        IReadOnlyList<CheckFinding> findings = NodeChecks.All(view, CheckLimits.Of(node.Settings));
        ExitCode found = findings.All(finding => finding.Status == CheckStatus.Ok) ? ExitCode.Success : ExitCode.NodeStatus;
        Print(node.Context, view, findings, found);
        return found;
    }

    // What runs a plugin takes 1 for a warning: that nothing could be found out is 3.
    protected override ExitCode Unusable(CommandContext context) => context.Options.CheckItem is { } item
        ? Answer(context, new CheckFinding(item, CheckStatus.Unknown, "the configuration cannot be used"), null)
        : ExitCode.BadConfig;

    private static async Task<CheckFinding> OneAsync(LocalNode node, CheckItem item, CancellationToken cancel)
    {
        if (item == CheckItem.Repmgrd)
            return await RepmgrdAsync(node, cancel);
        if (item == CheckItem.Connection)
        {
            NodeLook look = await node.Tools.Observer.LookAsync(node.On, cancel);
            return look.Probe.Obstacle is { } obstacle
                ? new CheckFinding(item, CheckStatus.Critical, $"no connection to node \"{LocalHealth.NameOf(node)}\": {obstacle}")
                : new CheckFinding(item, CheckStatus.Ok, $"connected to node \"{LocalHealth.NameOf(node)}\"");
        }

        NodeHealth health = await LocalHealth.LookAsync(node, item.IsAboutOthers ? HealthWish.Others : HealthWish.None, cancel);
        if (health is NodeHealth.Seen { View: var view })
            return NodeChecks.One(item, view, CheckLimits.Of(node.Settings));
        (Problem problem, _) = LocalHealth.Why(node, health);
        node.Context.Refuse(problem);
        return new CheckFinding(item, CheckStatus.Unknown, problem.Message);
    }

    private static async Task<CheckFinding> RepmgrdAsync(LocalNode node, CancellationToken cancel)
    {
        int? pid = node.Loaded.Path is { } path ? LocalDaemon.Find(path) ?? 0 : null;
        if (node.Settings.Failover != FailoverMode.Automatic)
            return RepmgrdCheck.Watching(pid is > 0 ? pid : await DaemonPresence.PidAsync(node.Tools.Connector, node.Id, node.On, cancel) ?? pid);

        (AgentsLook? look, _) = await AgentsLook.BeginAsync(node.Settings, node.Tools.Connector, cancel);
        using (look)
        {
            AgentsView? agents = look is null ? null : await look.LookAsync(cancel);
            return RepmgrdCheck.Deciding(agents?.Answers.FirstOrDefault(answer => answer.Node == node.Id), pid);
        }
    }

    private static ExitCode Answer(CommandContext context, CheckFinding finding, LocalNode? node)
    {
        context.Output.Line(context.Options.Nagios ? NodeCheckText.Nagios(finding) : NodeCheckText.Single(finding));
        if (context.Options.Json)
            context.Output.Json(NodeCheckJson.Of(node?.Id.Value, node is null ? null : LocalHealth.NameOf(node), [finding], (int)finding.Status), NodeCheckJsonContext.Default.NodeCheckJson);
        return (ExitCode)(int)finding.Status;
    }

    private static void Print(CommandContext context, NodeHealthView view, IReadOnlyList<CheckFinding> findings, ExitCode found)
    {
        if (context.Options.Json)
        {
            context.Output.Json(NodeCheckJson.Of(view.Self.Id.Value, view.Self.Name, findings, (int)found), NodeCheckJsonContext.Default.NodeCheckJson);
            return;
        }

        foreach (string line in context.Options.Csv ? NodeCheckText.Csv(view.Self, findings) : NodeCheckText.Lines(view.Self, findings))
            context.Output.Line(line);
    }
}
