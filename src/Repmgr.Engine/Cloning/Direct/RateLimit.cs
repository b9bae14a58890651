namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Keeps all that copy side by side below one rate.</summary>
/// <param name="bytesPerSecond">Null: no limit.</param>
/// <param name="time">Its clock.</param>
internal sealed class RateLimit(long? bytesPerSecond, TimeProvider time)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    private readonly Lock _turn = new();
    private readonly long _began = time.GetTimestamp();
    private TimeSpan _booked;

    /// <summary>Returns when these bytes may have come.</summary>
    public ValueTask TakeAsync(int bytes, CancellationToken cancel)
    {
        // A timer is late by milliseconds, which for a page is longer than it takes: short waits are added up.
        TimeSpan wait = Book(bytes, TimeSpan.MaxValue);
        return wait < Shortest ? ValueTask.CompletedTask : new ValueTask(Task.Delay(wait, time, cancel));
    }

    /// <summary>Counts bytes that came and could not wait. What is taken next waits for them too, but never long: it must go on.</summary>
    public void Count(int bytes) => Book(bytes, Longest);

    /// <returns>How long it is until all that is booked may have come.</returns>
    internal TimeSpan Book(int bytes, TimeSpan most)
    {
        if (bytesPerSecond is not { } rate)
            return TimeSpan.Zero;

        lock (_turn)
        {
            // What was not used before is lost: a pause must not be followed by a flood.
            TimeSpan now = time.GetElapsedTime(_began);
            TimeSpan ahead = (_booked > now ? _booked - now : TimeSpan.Zero) + TimeSpan.FromSeconds(bytes / (double)rate);
            ahead = ahead < most ? ahead : most;
            _booked = now + ahead;
            return ahead;
        }
    }
}
