namespace Repmgr.Engine.Failover;

/// <summary>A wait that ends with the time, or before it by a nudge. Nudges that nobody waits for count as one. Nothing is left behind by a wait that ends with the time.</summary>
internal sealed class Nudged
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _next = Next();

    public void Nudge()
    {
        lock (_lock)
            _next.TrySetResult();
    }

    /// <returns>True: it was nudged.</returns>
    public async Task<bool> WaitAsync(TimeSpan atMost, CancellationToken cancel)
    {
        TaskCompletionSource awaited;
        lock (_lock)
            awaited = _next;
        if (atMost == Timeout.InfiniteTimeSpan)
            await awaited.Task.WaitAsync(cancel);
        else
            await Task.WhenAny(awaited.Task, Task.Delay(atMost, cancel));
        cancel.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (!awaited.Task.IsCompleted)
                return false;
            _next = Next();
            return true;
        }
    }

    private static TaskCompletionSource Next() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
