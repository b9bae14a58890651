using Repmgr.Core.Planning;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Execution;

/// <summary>Does a plan: one step at a time, stops at the first failure.</summary>
/// <param name="runner">Knows how each step is done.</param>
/// <param name="log">Hears of each step before and after it is done.</param>
public sealed class PlanExecutor(IStepRunner runner, IExecutionLog log)
{
    /// <summary>Runs the steps in order.</summary>
    public async Task<PlanOutcome> RunAsync(Plan plan, CancellationToken cancel)
    {
        for (int index = 0; index < plan.Steps.Count; index++)
        {
            Step step = plan.Steps[index];
            log.Starting(step);
            StepOutcome outcome = await runner.RunAsync(step, cancel).ConfigureAwait(false);
            log.Finished(step, outcome);
            if (outcome is StepOutcome.Failed failed)
                return new PlanOutcome.Failed(step, failed.Problem, failed.ExitCode, InAftermath: index >= plan.AftermathFrom);
        }

        return new PlanOutcome.Done();
    }
}

/// <summary>Knows how each step is done. The engine has one; the simulator has another.</summary>
public interface IStepRunner
{
    /// <summary>Does one step, or finds it done, within the step's own deadline.</summary>
    Task<StepOutcome> RunAsync(Step step, CancellationToken cancel);
}

/// <summary>Hears what the executor does.</summary>
public interface IExecutionLog
{
    void Starting(Step step);

    void Finished(Step step, StepOutcome outcome);
}

/// <summary>How a plan ended.</summary>
public abstract record PlanOutcome
{
    private PlanOutcome() { }

    public sealed record Done : PlanOutcome;

    /// <param name="Step">The step that failed.</param>
    /// <param name="Problem">Why.</param>
    /// <param name="ExitCode">What the command exits with.</param>
    /// <param name="InAftermath">The goal itself was reached; what failed came after it.</param>
    public sealed record Failed(Step Step, Problem Problem, ExitCode ExitCode, bool InAftermath) : PlanOutcome;
}
