using Repmgr.Core.Failover;

namespace Repmgr.Engine.Failover;

/// <summary>Echoes of the guard, on their way to the loop. One that waited too long says nothing about the present (R4).</summary>
internal sealed class GuardEchoes(TimeSpan freshFor, Action<Func<TimeSpan, Input>> post)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(1);

    private volatile TaskCompletionSource<TimeSpan?>? _asked;

    public void Hear(TimeSpan? deadline, TimeSpan sent)
    {
        if (BootClock.Now - sent > freshFor)
            return;
        _asked?.TrySetResult(deadline);
        post(at => new Input.GuardEcho(at, deadline));
    }

    /// <summary>Tells the guard, and returns when it has answered: whether it will do as it was told.</summary>
    public async Task<bool> AskAsync(GuardLink guard, GuardOrder order)
    {
        var answer = new TaskCompletionSource<TimeSpan?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _asked = answer;
        guard.Tell(order);
        if (await Task.WhenAny(answer.Task, Task.Delay(Within)) != answer.Task)
            return false;
        return order.Deadline is not { } deadline || await answer.Task >= deadline;
    }
}
