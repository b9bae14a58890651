using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Commands;

/// <summary>What the commands that ask the agents have in common.</summary>
internal static class AgentCommands
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>Why there are no agents to be asked; null: there are to be some.</summary>
    public static Problem? WhyNone(Settings settings) => settings.Failover == FailoverMode.Automatic
        ? null
        : new Problem(
            "failover is manual on this node: repmgrd only watches",
            "It promotes nothing and takes nothing out of service, so that there is nothing to be paused or explained.",
            "With failover = automatic in repmgr.conf of all nodes the agents decide: see docs/failover.md.");

    /// <summary>Does something with the agents; refuses where failover is manual.</summary>
    /// <param name="node">The node.</param>
    /// <param name="unreachable">What it ends with when none can be asked.</param>
    /// <param name="run">What is done.</param>
    /// <param name="cancel">Ends it.</param>
    public static async Task<ExitCode> RunAsync(LocalNode node, ExitCode unreachable, Func<AgentsLook, Task<ExitCode>> run, CancellationToken cancel) =>
        WhyNone(node.Settings) is { } manual ? node.Context.Refuse(manual) : await OnAgentsAsync(node, unreachable, run, cancel);

    /// <summary>The same where it is known that agents decide.</summary>
    public static async Task<ExitCode> OnAgentsAsync(LocalNode node, ExitCode unreachable, Func<AgentsLook, Task<ExitCode>> run, CancellationToken cancel)
    {
        (AgentsLook? look, Problem? problem) = await AgentsLook.BeginAsync(node.Settings, node.Tools.Connector, cancel);
        if (look is null)
            return node.Context.Refuse(problem!, unreachable);
        using (look)
            return await run(look);
    }

    /// <summary>Looks at the agents until something is so.</summary>
    /// <returns>The last look, and whether it was.</returns>
    public static async Task<(AgentsView View, bool IsSo)> AwaitAsync(AgentsLook look, Func<AgentsView, bool> isSo, TimeSpan within, CancellationToken cancel)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            AgentsView view = await look.LookAsync(cancel);
            bool so = isSo(view);
            if (so || TimeProvider.System.GetElapsedTime(began) >= within)
                return (view, so);
            await Task.Delay(LookEvery, cancel);
        }
    }

    /// <summary>Puts the request to all that it is for; says every refusal.</summary>
    public static async Task<bool> AskAsync(CommandContext context, AgentsLook look, AgentsView agents, RequestChoice.Ask ask, CancellationToken cancel)
    {
        bool isDone = true;
        foreach (NodeId node in ask.Of)
        {
            if (await look.AskAsync(node, ask.Request, cancel) is not { } refusal)
                continue;
            context.Log.Error($"the agent of {agents.Label(node)} refuses", refusal);
            isDone = false;
        }

        return isDone;
    }
}
