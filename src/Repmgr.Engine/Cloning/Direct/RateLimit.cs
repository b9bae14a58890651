namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Keeps all that copy side by side below one rate.</summary>
/// <param name="bytesPerSecond">Null: no limit.</param>
/// <param name="time">Its clock.</param>
internal sealed class RateLimit(long? bytesPerSecond, TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(20);

    private readonly Lock _turn = new();
    private readonly long _began = time.GetTimestamp();
    private TimeSpan _booked;

    /// <summary>Returns when these bytes may have come.</summary>
    public ValueTask TakeAsync(int bytes, CancellationToken cancel)
    {
        if (bytesPerSecond is not { } rate)
            return ValueTask.CompletedTask;

        TimeSpan wait;
        lock (_turn)
        {
            // What was not used before is lost: a pause must not be followed by a flood.
            TimeSpan now = time.GetElapsedTime(_began);
            _booked = (_booked > now ? _booked : now) + TimeSpan.FromSeconds(bytes / (double)rate);
            wait = _booked - now;
        }

        // A timer is late by milliseconds, which for a page is longer than it takes: short waits are added up.
        return wait < Shortest ? ValueTask.CompletedTask : new ValueTask(Task.Delay(wait, time, cancel));
    }
}
