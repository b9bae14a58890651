using Repmgr.Cli.Output;
using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Observation;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr cluster matrix</c> and <c>repmgr cluster crosscheck</c></summary>
/// <param name="crosschecks">Hear what every node hears from all others, not only what it finds itself.</param>
internal sealed class ClusterMatrixCommand(bool crosschecks) : NodeCommand
{
    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        ClusterFound found = await new ClusterFinder(node.Tools, node.Context).FindAsync(node.Loaded, MetadataUse.Show, cancel);
        if (found is not ClusterFound.Seen { View: var cluster })
            return node.Context.Refuse((ClusterFound.Nowhere)found);

        (AgentsLook? agents, _) = node.Settings.Failover == FailoverMode.Automatic ? await AgentsLook.BeginAsync(node.Settings, node.Tools.Connector, cancel) : (null, null);
        using (agents)
        {
            var remote = new RemoteReach(node.Settings, node.Options.RemoteUser);
            ReachRow here = new(node.Id, [.. cluster.Nodes.Select(other => new ReachedNode(other.Record.Id, other.Probe.Obstacle))]);
            Heard[] heard = await Task.WhenAll(cluster.Nodes.Where(other => other.Record.Id != node.Id).Select(other => AskAsync(other.Record, agents, remote, cancel)));
            ReachMatrix matrix = new([.. cluster.Nodes.Select(other => other.Record)], [here, .. heard.SelectMany(one => one.Rows)]);
            return Say(node.Context, matrix, [.. matrix.Failures, .. heard.Select(one => one.Failure).OfType<string>()]);
        }
    }

    private async Task<Heard> AskAsync(NodeRecord node, AgentsLook? agents, RemoteReach remote, CancellationToken cancel)
    {
        string why = "";
        if (agents is not null)
        {
            (IReadOnlyList<ReachRow> rows, string? silence) = crosschecks ? await agents.ReachOfAllAsync(node.Id, cancel) : Listed(await agents.ReachAsync(node.Id, cancel));
            if (silence is null)
                return new Heard(rows, null);
            why = $"its agent does not say ({silence}), ";
        }

        if (node.Type == NodeType.Witness)
            return new Heard([], $"{node.Label} could not be asked: {why}and a witness is not asked over ssh");
        (IReadOnlyList<ReachRow> found, string? failure) = crosschecks ? await remote.RowsAsync(node, cancel) : Listed(await remote.RowAsync(node, cancel));
        return new Heard(found, failure is null ? null : $"{node.Label} could not be asked: {(why.Length > 0 ? $"{why}and " : "")}{failure}");
    }

    private static (IReadOnlyList<ReachRow>, string?) Listed((ReachRow? Row, string? Failure) answer) => (answer.Row is { } row ? [row] : [], answer.Failure);

    private static ExitCode Say(CommandContext context, ReachMatrix matrix, IReadOnlyList<string> issues)
    {
        if (context.Options.Json)
            context.Output.Json(ClusterMatrixJson.Of(matrix, issues), ClusterMatrixJsonContext.Default.ClusterMatrixJson);
        else if (context.Options.Csv)
            foreach (string line in matrix.Csv)
                context.Output.Line(line);
        else
            Show(context, matrix, issues);
        return matrix.HasFailures ? ExitCode.NodeStatus : matrix.HasGaps ? ExitCode.BadSsh : ExitCode.Success;
    }

    private static void Show(CommandContext context, ReachMatrix matrix, IReadOnlyList<string> issues)
    {
        context.Output.Table(ClusterMatrixText.Table(matrix));
        if (issues.Count == 0 || context.Options.Terse)
            return;
        context.Output.Line("");
        context.Log.Warning($"following issues were detected\n{string.Join('\n', issues.Select(issue => $"  - {issue}"))}");
    }

    /// <param name="Rows">What a node says.</param>
    /// <param name="Failure">Why it says nothing; null: it does.</param>
    private sealed record Heard(IReadOnlyList<ReachRow> Rows, string? Failure);
}

/// <summary>The table of <c>cluster matrix</c>: a node's row says whom it can connect to.</summary>
internal static class ClusterMatrixText
{
    public static TextTable Table(ReachMatrix matrix)
    {
        TextTable table = new(["Name", "ID", .. matrix.Nodes.Select(node => node.Id.ToString())]);
        foreach (NodeRecord from in matrix.Nodes)
            table.Add([from.Name, from.Id.ToString(), .. matrix.Nodes.Select(to => Mark(matrix.Of(from.Id, to.Id)))]);
        return table;
    }

    public static string Mark(Reach reach) => reach switch { Reach.Reached => "*", Reach.Failed => "x", _ => "?" };
}
