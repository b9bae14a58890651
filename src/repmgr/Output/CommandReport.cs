using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;

namespace Repmgr.Cli.Output;

/// <summary>What <c>--json</c> prints of a command that has no result of its own, and of one that failed before it had one.</summary>
/// <param name="Command">Its words; null when the command line named none.</param>
/// <param name="Success">Whether the exit code is 0.</param>
/// <param name="ExitCode">The program's exit code.</param>
/// <param name="DryRun">Nothing was changed, because nothing was to be.</param>
/// <param name="Steps">What was done, or with a dry run: what would be.</param>
/// <param name="Messages">What was said on standard error, in order.</param>
internal sealed record CommandReport(
    string? Command, bool Success, int ExitCode, bool DryRun, IReadOnlyList<ReportedStep> Steps, IReadOnlyList<ReportedMessage> Messages);

/// <param name="Step">What it is to do.</param>
/// <param name="Outcome"><c>planned</c>, <c>done</c>, <c>already_done</c> or <c>failed</c>.</param>
/// <param name="Note">What there is to say of it; null when nothing.</param>
internal sealed record ReportedStep(string Step, string Outcome, string? Note);

internal sealed record ReportedMessage(string Level, string Message, string? Detail, string? Hint);

/// <summary>Keeps what happens for the report.</summary>
internal sealed class CommandJournal
{
    private readonly List<ReportedStep> _steps = [];
    private readonly List<ReportedMessage> _messages = [];

    /// <summary>What was copied; null when nothing was.</summary>
    public CloneResult? Copied { get; private set; }

    public void Said(LogLine line) => _messages.Add(new ReportedMessage(line.Severity.Name(), line.Message, line.Detail, line.Hint));

    public void Planned(Step step) => _steps.Add(new ReportedStep(step.Describe(), "planned", null));

    public void Finished(Step step, StepOutcome outcome)
    {
        Copied = (outcome as StepOutcome.Done)?.Copied ?? Copied;
        _steps.Add(outcome switch
        {
            StepOutcome.Done done => new ReportedStep(step.Describe(), "done", done.Note),
            StepOutcome.AlreadyDone already => new ReportedStep(step.Describe(), "already_done", already.Note),
            StepOutcome.Failed failed => new ReportedStep(step.Describe(), "failed", failed.Problem.Message),
            _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "an outcome of no known kind"),
        });
    }

    public CommandReport Close(string? command, ExitCode exitCode, bool dryRun) =>
        new(command, exitCode == ExitCode.Success, (int)exitCode, dryRun, [.. _steps], [.. _messages]);
}
