namespace Repmgr.Engine.Daemon;

/// <summary>
/// The system's clock with timers of its own: one thread, which runs what is due itself. What the daemon waits for comes every other
/// second; to wake the runtime's timer thread, that a thread of the pool, and that the pool's supervisor, cost more than the turn.
/// </summary>
/// <remarks>Callbacks must not wait for anything: they are what continues an <c>await</c>.</remarks>
public sealed class LoopTime : TimeProvider, IDisposable
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<Timer, long> _due = new();
    private readonly AutoResetEvent _changed = new(false);
    private long _wakesAt = long.MaxValue;
    private bool _ended;

    public LoopTime() => new Thread(Run) { IsBackground = true, Name = "time" }.Start();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    public void Dispose()
    {
        _ended = true;
        _changed.Set();
    }

    private void Run()
    {
        while (!_ended)
        {
            if (Next(out int wait) is { } due)
                due.Fire();
            else
                _changed.WaitOne(wait);
        }
    }

    /// <summary>A timer that is due; null when none is, and in how many milliseconds one will be.</summary>
    private Timer? Next(out int wait)
    {
        lock (_lock)
        {
            (wait, _wakesAt) = (Timeout.Infinite, long.MaxValue);
            if (!_due.TryPeek(out Timer? first, out long at))
                return null;
            long now = Environment.TickCount64;
            if (at > now)
            {
                (wait, _wakesAt) = ((int)Math.Min(at - now, int.MaxValue), at);
                return null;
            }

            _due.Dequeue();
            // The thread is awake, and looks again afterwards.
            _wakesAt = long.MinValue;
            // One that could not keep up goes on from now: what it missed is not made up for.
            if (first.Period > 0)
                _due.Enqueue(first, Math.Max(at + first.Period, now));
            return first;
        }
    }

    private void Set(Timer timer, TimeSpan dueTime)
    {
        lock (_lock)
        {
            _due.Remove(timer, out _, out _);
            if (dueTime < TimeSpan.Zero)
                return;
            long at = Environment.TickCount64 + (long)Math.Ceiling(dueTime.TotalMilliseconds);
            _due.Enqueue(timer, at);
            if (at >= _wakesAt)
                return;
        }

        _changed.Set();
    }

    private sealed class Timer(LoopTime time, TimerCallback callback, object? state) : ITimer
    {
        /// <summary>In milliseconds; 0: it fires once.</summary>
        public long Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Period = period > TimeSpan.Zero ? (long)Math.Ceiling(period.TotalMilliseconds) : 0;
            time.Set(this, dueTime);
            return true;
        }

        public void Dispose() => time.Set(this, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
