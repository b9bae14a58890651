using Repmgr.Core.Planning;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Execution;

/// <summary>Does a plan: one step at a time, stops at the first failure that the goal hangs on.</summary>
/// <param name="runner">Knows how each step is done.</param>
/// <param name="log">Hears of each step before and after it is done.</param>
public sealed class PlanExecutor(IStepRunner runner, IExecutionLog log)
{
    /// <summary>Runs the steps in order. In the aftermath a failure does not end it; the first one is what is reported.</summary>
    public async Task<PlanOutcome> RunAsync(Plan plan, CancellationToken cancel)
    {
        PlanOutcome.Failed? incomplete = null;
        for (int index = 0; index < plan.Steps.Count; index++)
        {
            Step step = plan.Steps[index];
            log.Starting(step);
            StepOutcome outcome = await runner.RunAsync(step, cancel).ConfigureAwait(false);
            log.Finished(step, outcome);
            if (outcome is not StepOutcome.Failed failed)
                continue;

            bool inAftermath = index >= plan.AftermathFrom;
            var ended = new PlanOutcome.Failed(step, failed.Problem, failed.ExitCode, inAftermath);
            if (inAftermath)
            {
                incomplete ??= ended;
                continue;
            }

            if (plan.WayBack is { } back)
                await GoBackAsync(back, cancel).ConfigureAwait(false);
            return ended;
        }

        return incomplete ?? (PlanOutcome)new PlanOutcome.Done();
    }

    // Every step of it is tried: one that fails leaves the others no less wanted, and the first failure is what is reported.
    private async Task GoBackAsync(IReadOnlyList<Step> steps, CancellationToken cancel)
    {
        foreach (Step step in steps)
        {
            log.Starting(step);
            log.Finished(step, await runner.RunAsync(step, cancel).ConfigureAwait(false));
        }
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

    /// <summary>All is done, or all but something of the aftermath.</summary>
    public bool ReachedGoal => this is Done or Failed { InAftermath: true };

    /// <summary>Why it failed, in few words; null when it did not.</summary>
    public string? Failure => (this as Failed)?.Problem.Message;

    public sealed record Done : PlanOutcome;

    /// <param name="Step">The step that failed.</param>
    /// <param name="Problem">Why.</param>
    /// <param name="ExitCode">What the command exits with.</param>
    /// <param name="InAftermath">The goal itself was reached; what failed came after it.</param>
    public sealed record Failed(Step Step, Problem Problem, ExitCode ExitCode, bool InAftermath) : PlanOutcome;
}
