using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Output;

/// <summary>Says what the executor does, one message before each step and one for how it ended.</summary>
internal sealed class StepLog(ILog log, CommandJournal journal) : IExecutionLog
{
    public void Starting(Step step) => log.Info(step.Describe());

    public void Finished(Step step, StepOutcome outcome)
    {
        journal.Finished(step, outcome);
        switch (outcome)
        {
            case StepOutcome.Done { Note: { } note }:
                log.Info(note);
                break;
            case StepOutcome.AlreadyDone already:
                log.Info(already.Note ?? "nothing to do: that is so already");
                break;
            case StepOutcome.Failed failed:
                log.Write(Severity.Error, failed.Problem);
                break;
        }
    }
}
