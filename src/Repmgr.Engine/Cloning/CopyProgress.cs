namespace Repmgr.Engine.Cloning;

/// <summary>How far a copy is.</summary>
/// <param name="Phase">What is going on: <c>waiting for the checkpoint</c>, <c>copying</c>.</param>
/// <param name="Done">Bytes done; null when the phase has no size.</param>
/// <param name="Total">Bytes expected; null when not known. May change while the source changes.</param>
public sealed record CopyProgress(string Phase, long? Done = null, long? Total = null);

/// <summary>Adds up what processes side by side have done.</summary>
/// <param name="total">What there is to do, in bytes.</param>
/// <param name="progress">Who is told.</param>
/// <param name="phase">What is being done.</param>
internal sealed class CopyMeter(long total, IProgress<CopyProgress> progress, string phase = "copying")
{
    private long _done;
    private long _total = total;

    /// <summary>There is more to do than was known.</summary>
    public void Expect(long bytes) => Interlocked.Add(ref _total, bytes);

    public void Add(long bytes)
    {
        if (bytes != 0)
            progress.Report(new CopyProgress(phase, Interlocked.Add(ref _done, bytes), Interlocked.Read(ref _total)));
    }
}
