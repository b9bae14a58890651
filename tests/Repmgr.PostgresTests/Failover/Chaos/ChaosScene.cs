using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover.Chaos;

/// <summary>The cluster that the scenarios of a class share: made for the first, and anew after one that failed.</summary>
public abstract class ChaosScene : IAsyncLifetime
{
    private readonly ChaosWorld _world;
    private Lab? _lab;
    private ChaosCluster? _cluster;

    private protected ChaosScene(ChaosWorld world) => _world = world;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    internal async Task<ChaosCluster> ClusterAsync()
    {
        if (_cluster is not null)
            return _cluster;
        _lab = await Lab.OpenAsync();
        try
        {
            return _cluster = await ChaosCluster.StartAsync(_lab, _world);
        }
        catch
        {
            await AbandonAsync();
            throw;
        }
    }

    internal async Task AbandonAsync()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(_lab!.Report());
        await DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_cluster is not null)
            await _cluster.DisposeAsync();
        if (_lab is not null)
            await _lab.DisposeAsync();
        (_cluster, _lab) = (null, null);
    }
}

public sealed class LeaseModeScene() : ChaosScene(new ChaosWorld());

public sealed class QuorumModeScene() : ChaosScene(new ChaosWorld { Synchronous = "quorum" });

public sealed class EtcdModeScene() : ChaosScene(new ChaosWorld { HasStore = true });
