using System.Globalization;
using Repmgr.Cli.Output;
using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Daemon;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr service status</c></summary>
internal sealed class ServiceStatusCommand : NodeCommand
{
    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        ClusterFound found = await new ClusterFinder(node.Tools, node.Context).FindAsync(node.Loaded, MetadataUse.Show, cancel);
        ClusterReport? report = found is ClusterFound.Seen { View: var view } ? ClusterReport.Of(view) : null;
        bool isAutomatic = node.Settings.Failover == FailoverMode.Automatic;
        AgentsView? agents = null;
        if (isAutomatic)
        {
            (AgentsLook? look, Problem? problem) = await AgentsLook.BeginAsync(node.Settings, node.Tools.Connector, cancel);
            using (look)
                agents = look is null ? null : await look.LookAsync(cancel);
            if (look is null && report is not null)
                node.Log.Warning(problem!.Message, problem.Detail, problem.Hint);
        }

        if (report is null && agents is null)
            return node.Context.Refuse((ClusterFound.Nowhere)found);
        ServiceRow[] rows = report is not null
            ? await Task.WhenAll(report.Nodes.Select(seen => OfAsync(node, seen, agents, cancel)))
            : [.. agents!.Answers.Select(answer => ServiceRow.Of(answer, agents))];
        if (report is null)
            node.Log.Warning("neither the local server nor its upstream can be asked; what follows is what the agents say", ((ClusterFound.Nowhere)found).Problem.Detail);
        ServiceStatusText.Print(node.Context.Output, rows, agents, node.Options);
        return ExitCode.Success;
    }

    private static async Task<ServiceRow> OfAsync(LocalNode node, NodeReport seen, AgentsView? agents, CancellationToken cancel)
    {
        if (agents?.Answers.FirstOrDefault(answer => answer.Node == seen.Record.Id) is { Report: not null } answer)
            return ServiceRow.Of(seen, answer);
        int? pid = await DaemonPresence.PidAsync(node.Tools.Connector, seen.Record, node.On, cancel);
        // An agent that does not answer and has no connection is not there.
        return ServiceRow.Of(seen, pid);
    }
}

/// <summary>A node and its repmgrd.</summary>
/// <param name="IsRunning">Its server.</param>
/// <param name="HasDaemon">Null: not known.</param>
/// <param name="Paused">Null: nothing there is to be paused.</param>
/// <param name="SeenAgo">When it last heard from the primary.</param>
internal sealed record ServiceRow(
    NodeId Id, string Name, string Role, string Status, string Upstream, string Location, int Priority, bool IsRunning, bool? HasDaemon, int? Pid, bool? Paused, TimeSpan? SeenAgo)
{
    public static ServiceRow Of(NodeReport seen, AgentAnswer answer)
    {
        AgentReport agent = answer.Report!;
        return Bare(seen) with { HasDaemon = true, Pid = agent.Pid, Paused = agent.Pause is not null, SeenAgo = agent.HolderHeardAgo };
    }

    public static ServiceRow Of(NodeReport seen, int? pid) => Bare(seen) with { HasDaemon = pid is null ? null : pid > 0, Pid = pid > 0 ? pid : null };

    /// <summary>Where no server can be asked.</summary>
    public static ServiceRow Of(AgentAnswer answer, AgentsView agents) => answer.Report is { } agent
        ? new ServiceRow(
            answer.Node, answer.Name, agent.IsServing ? "primary" : agent.Candidacy is null && agent.Ineligible == "it is a witness" ? "witness" : "standby",
            agent switch { { IsServing: true } => "* running", { Server: "writable" or "recovering" } => "  running", _ => "- failed" },
            agents.Answers.FirstOrDefault(other => other.Node == agent.Upstream)?.Name ?? "", "", agent.Candidacy?.Priority ?? 0,
            agent.Server is "writable" or "recovering", true, agent.Pid, agent.Pause is not null, agent.HolderHeardAgo)
        : new ServiceRow(answer.Node, answer.Name, "", "? unreachable", "", "", 0, false, null, null, null, null);

    private static ServiceRow Bare(NodeReport seen) => new(
        seen.Record.Id, seen.Record.Name, seen.Record.Type.Name(), seen.Status, seen.Upstream, seen.Record.Location, seen.Record.Priority, seen.Probe.Running is not null,
        null, null, null, null);
}

/// <summary>The forms of <c>service status</c>.</summary>
internal static class ServiceStatusText
{
    public static void Print(ResultOutput output, IReadOnlyList<ServiceRow> rows, AgentsView? agents, Core.CommandLine.CommandOptions options)
    {
        if (options.Json)
        {
            output.Json(new ServiceStatusJson([.. rows.Select(ServiceNodeJson.Of)], agents is null ? null : FailoverJson.Of(agents)), FailoverJsonContext.Default.ServiceStatusJson);
            return;
        }

        if (options.Csv)
        {
            foreach (ServiceRow row in rows)
                output.Csv(Cells(row));
            return;
        }

        output.Table(Table(rows, options.Detail, options.Compact));
        output.Line("");
        foreach (string line in agents is null ? ["failover: manual; repmgrd only watches"] : AgentsText.Summary(agents))
            output.Line(line);
    }

    private static TextTable Table(IReadOnlyList<ServiceRow> rows, bool detail, bool compact)
    {
        string[] place = detail ? ["Location", "Priority"] : [], upstream = compact ? [] : ["Upstream"];
        TextTable table = new(["ID", "Name", "Role", "Status", .. upstream, .. place, "repmgrd", "PID", "Paused?", "Upstream last seen"]);
        foreach (ServiceRow row in rows)
        {
            string[] where = detail ? [row.Location, Number(row.Priority)] : [], from = compact ? [] : [row.Upstream];
            table.Add([
                row.Id.ToString(), row.Name, row.Role, row.Status, .. from, .. where,
                row.HasDaemon switch { true => "running", false => "not running", null => "n/a" },
                row.Pid is { } pid ? Number(pid) : "n/a",
                row.Paused switch { true => "yes", false => "no", null => "n/a" },
                row.SeenAgo is { } ago ? string.Create(CultureInfo.InvariantCulture, $"{(long)ago.TotalSeconds} second(s) ago") : "n/a"]);
        }

        return table;
    }

    private static string[] Cells(ServiceRow row) =>
    [
        row.Id.ToString(), row.Name, row.Role, row.IsRunning ? "1" : "0", row.HasDaemon switch { true => "1", false => "0", null => "-1" }, Number(row.Pid ?? -1),
        row.Paused switch { true => "1", false => "0", null => "-1" }, Number(row.Priority), Number(row.SeenAgo is { } ago ? (long)ago.TotalSeconds : -1), row.Location,
    ];

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}

/// <summary><c>service status --json</c>. <c>Failover</c> is null where it is manual.</summary>
internal sealed record ServiceStatusJson(IReadOnlyList<ServiceNodeJson> Nodes, FailoverJson? Failover);

internal sealed record ServiceNodeJson(
    int Id, string Name, string Role, string Status, string Upstream, string Location, int Priority, bool PgRunning, bool? RepmgrdRunning, int? Pid, bool? Paused,
    double? UpstreamLastSeenSecondsAgo)
{
    public static ServiceNodeJson Of(ServiceRow row) => new(
        row.Id.Value, row.Name, row.Role, row.Status.Trim(), row.Upstream, row.Location, row.Priority, row.IsRunning, row.HasDaemon, row.Pid, row.Paused, row.SeenAgo?.TotalSeconds);
}
