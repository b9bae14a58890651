using Repmgr.Engine.Failover;
using Repmgr.Tests.Daemon;

namespace Repmgr.Tests.Failover.Agents;

/// <summary>Measures the heap, and so runs when nothing else does.</summary>
[Collection(nameof(Alone))]
public sealed class NudgedTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nudges_that_nobody_waits_for_are_one()
    {
        var nudged = new Nudged();
        nudged.Nudge();
        nudged.Nudge();
        Assert.True(await nudged.WaitAsync(TimeSpan.FromSeconds(20), Cancel));
        Assert.False(await nudged.WaitAsync(TimeSpan.FromMilliseconds(1), Cancel));
        Task<bool> waiting = nudged.WaitAsync(TimeSpan.FromSeconds(20), Cancel);
        nudged.Nudge();
        Assert.True(await waiting);
    }

    /// <summary>An agent with nothing to do waits like this twice a second for years.</summary>
    [Fact]
    public async Task Waits_that_end_with_the_time_leave_nothing_behind()
    {
        var nudged = new Nudged();
        await WaitAsync();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        await WaitAsync();
        long grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < 100_000, $"the heap has grown by {grown} bytes");

        async Task WaitAsync()
        {
            for (int round = 0; round < 5; round++)
                Assert.All(await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => nudged.WaitAsync(TimeSpan.FromMilliseconds(1), Cancel))), Assert.False);
        }
    }
}
