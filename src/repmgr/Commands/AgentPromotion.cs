using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Problems;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr standby promote</c> where agents decide: the primary's agent is asked to hand over (R18), and its answer is awaited in what becomes of it.</summary>
internal sealed class AgentPromotion(LocalNode node)
{
    public Task<ExitCode> RunAsync(CancellationToken cancel) =>
        AgentCommands.OnAgentsAsync(node, ExitCode.DbConnection, look => RunAsync(look, cancel), cancel);

    private async Task<ExitCode> RunAsync(AgentsLook look, CancellationToken cancel)
    {
        if (node.Options.WithoutMajority is { } name && Misnamed(name) is { } misnamed)
            return node.Context.Refuse(misnamed);
        AgentsView agents = await look.LookAsync(cancel);
        bool isOverride = node.Options.WithoutMajority is not null;
        RequestChoice choice = isOverride
            ? LostMajority.Choose(agents, node.Id, await look.AnsweringAsync(cancel))
            : RequestChoice.Promote(agents, node.Id, node.Options.Force);
        if (choice is RequestChoice.Refused refused)
            return node.Context.Refuse(refused.Problem);
        foreach (string sentence in isOverride ? LostMajority.Estimate(agents) : [])
            node.Log.Warning(sentence.TrimEnd('.'));
        if (node.Options.DryRun)
        {
            node.Context.Output.Line($"1. {(choice is RequestChoice.Ask planned ? planned.Says : ((RequestChoice.Wait)choice).Says)}");
            return ExitCode.Success;
        }

        node.Log.Info(choice is RequestChoice.Ask asked ? asked.Says : ((RequestChoice.Wait)choice).Says);
        if (choice is RequestChoice.Ask ask)
        {
            if (!isOverride)
                await CheckpointAsync(look, ask.Of[0], cancel);
            if (!await AgentCommands.AskAsync(node.Context, look, agents, ask, cancel))
                return ExitCode.PromotionFailed;
        }

        return await AwaitAsync(look, agents, cancel);
    }

    /// <summary>What cannot be undone is confirmed by the name of the cluster that it is done to.</summary>
    private Problem? Misnamed(string name) => node.Settings.Cluster is not { Length: > 0 } cluster
        ? new Problem("this cluster has no name by which --without-majority could be confirmed", null, "Write cluster = 'NAME' into repmgr.conf, and use that name.")
        : name == cluster
            ? null
            : new Problem($"--without-majority={name} does not name this cluster", $"It is called \"{cluster}\" in repmgr.conf.", "Make sure that you are on the right host.");

    private async Task<ExitCode> AwaitAsync(AgentsLook look, AgentsView before, CancellationToken cancel)
    {
        TimeSpan within = node.Settings.PromoteCheckTimeout;
        (AgentsView agents, bool isSo) = await AgentCommands.AwaitAsync(look, view => view.Holder is { IsServing: true } serving && serving.Term > before.Term, within, cancel);
        if (isSo && agents.Holder!.Node == node.Id)
        {
            string details = $"{agents.Label(node.Id)} is the primary, in term {agents.Term}; the others follow it by themselves";
            await node.Tools.Events.RecordAsync(node.On, new ClusterEvent(node.Id, EventName.StandbyPromote, Successful: true, details), cancel);
            node.Log.Notice(details);
            return ExitCode.Success;
        }

        return node.Context.Refuse(
            isSo
                ? new Problem($"{agents.Label(agents.Holder!.Node)} was elected instead", "It was the better candidate.", "\"repmgr cluster explain\" says what was decided on.")
                : new Problem($"no node has become the primary within {within.TotalSeconds:0.#} s", $"At this moment, {agents.Now()}.", "\"repmgr cluster explain\" says what the agents wait for."),
            ExitCode.PromotionFailed);
    }

    /// <summary>What it has written before the request, the server need not write while nobody is primary.</summary>
    private async Task CheckpointAsync(AgentsLook look, NodeId primary, CancellationToken cancel)
    {
        if (await look.CheckpointAsync(primary, cancel) is { } refusal)
            node.Log.Info("no checkpoint was made before: the primary takes longer to stop", refusal);
    }
}
