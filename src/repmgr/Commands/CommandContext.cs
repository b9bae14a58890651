using System.Diagnostics.CodeAnalysis;
using Repmgr.Cli.Output;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Cloning;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Files;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Commands;

/// <summary>What a command has at hand.</summary>
internal sealed class CommandContext(CommandDefinition command, CommandOptions options, TerminalLog log, ResultOutput output, CommandJournal journal)
{
    private SettingsLoad? _load;

    public CommandDefinition Command { get; } = command;

    public CommandOptions Options { get; } = options;

    /// <summary>Messages, to standard error.</summary>
    public ILog Log => log;

    /// <summary>Where a long step says how far it is.</summary>
    public IProgress<CopyProgress> Progress => log.ShowProgress();

    /// <summary>Results, to standard output.</summary>
    public ResultOutput Output { get; } = output;

    /// <summary>
    /// Reads the configuration file, once. Says what is wrong with it and answers false when it cannot be used; where no file
    /// is named and none is there, the settings are the defaults. <c>--pg-bindir</c> is put over pg_bindir.
    /// </summary>
    public bool TryReadSettings([NotNullWhen(true)] out SettingsLoad.Loaded? loaded)
    {
        _load ??= ReadSettings();
        loaded = _load as SettingsLoad.Loaded;
        return loaded is not null;
    }

    /// <summary>Says every problem and answers with the exit code, for <c>return context.Refuse(problems)</c>.</summary>
    public ExitCode Refuse(IEnumerable<Problem> problems, ExitCode exitCode = ExitCode.BadConfig)
    {
        foreach (Problem problem in problems)
            Log.Write(Severity.Error, problem);
        return exitCode;
    }

    /// <inheritdoc cref="Refuse(IEnumerable{Problem}, ExitCode)"/>
    public ExitCode Refuse(Problem problem, ExitCode exitCode = ExitCode.BadConfig) => Refuse([problem], exitCode);

    /// <inheritdoc cref="Refuse(IEnumerable{Problem}, ExitCode)"/>
    public ExitCode Refuse(ClusterFound.Nowhere nowhere) => Refuse([nowhere.Problem], nowhere.ExitCode);

    /// <summary>
    /// Carries a planner's answer to its end: says why not, or shows the steps (<c>--dry-run</c>), or does them. The one place
    /// where a dry run and a real one part.
    /// </summary>
    public async Task<CarriedOut> CarryOutAsync(Planned planned, IStepRunner runner, CancellationToken cancel)
    {
        if (planned is Planned.Refused refused)
            return new CarriedOut(Refuse(refused.Problems, refused.ExitCode), null);

        var ready = (Planned.Ready)planned;
        foreach (Problem notice in ready.Notices)
            Log.Write(Severity.Notice, notice);
        if (Options.DryRun)
        {
            Output.Plan(ready.Plan);
            return new CarriedOut(ExitCode.Success, null);
        }

        PlanOutcome outcome = await new PlanExecutor(runner, new StepLog(Log, journal)).RunAsync(ready.Plan, cancel).ConfigureAwait(false);
        log.EndProgress();
        return new CarriedOut(outcome is PlanOutcome.Failed failed ? failed.ExitCode : ExitCode.Success, outcome);
    }

    private SettingsLoad ReadSettings()
    {
        switch (SettingsLoader.Load(Options.ConfigFile))
        {
            case SettingsLoad.Refused refused:
                Say(refused.Notices);
                Refuse(refused.Problems);
                return refused;
            case SettingsLoad.Loaded loaded:
                log.Use(loaded.Settings);
                Say(loaded.Notices);
                if (Options.Verbose)
                    Log.Info(loaded.Path is { } path ? $"using configuration file \"{path}\"" : "no configuration file was found: all settings are the defaults");
                return Options.PgBindir is { } directory ? loaded with { Settings = loaded.Settings with { PgBindir = directory } } : loaded;
            default:
                throw new InvalidOperationException("a configuration of no known kind");
        }
    }

    private void Say(IEnumerable<LogLine> lines)
    {
        foreach (LogLine line in lines)
            Log.Write(line);
    }
}

/// <summary>What came of a planner's answer.</summary>
/// <param name="ExitCode">What the command exits with, if nothing else matters.</param>
/// <param name="Outcome">How the plan ended; null: nothing was done, because it was refused or only shown.</param>
internal sealed record CarriedOut(ExitCode ExitCode, PlanOutcome? Outcome);
