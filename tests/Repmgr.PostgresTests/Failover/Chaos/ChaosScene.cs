using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover.Chaos;

/// <summary>The cluster that the scenarios of a class share: made for the first, and anew after one that failed.</summary>
public abstract class ChaosScene(string synchronous) : IAsyncLifetime
{
    private Lab? _lab;
    private ChaosCluster? _cluster;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    internal async Task<ChaosCluster> ClusterAsync()
    {
        if (_cluster is not null)
            return _cluster;
        _lab = await Lab.OpenAsync();
        try
        {
            return _cluster = await ChaosCluster.StartAsync(_lab, hosts: 3, synchronous);
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

public sealed class LeaseModeScene() : ChaosScene("off");

public sealed class QuorumModeScene() : ChaosScene("quorum");
