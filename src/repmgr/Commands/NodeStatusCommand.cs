using Repmgr.Core.Checks.Nodes;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Observation;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr node status</c></summary>
internal sealed class NodeStatusCommand : NodeCommand
{
    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        if (node.Options.IsShutdownCleanly)
            return await SayShutdownAsync(node, cancel);

        NodeHealth health = await LocalHealth.LookAsync(node, HealthWish.Others | HealthWish.Size, cancel);
        if (health is not NodeHealth.Seen { View: var view })
        {
            (Problem problem, ExitCode exitCode) = LocalHealth.Why(node, health);
            return node.Context.Refuse(problem, exitCode);
        }

        NodeStatusReport report = NodeStatusReport.Of(view, CheckLimits.Of(node.Settings));
        Print(node, report);
        return report.Issues.Count > 0 ? ExitCode.NodeStatus : ExitCode.Success;
    }

    private static void Print(LocalNode node, NodeStatusReport report)
    {
        if (node.Options.Json)
        {
            node.Context.Output.Json(NodeStatusJson.Of(report), NodeStatusJsonContext.Default.NodeStatusJson);
            return;
        }

        foreach (string line in node.Options.Csv ? NodeStatusText.Csv(report) : NodeStatusText.Lines(report, node.Options.Verbose))
            node.Context.Output.Line(line);
        if (report.Issues.Count == 0 || node.Options.Csv || node.Options.Terse)
            return;

        node.Context.Output.Line("");
        node.Log.Warning($"following issues were detected\n{string.Join('\n', report.Issues.Select(issue => $"  - {issue}"))}");
    }

    /// <summary>For a program on another host, which asks over ssh: the answer is one line, and the exit code 0.</summary>
    private static async Task<ExitCode> SayShutdownAsync(LocalNode node, CancellationToken cancel)
    {
        LocalHostLook host = await LocalHost.LookAsync(node.Settings, null, cancel);
        foreach (Problem unclear in host.Unclear)
            node.Log.Write(Severity.Warning, unclear);
        ShutdownState state = host.DataDirectory is Detected<string>.Found { Value: var directory } ? await StateAsync(node, host, directory, cancel) : ShutdownState.Unknown;
        node.Context.Output.Line(state.Line);
        if (node.Options.Json)
            node.Context.Output.Json(new ShutdownJson(state.Word, state.LastCheckpoint?.ToString()), NodeStatusJsonContext.Default.ShutdownJson);
        return ExitCode.Success;
    }

    private static async Task<ShutdownState> StateAsync(LocalNode node, LocalHostLook host, string directory, CancellationToken cancel)
    {
        try
        {
            if (LocalServer.Look(directory) is LocalServerState.Running running)
                return ShutdownState.Of(running.File.Status, null);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            node.Log.Warning($"\"{directory}\" cannot be looked into", unreadable.Message, "Run the command as the user that the server runs as.");
            return ShutdownState.Unknown;
        }

        if (host.Bindir is not Detected<string>.Found bindir)
            return ShutdownState.Unknown;
        (ControlData? control, Problem? problem) = await ControlFile.ReadAsync(new PostgresBinaries(bindir.Value), directory, cancel);
        if (problem is not null)
            node.Log.Write(Severity.Warning, problem);
        return ShutdownState.Of(null, control);
    }
}
