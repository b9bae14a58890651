using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Problems;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr service set</c></summary>
internal sealed class ServiceSetCommand : NodeCommand
{
    private static readonly TimeSpan InForceWithin = TimeSpan.FromSeconds(30);

    protected override Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel) =>
        AgentCommands.RunAsync(node, ExitCode.DbConnection, look => RunAsync(node, look, cancel), cancel);

    private static async Task<ExitCode> RunAsync(LocalNode node, AgentsLook look, CancellationToken cancel)
    {
        var wish = new AgreedWish(
            node.Options.Synchronous is { } mode ? Enum.Parse<SyncMode>(mode, ignoreCase: true) : null,
            node.Options.SynchronousNodeCount, node.Options.LeaseTtl, node.Options.AgentRestartGrace);
        AgentsView agents = await look.LookAsync(cancel);
        AgreedChange change = AgreedChange.Of(agents, wish);
        if (change is AgreedChange.Refused refused)
            return node.Context.Refuse(refused.Problem, ExitCode.RepmgrdService);
        var ready = (AgreedChange.Ready)change;
        if (node.Options.DryRun)
        {
            foreach ((int index, (RequestChoice.Ask ask, string follows)) in ready.Steps.Index())
                node.Context.Output.Line($"{index + 1}. {ask.Says}{(follows.Length > 0 ? $". {follows}" : "")}");
            if (ready.Steps.Count == 0)
                node.Context.Output.Line("nothing: the cluster goes by this already");
            return ExitCode.Success;
        }

        foreach ((RequestChoice.Ask ask, string follows) in ready.Steps)
        {
            node.Log.Info(ask.Says, follows.Length > 0 ? follows : null);
            if (!await AgentCommands.AskAsync(node.Context, look, agents, ask, cancel))
                return ExitCode.RepmgrdService;
        }

        return await FinishAsync(node, look, wish, hasChanged: ready.Steps.Count > 0, cancel);
    }

    private static async Task<ExitCode> FinishAsync(LocalNode node, AgentsLook look, AgreedWish wish, bool hasChanged, CancellationToken cancel)
    {
        (AgentsView agents, bool isSo) = await AgentCommands.AwaitAsync(look, view => AgreedChange.IsSo(view, wish), InForceWithin, cancel);
        if (!isSo)
        {
            node.Log.Error(
                $"it has not come into force within {Duration.Of(InForceWithin)}", $"{string.Join("; ", AgentsText.Summary(agents))}.", "\"repmgr cluster explain\" says what the agents wait for.");
            return ExitCode.RepmgrdService;
        }

        string now = AgentsText.Agreed(agents);
        if (hasChanged)
            node.Log.Notice($"the cluster goes by {now}", null, "Write the same into repmgr.conf on all nodes: a repmgrd whose file says something else warns when it starts.");
        else
            node.Log.Notice($"nothing was to be changed: the cluster goes by {now}");
        return ExitCode.Success;
    }
}
