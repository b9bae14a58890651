using System.Globalization;
using System.Text.Json;
using Repmgr.Cli.Output;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Problems;
using Repmgr.Engine.Failover;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr cluster explain</c></summary>
internal sealed class ClusterExplainCommand : NodeCommand
{
    private const int NewestOfEach = 5;

    protected override Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel) =>
        AgentCommands.RunAsync(node, ExitCode.DbConnection, look => RunAsync(node, look, cancel), cancel);

    private static async Task<ExitCode> RunAsync(LocalNode node, AgentsLook look, CancellationToken cancel)
    {
        AgentsView agents = await look.LookAsync(cancel);
        NodeId[] lost = [.. agents.Answers.Select(answer => answer.Node)
            .Where(id => node.Options.NodeId is { } one ? id.Value == one : agents.Membership?.Voters.Any(voter => voter.Id.Node == id) ?? true)];
        if (lost.Length == 0)
            return node.Context.Refuse(new Problem($"there is no node {node.Options.NodeId}", Hint: "\"repmgr cluster show\" lists the nodes."));
        if (!agents.Reports.Any())
            return node.Context.Refuse([.. agents.Answers.Select(answer => new Problem($"the agent of {answer.Label} does not answer", $"The reason: {answer.Silence}."))], ExitCode.DbConnection);
        WhatIf[] ifLost = [.. lost.Select(id => WhatIf.Lost(agents, id))];
        if (node.Options.Json)
            node.Context.Output.Json(Json(agents, ifLost, node.Options.All), FailoverJsonContext.Default.ExplainJson);
        else
            Print(node.Context.Output, agents, ifLost, node.Options.All);
        return ExitCode.Success;
    }

    private static void Print(ResultOutput output, AgentsView agents, WhatIf[] ifLost, bool all)
    {
        foreach (string line in AgentsText.Summary(agents))
            output.Line(line);
        output.Line("");
        output.Line("What the agents decided last:");
        if (!Decisions(agents, all).Any())
            output.Line("  nothing yet");
        foreach ((AgentReport report, DecisionReport decision) in Decisions(agents, all))
        {
            string times = decision.Times > 1 ? string.Create(CultureInfo.InvariantCulture, $" ({decision.Times} times)") : "";
            string evidence = decision.Evidence.Length > 0 ? $": {decision.Evidence}" : "";
            output.Line($"  {Duration.Of(decision.Ago),7} ago  {agents.Label(report.Node)}  {decision.Rule} {decision.Name}{evidence}{times}");
        }

        output.Line("");
        output.Line($"What holds an election back now: {agents.Now()}.");
        output.Line("");
        output.Line("If a node were lost now:");
        foreach (WhatIf what in ifLost)
            output.Line($"  {agents.Label(what.Node)}: {(what.Gate is { } gate ? $"{gate}. " : "")}{what.Says}");
        if (agents.Lacks() is not [_, ..] lacks)
            return;
        output.Line("");
        output.Line("What protection is missing:");
        foreach (string lack in lacks)
            output.Line($"  - {lack}");
    }

    private static ExplainJson Json(AgentsView agents, WhatIf[] ifLost, bool all) => new(
        FailoverJson.Of(agents),
        [.. Decisions(agents, all).Select(item => new DecisionJson(item.Report.Node.Value, item.Decision.Ago.TotalSeconds, item.Decision.Rule, item.Decision.Name, item.Decision.Evidence, item.Decision.Times))],
        [.. ifLost.Select(what => new WhatIfJson(what.Node.Value, JsonNamingPolicy.SnakeCaseLower.ConvertName(what.Outcome.ToString()), what.Successor?.Value, what.Gate, what.Says))]);

    // Ages, not instants: the clocks of two hosts cannot be compared, but the answers came at one moment.
    private static IEnumerable<(AgentReport Report, DecisionReport Decision)> Decisions(AgentsView agents, bool all) => agents.Reports
        .SelectMany(report => report.Decisions.TakeLast(all ? int.MaxValue : NewestOfEach).Select(decision => (Report: report, Decision: decision)))
        .OrderByDescending(item => item.Decision.Ago);
}
