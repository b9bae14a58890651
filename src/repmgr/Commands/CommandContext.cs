using Repmgr.Cli.Output;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Commands;

/// <summary>What a command has at hand.</summary>
internal sealed class CommandContext(CommandDefinition command, CommandOptions options, TerminalLog log, ResultOutput output, CommandJournal journal)
{
    public CommandDefinition Command { get; } = command;

    public CommandOptions Options { get; } = options;

    /// <summary>Messages, to standard error.</summary>
    public ILog Log { get; } = log;

    /// <summary>Results, to standard output.</summary>
    public ResultOutput Output { get; } = output;

    /// <summary>Says every problem and answers with the exit code, for <c>return context.Refuse(problems)</c>.</summary>
    public ExitCode Refuse(IEnumerable<Problem> problems, ExitCode exitCode = ExitCode.BadConfig)
    {
        foreach (Problem problem in problems)
            Log.Write(Severity.Error, problem);
        return exitCode;
    }

    /// <inheritdoc cref="Refuse(IEnumerable{Problem}, ExitCode)"/>
    public ExitCode Refuse(Problem problem, ExitCode exitCode = ExitCode.BadConfig) => Refuse([problem], exitCode);

    /// <summary>
    /// Carries a planner's answer to its end: says why not, or shows the steps (<c>--dry-run</c>), or does them. The one place
    /// where a dry run and a real one part.
    /// </summary>
    public async Task<ExitCode> CarryOutAsync(Planned planned, IStepRunner runner, CancellationToken cancel)
    {
        if (planned is Planned.Refused refused)
            return Refuse(refused.Problems, refused.ExitCode);

        var ready = (Planned.Ready)planned;
        foreach (Problem notice in ready.Notices)
            Log.Write(Severity.Notice, notice);
        if (Options.DryRun)
        {
            Output.Plan(ready.Plan);
            return ExitCode.Success;
        }

        PlanOutcome outcome = await new PlanExecutor(runner, new StepLog(Log, journal)).RunAsync(ready.Plan, cancel).ConfigureAwait(false);
        return outcome is PlanOutcome.Failed failed ? failed.ExitCode : ExitCode.Success;
    }
}
