using Repmgr.Core.Problems;
using Repmgr.Engine.Daemon;
using Repmgr.Tests.Daemon.Simulation;

namespace Repmgr.Tests.Daemon;

public sealed class EndInTimeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CapturedLog _log = new();
    private int _exits;

    [Fact]
    public async Task What_still_waits_when_the_time_is_over_is_named_and_left_behind()
    {
        using var end = new EndInTime(TimeSpan.FromMilliseconds(10), () => _exits++, _log) { Stage = "connections are closed" };
        end.Begin();
        end.Begin();

        await end.Decided.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(1, _exits);
        LogLine line = Assert.Single(_log.Lines);
        Assert.Equal("repmgrd ends without what it waits for", line.Message);
        Assert.Equal("0 s after it was told to end, it still waits until connections are closed.", line.Detail);
    }

    [Fact]
    public async Task Who_ends_in_time_is_left_alone()
    {
        var end = new EndInTime(Patience, () => _exits++, _log);
        end.Begin();
        end.Dispose();

        await end.Decided.WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(0, _exits);
        Assert.Empty(_log.Lines);
    }
}
