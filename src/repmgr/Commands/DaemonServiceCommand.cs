using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Daemon;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Processes;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr daemon start</c> and <c>repmgr daemon stop</c></summary>
internal sealed class DaemonServiceCommand(bool starts) : NodeCommand
{
    private static readonly TimeSpan Default = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan CommandWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    private string Done => starts ? "started" : "stopped";

    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        if (node.Loaded.Path is not { } configFile)
            return Refuse(node, new Problem("it is not known which configuration file repmgrd is to use", Hint: "Name it with -f/--config-file."));
        int? running = LocalDaemon.Find(configFile);
        string? command = starts ? node.Settings.RepmgrdServiceStartCommand : node.Settings.RepmgrdServiceStopCommand;
        if (Obstacle(configFile, running, command) is { } obstacle)
            return Refuse(node, obstacle);
        string what = command is null ? $"send SIGTERM to process {running}" : $"run \"{command}\"";
        if (node.Options.DryRun)
        {
            node.Context.Output.Line($"1. {what}");
            return ExitCode.Success;
        }

        if (!starts && node.Settings.Failover == FailoverMode.Automatic)
            await WarnAsync(node, cancel);
        node.Log.Info(what);
        string? failure = command is not null ? await RunAsync(command, cancel) : LocalDaemon.Terminate(running!.Value) ? null : $"This user may not send signals to process {running}.";
        if (failure is not null)
            return Refuse(node, new Problem($"repmgrd could not be {Done}", failure));
        return node.Options.NoWait ? ExitCode.Success : await AwaitAsync(node, configFile, cancel);
    }

    private Problem? Obstacle(string configFile, int? running, string? command) => (starts, running, command) switch
    {
        (true, { } pid, _) => new Problem($"repmgrd is running already, with PID {pid}"),
        (true, null, null) => new Problem(
            "repmgrd_service_start_command is not set",
            Hint: "Set it in repmgr.conf, for instance to \"sudo systemctl start repmgrd\", or start repmgrd as this machine starts its services."),
        (false, null, _) => new Problem("repmgrd is not running", $"No process was started with the configuration file \"{configFile}\"."),
        _ => null,
    };

    private async Task<ExitCode> AwaitAsync(LocalNode node, string configFile, CancellationToken cancel)
    {
        TimeSpan within = node.Options.WaitWithin ?? Default;
        long began = TimeProvider.System.GetTimestamp();
        while (LocalDaemon.Find(configFile) is not null != starts)
        {
            if (TimeProvider.System.GetElapsedTime(began) >= within)
            {
                return Refuse(node, starts
                    ? new Problem($"repmgrd does not run {within.TotalSeconds:0.#} s after it was started", Hint: "Its log says why. If it only takes long, wait longer with --wait.")
                    : new Problem($"repmgrd still runs {within.TotalSeconds:0.#} s after it was told to end", Hint: "Its log says what it is at. Wait longer with --wait."));
            }

            await Task.Delay(LookEvery, cancel);
        }

        node.Log.Notice(starts ? $"repmgrd runs, with PID {LocalDaemon.Find(configFile)}" : "repmgrd has ended");
        return ExitCode.Success;
    }

    private static async Task<string?> RunAsync(string command, CancellationToken cancel)
    {
        // What it starts inherits the descriptors: a pipe of ours would never end.
        ProgramResult result = await ExternalProgram.RunShellAsync(command, "/dev/null", null, CommandWithin, cancel);
        return result.Succeeded ? null : result.Explain(command);
    }

    /// <summary>What the end of the primary's agent brings about is to be known before it does.</summary>
    private static async Task WarnAsync(LocalNode node, CancellationToken cancel)
    {
        (AgentsLook? look, _) = await AgentsLook.BeginAsync(node.Settings, node.Tools.Connector, cancel);
        if (look is null)
            return;
        using (look)
        {
            AgentsView agents = await look.LookAsync(cancel);
            if (agents.Holder?.Node != node.Id)
                return;
            // What was agreed on counts, whatever this node's file says.
            string grace = Duration.Of(agents.Holder.RestartGrace);
            node.Log.Warning(
                "this node is the primary: its agent is to be started again before long",
                agents.Pause is { } pause
                    ? $"Failover is paused{Duration.Left(pause.Left)}: after that, or {grace} from now if that is later, its server is taken out of service."
                    : $"In {grace} (agent_restart_grace) its server is taken out of service, and another node becomes the primary.");
        }
    }

    private static ExitCode Refuse(LocalNode node, Problem problem) => node.Context.Refuse(problem, ExitCode.RepmgrdService);
}
