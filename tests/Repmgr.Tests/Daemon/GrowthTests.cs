using Repmgr.Tests.Daemon.Simulation;

namespace Repmgr.Tests.Daemon;

/// <summary>Measures the process, and so runs when nothing else does.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed class GrowthTests : IDisposable
{
    private readonly SimulatedClock _clock = new();
    private readonly SimulatedCluster _cluster = new(3);
    private readonly SimulatedDaemon _daemon;

    public GrowthTests() => _daemon = new SimulatedDaemon(2, _cluster, _clock);

    public void Dispose() => _daemon.Dispose();

    /// <summary>Measures the managed heap after a full collection, and what a turn allocates.</summary>
    [Fact]
    public async Task Ten_thousand_turns_do_not_grow_the_heap()
    {
        _daemon.Log.Most = 100;
        await TurnsAsync(1000);
        Forget();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        long allocated = GC.GetTotalAllocatedBytes(precise: true);

        for (int thousand = 0; thousand < 10; thousand++)
        {
            await TurnsAsync(1000);
            Forget();
        }

        long grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        long perTurn = (GC.GetTotalAllocatedBytes(precise: true) - allocated) / 10_000;
        Assert.True(grown < 200_000, $"the heap has grown by {grown} bytes");
        Assert.True(perTurn < 40_000, $"a turn allocates {perTurn} bytes");
    }

    // What the simulation itself collects.
    private void Forget()
    {
        _cluster.History.Clear();
        _cluster.Server(1).Events.Clear();
        _daemon.Announced.Clear();
    }

    private async Task TurnsAsync(int count)
    {
        for (int turn = 0; turn < count; turn++)
        {
            _clock.Advance(TimeSpan.FromSeconds(2));
            _cluster.Pass(_clock.GetUtcNow(), 100);
            Assert.Null(await _daemon.TurnAsync());
        }
    }
}
