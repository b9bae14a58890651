using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Engine.Daemon;
using Repmgr.Tests.Daemon.Simulation;

namespace Repmgr.Tests.Daemon;

public sealed class WatchTurnsTests : IDisposable
{
    private readonly SimulatedClock _clock = new();
    private readonly SimulatedCluster _cluster = new(3);
    private readonly SimulatedDaemon _daemon;

    public WatchTurnsTests() => _daemon = new SimulatedDaemon(2, _cluster, _clock);

    public void Dispose() => _daemon.Dispose();

    [Fact]
    public async Task A_primary_whose_writes_hang_does_not_hold_up_a_turn()
    {
        await TurnsAsync(3);
        _cluster.WritesHang = true;

        await TurnsAsync(10, settle: false);

        Assert.IsType<UpstreamLink.Normal>(_daemon.State.Upstream);
        Assert.Single(_daemon.Log.Lines, line => line.Message == "monitoring rows are dropped: the primary has not taken the last one yet");
    }

    [Fact]
    public async Task Events_wait_for_a_primary_and_are_recorded_with_the_time_they_happened()
    {
        await TurnsAsync(3);
        _cluster.Server(1).IsUp = false;
        await TurnsAsync(3);
        DateTimeOffset lost = _clock.GetUtcNow();
        Assert.Contains(_daemon.Announced, told => told.Name == EventName.RepmgrdUpstreamDisconnect);
        Assert.DoesNotContain(_cluster.Server(1).Events, told => told.Event.Name == EventName.RepmgrdUpstreamDisconnect);

        await TurnsAsync(20);
        _cluster.Server(1).IsUp = true;
        await TurnsAsync(3);

        (ClusterEvent _, DateTimeOffset at) = Assert.Single(_cluster.Server(1).Events, told => told.Event.Name == EventName.RepmgrdUpstreamDisconnect);
        Assert.InRange(at, lost.AddSeconds(-4), lost);
    }

    [Fact]
    public async Task A_hook_that_hangs_blocks_nothing_and_what_is_not_announced_is_said()
    {
        await TurnsAsync(3);
        _daemon.HookHangs = true;
        for (int round = 0; round < Announcer.QueueLength * 2; round++)
        {
            _cluster.Server(1).IsUp = round % 2 != 0;
            await TurnsAsync(3);
        }

        Assert.Contains(_daemon.Log.Lines, line => line.Message.Contains("are not announced: 100 wait already", StringComparison.Ordinal));
        Assert.True(_cluster.Server(1).Events.Count > Announcer.QueueLength);
    }

    private async Task TurnsAsync(int count, bool settle = true)
    {
        for (int turn = 0; turn < count; turn++)
        {
            _clock.Advance(TimeSpan.FromSeconds(2));
            _cluster.Pass(_clock.GetUtcNow(), 100);
            Assert.Null(await _daemon.TurnAsync(settle));
        }
    }
}
