using Repmgr.Core.Failover;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Failover;

/// <summary>Does one step after the other, away from the loop. A fence comes before all others and ends them.</summary>
/// <param name="run">Does a step.</param>
/// <param name="finished">Hears of each that was not overtaken by a fence.</param>
internal sealed class StepQueue(Func<AgentStep, CancellationToken, Task<StepResult>> run, Action<AgentStep, StepResult> finished, ILog log) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Queue<AgentStep> _waiting = new();
    private CancellationTokenSource? _current;

    public void Order(AgentStep step)
    {
        lock (_lock)
        {
            if (step is AgentStep.Fence)
            {
                _waiting.Clear();
                _current?.Cancel();
                _current = null;
            }

            _waiting.Enqueue(step);
            Next();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _waiting.Clear();
            _current?.Cancel();
        }
    }

    private void Next()
    {
        if (_current is not null || !_waiting.TryDequeue(out AgentStep? step))
            return;
        var ends = new CancellationTokenSource();
        _current = ends;
        _ = Task.Run(() => DoAsync(step, ends));
    }

    private async Task DoAsync(AgentStep step, CancellationTokenSource ends)
    {
        StepResult result;
        try
        {
            result = await run(step, ends.Token);
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            return;
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException or InvalidOperationException or TimeoutException)
        {
            result = new StepResult(new StepOutcome.Failed(failed.Message));
        }

        lock (_lock)
        {
            if (_current != ends)
                return;
            _current = null;
            if (result.Outcome is StepOutcome.Failed { Why: var why })
                log.Warning($"{StepText.Of(step)}: failed", $"{why.TrimEnd('.')}.");
            finished(step, result);
            Next();
        }
    }
}
