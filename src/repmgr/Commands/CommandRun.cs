using System.Runtime.InteropServices;
using Repmgr.Cli.Output;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Problems;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Commands;

/// <summary>Runs one command from its start to its exit code.</summary>
internal static class CommandRun
{
    /// <summary>The code behind each command of the table; null for one that this build does not have.</summary>
    public static ICommand? Find(CommandName name) => name switch
    {
        _ => null,
    };

    public static async Task<ExitCode> RunAsync(CommandDefinition definition, CommandOptions options, IReadOnlyList<string> arguments)
    {
        var log = new TerminalLog(Console.Error, options);
        foreach (Problem notice in options.Notices)
            log.Write(Severity.Notice, notice);
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
            return await command.RunAsync(new CommandContext(definition, options, log, new ResultOutput(Console.Out, options)), stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            log.Error("interrupted", hint: "Run the command again: what is done already is found done.");
            return ExitCode.SystemFailure;
        }
    }

    // The first signal lets the command clean up; a second one ends it at once.
    private static void Stop(PosixSignalContext signal, CancellationTokenSource stop)
    {
        signal.Cancel = !stop.IsCancellationRequested;
        stop.Cancel();
    }
}
