namespace Repmgr.Engine.Failover.Store;

/// <summary>
/// Remembers a revision of etcd for long enough that it should have been compacted. etcd keeps each change until it is, does not compact by default, and takes no
/// more changes when its quota is full: https://etcd.io/docs/v3.5/op-guide/maintenance/
/// </summary>
internal sealed class StoreHistory
{
    public static readonly TimeSpan Longest = TimeSpan.FromHours(3);

    private (long Revision, TimeSpan At)? _first;

    /// <param name="revision">The present one.</param>
    /// <returns>A revision of so long ago, to be looked for now; null: not now.</returns>
    public long? Due(long revision, TimeSpan now)
    {
        if (_first is { } first && now - first.At < Longest)
            return null;
        long? old = _first?.Revision;
        _first = (revision, now);
        return old;
    }
}
