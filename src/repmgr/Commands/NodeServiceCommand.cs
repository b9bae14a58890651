using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Hosts;
using Repmgr.Core.Planning.Promotion;
using Repmgr.Core.Planning.Services;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr node service</c></summary>
internal sealed class NodeServiceCommand : NodeCommand
{
    // What pg_ctl waits by itself.
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(60);

    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        LocalHostLook host = await LocalHost.LookAsync(node.Settings, null, cancel);
        if (host.Control is not Detected<ServerControl>.Found { Value: var control })
            return node.Context.Refuse(host.Unclear);

        PromoteWay promotion = node.Settings.ServicePromoteCommand is { } command
            ? new PromoteWay.Command(command)
            : PromoteWay.PgCtl.In(new PostgresBinaries(((Detected<string>.Found)host.Bindir).Value).PgCtl, control.DataDirectory);
        if (node.Options.ListActions)
            return List(node.Context, control, promotion);

        ServiceAction action = node.Options.ServiceAction!.Value;
        ServiceSeen seen = new(
            control.Look() is LocalServerState.Running, action == ServiceAction.Promote ? "" : control.CommandFor(action.Name()), promotion, await AgentsAsync(node, cancel));
        NodeRecord record = node.Record(NodeType.Standby, node.On, [], null);
        ServiceRequest request = new(
            action, record, node.On,
            !node.Options.Checkpoint ? null : node.Options.Superuser is { } superuser ? node.On.With("user", superuser).Without("password") : node.On,
            node.Options.Force, action == ServiceAction.Promote ? node.Settings.PromoteCheckTimeout : Within);
        return (await node.Context.CarryOutAsync(ServicePlanner.Plan(request, seen), node.Tools.Runner, cancel)).ExitCode;
    }

    private static ExitCode List(CommandContext context, ServerControl control, PromoteWay promotion)
    {
        Dictionary<string, string> commands = Enum.GetValues<ServiceAction>().ToDictionary(
            action => action.Name(),
            action => action == ServiceAction.Promote ? promotion.Typed! : control.CommandFor(action.Name()));
        if (context.Options.Json)
            context.Output.Json(new ServiceActionsJson(commands), ServiceActionsJsonContext.Default.ServiceActionsJson);
        context.Output.Line("Following commands would be executed for each action:");
        context.Output.Line("");
        foreach ((string action, string line) in commands)
            context.Output.Line($"    {action}: \"{line}\"");
        return ExitCode.Success;
    }

    /// <summary>Null where nobody decides but the operator, and, with a warning, where the agents cannot be asked.</summary>
    private static async Task<AgentsView?> AgentsAsync(LocalNode node, CancellationToken cancel)
    {
        if (node.Settings.Failover != FailoverMode.Automatic)
            return null;
        (AgentsLook? look, Problem? problem) = await AgentsLook.BeginAsync(node.Settings, node.Tools.Connector, cancel);
        using (look)
        {
            if (look is null)
                node.Log.Warning("the agents cannot be asked, so that it is not known what they will make of it", problem!.Detail);
            AgentsView? agents = look is null ? null : await look.LookAsync(cancel);
            return agents is { Membership: not null } ? agents : null;
        }
    }
}
