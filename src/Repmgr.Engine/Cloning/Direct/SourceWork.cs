namespace Repmgr.Engine.Cloning.Direct;

/// <summary>What all connections of one copy, or of one comparison, work with.</summary>
internal abstract class SourceWork(SourceIdentity source, RateLimit limit, CopyMeter meter)
{
    private long _moved;
    private long _compared;

    public SourceIdentity Source => source;

    public int PageBytes => source.PageBytes;

    public RateLimit Limit => limit;

    public CopyMeter Meter => meter;

    /// <summary>Bytes of contents that the source sent.</summary>
    public long Moved => Interlocked.Read(ref _moved);

    /// <summary>Bytes here that were compared.</summary>
    public long Compared => Interlocked.Read(ref _compared);

    public void HasMoved(long bytes) => Interlocked.Add(ref _moved, bytes);

    public void HasCompared(long bytes) => Interlocked.Add(ref _compared, bytes);
}
