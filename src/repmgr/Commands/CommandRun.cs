using System.Runtime.InteropServices;
using Repmgr.Cli.Output;
using Repmgr.Core.Cluster;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Problems;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Processes;

namespace Repmgr.Cli.Commands;

/// <summary>Runs one command from its start to its exit code.</summary>
internal sealed class CommandRun(CommandDefinition definition, CommandOptions options, TerminalLog log, ResultOutput output, CommandJournal journal)
{
    /// <summary>The code behind each command; null for one that is not in this version.</summary>
    public static ICommand? Find(CommandName name) => name switch
    {
        CommandName.DumpConfig => new DumpConfigCommand(),
        CommandName.StandbyClone => new StandbyCloneCommand(),
        CommandName.PrimaryRegister => new PrimaryRegisterCommand(),
        CommandName.PrimaryUnregister => new UnregisterCommand(NodeType.Primary),
        CommandName.StandbyRegister => new StandbyRegisterCommand(),
        CommandName.StandbyUnregister => new UnregisterCommand(NodeType.Standby),
        CommandName.WitnessRegister => new WitnessRegisterCommand(),
        CommandName.WitnessUnregister => new UnregisterCommand(NodeType.Witness),
        CommandName.ClusterShow => new ClusterShowCommand(),
        CommandName.ClusterMatrix => new ClusterMatrixCommand(crosschecks: false),
        CommandName.ClusterCrosscheck => new ClusterMatrixCommand(crosschecks: true),
        CommandName.ClusterEvent => new ClusterEventCommand(),
        CommandName.ClusterCleanup => new ClusterCleanupCommand(),
        CommandName.ClusterExplain => new ClusterExplainCommand(),
        CommandName.ServiceStatus => new ServiceStatusCommand(),
        CommandName.ServicePause => new ServicePauseCommand(pauses: true),
        CommandName.ServiceUnpause => new ServicePauseCommand(pauses: false),
        CommandName.ServiceSet => new ServiceSetCommand(),
        CommandName.DaemonStart => new DaemonServiceCommand(starts: true),
        CommandName.DaemonStop => new DaemonServiceCommand(starts: false),
        CommandName.NodeStatus => new NodeStatusCommand(),
        CommandName.NodeCheck => new NodeCheckCommand(),
        CommandName.NodeService => new NodeServiceCommand(),
        CommandName.NodeControl => new NodeControlCommand(),
        CommandName.NodeVerify => new NodeVerifyCommand(),
        CommandName.NodeRejoin => new NodeRejoinCommand(),
        CommandName.StandbyPromote => new StandbyPromoteCommand(),
        CommandName.StandbyFollow => new StandbyFollowCommand(),
        CommandName.StandbySwitchover => new StandbySwitchoverCommand(),
        _ => null,
    };

    public async Task<ExitCode> RunAsync(bool isRoot)
    {
        foreach (Problem notice in options.Notices)
            log.Write(Severity.Notice, notice);
        if (Obstacle(isRoot) is { } obstacle)
        {
            log.Write(Severity.Error, obstacle);
            return ExitCode.BadConfig;
        }

        if (Find(definition.Name) is not { } command)
        {
            log.Error($"command \"{definition.Words}\" is not in this version of repmgr");
            return ExitCode.BadConfig;
        }

        using var stop = new CancellationTokenSource();
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stop));
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stop));
        try
        {
            return await command.RunAsync(new CommandContext(definition, options, log, output, journal), stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            log.Error("interrupted", hint: "Run the command again: what is done already is found done.");
            return ExitCode.SystemFailure;
        }
    }

    private Problem? Obstacle(bool isRoot)
    {
        if (!definition.Changes)
            return null;
        if (isRoot)
        {
            return new Problem(
                $"\"repmgr {definition.Words}\" must not run as root",
                "PostgreSQL's files belong to the user that runs the server, and what root writes there it cannot read.",
                "Run it as that user, for instance: sudo -u postgres repmgr ...");
        }

        return CallGuard.Enter(definition.Words);
    }

    // The first signal lets the command clean up; a second one ends it at once.
    private static void Stop(PosixSignalContext signal, CancellationTokenSource stop)
    {
        signal.Cancel = !stop.IsCancellationRequested;
        stop.Cancel();
    }
}
