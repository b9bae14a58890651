using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Problems;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr service pause</c> and <c>repmgr service unpause</c></summary>
internal sealed class ServicePauseCommand(bool pauses) : NodeCommand
{
    private static readonly TimeSpan Default = TimeSpan.FromHours(1);
    private static readonly TimeSpan LeaseWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AcknowledgedWithin = TimeSpan.FromSeconds(10);

    protected override Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel) =>
        AgentCommands.RunAsync(node, ExitCode.RepmgrdPause, look => RunAsync(node, look, cancel), cancel);

    private async Task<ExitCode> RunAsync(LocalNode node, AgentsLook look, CancellationToken cancel)
    {
        // A primary's agent that was just started has no lease yet, and does not end the pause without one.
        AgentsView agents = pauses
            ? await look.LookAsync(cancel)
            : (await AgentCommands.AwaitAsync(look, view => view.Holder is not { Role: nameof(Core.Failover.HoldingStage.Serving) } holder || holder.LeaseLeft > holder.Ttl / 3, LeaseWithin, cancel)).View;
        TimeSpan length = node.Options.PauseFor ?? Default;
        RequestChoice choice = pauses ? RequestChoice.Pause(agents, length)
            : node.Options.HolderIsDown ? RequestChoice.UnpauseWithoutHolder(agents, await look.AnsweringAsync(cancel))
            : RequestChoice.Unpause(agents);
        if (choice is RequestChoice.Refused refused)
            return node.Context.Refuse(refused.Problem, ExitCode.RepmgrdPause);
        var ask = (RequestChoice.Ask)choice;
        if (node.Options.DryRun)
        {
            node.Context.Output.Line($"1. {ask.Says}");
            return ExitCode.Success;
        }

        if (node.Options.HolderIsDown && !pauses)
            Warn(node.Log, agents);
        if (!await AgentCommands.AskAsync(node.Context, look, agents, ask, cancel))
            return ExitCode.RepmgrdPause;
        return await FinishAsync(node, look, agents, length, cancel);
    }

    private async Task<ExitCode> FinishAsync(LocalNode node, AgentsLook look, AgentsView before, TimeSpan length, CancellationToken cancel)
    {
        (AgentsView agents, bool isSo) = await AgentCommands.AwaitAsync(look, view => pauses ? view.Pause is { IsInForce: true } : IsUnpaused(view), AcknowledgedWithin, cancel);
        if (!isSo)
        {
            node.Log.Error(
                pauses ? "no majority of the agents has acknowledged the pause yet: it is not in force" : "no majority of the agents has acknowledged the end of the pause yet",
                string.Join("; ", AgentsText.Summary(agents)),
                "\"repmgr service status\" shows when it is so.");
            return ExitCode.RepmgrdPause;
        }

        if (pauses)
            node.Log.Notice($"failover is paused for {Duration.Of(length)}", $"Nobody is elected meanwhile, and no server is taken out of service. {NotAnswering(agents)}".TrimEnd(), "\"repmgr service unpause\" ends it before.");
        else
            node.Log.Notice("failover is not paused any more", $"Agents vote again {Duration.Of(before.Reports.Max(report => report.Ttl))} after they have heard of it. {NotAnswering(agents)}".TrimEnd());
        return ExitCode.Success;
    }

    private static bool IsUnpaused(AgentsView view) => view.Pause is null && view.Voters.Count(report => report.Pause is null) >= view.Majority;

    private static string NotAnswering(AgentsView agents) => agents.Answers.Where(answer => answer.Report is null).Select(answer => answer.Label).ToArray() is [_, ..] silent
        ? $"Not reached: {string.Join(", ", silent)}; it hears of it when it is back."
        : "";

    private static void Warn(ILog log, AgentsView agents)
    {
        NodeId? holder = agents.Voters.Where(report => report.Pause is not null).OrderBy(report => report.Term).LastOrDefault()?.Holder;
        log.Warning(
            $"another primary may be elected in a moment, on your word that {(holder is { } node ? agents.Label(node) : "the present one")} is down",
            $"If it was only cut off and still takes writes, there will be two primaries until its pause runs out there: at most {Duration.Of(agents.Pause!.Length)} after it began. It was last heard {Heard(agents)}.");
    }

    private static string Heard(AgentsView agents) =>
        agents.Voters.Select(report => report.HolderHeardAgo).OfType<TimeSpan>().Order().Select(ago => $"{Duration.Of(ago)} ago").FirstOrDefault("at a time that nobody knows");
}
