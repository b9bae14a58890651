namespace Repmgr.Cli.Output;

/// <summary>The rate of the last ten seconds or so: old enough to be steady, young enough to show a stall.</summary>
internal sealed class RateMeter(TimeProvider time)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Queue<(long At, long Bytes)> _samples = new();
    private (long At, long Bytes) _latest;

    /// <summary>Null before there is anything to compare with.</summary>
    public double? BytesPerSecond
    {
        get
        {
            if (_samples.Count == 0)
                return null;

            (long at, long bytes) = _samples.Peek();
            TimeSpan elapsed = time.GetElapsedTime(at, time.GetTimestamp());
            return elapsed > TimeSpan.FromMilliseconds(100) ? (_latest.Bytes - bytes) / elapsed.TotalSeconds : null;
        }
    }

    public void Add(long bytes)
    {
        long now = time.GetTimestamp();
        if (bytes < _latest.Bytes)
            _samples.Clear(); // another phase has begun to count

        _latest = (now, bytes);
        // A sample a second will do, and bounds the queue.
        if (_samples.Count == 0 || time.GetElapsedTime(_samples.Last().At, now) >= TimeSpan.FromSeconds(1))
            _samples.Enqueue(_latest);
        while (_samples.Count > 1 && time.GetElapsedTime(_samples.Peek().At, now) > Window)
            _samples.Dequeue();
    }
}
