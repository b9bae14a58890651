namespace Repmgr.Engine.Files;

/// <summary>
/// Collects garbage sooner than the runtime would. That lets as much pile up as fits into the processor's cache, 32 MB or more on a server,
/// before it looks for the first time; what is kept is less than that.
/// </summary>
internal sealed class GarbageLimit
{
    private const long Most = 6 << 20;

    private long _kept = GC.GetTotalMemory(forceFullCollection: false);
    private int _collecting;

    /// <summary>To be called where something was done that leaves garbage: after thousands of rows, or a request for many files.</summary>
    public void Hold()
    {
        if (GC.GetTotalMemory(forceFullCollection: false) < Volatile.Read(ref _kept) + Most || Interlocked.Exchange(ref _collecting, 1) == 1)
            return;

        // All generations: lists that grew have left their former arrays among the large objects.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
        Volatile.Write(ref _kept, GC.GetTotalMemory(forceFullCollection: false));
        Volatile.Write(ref _collecting, 0);
    }
}
