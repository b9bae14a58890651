using Repmgr.Engine.Cloning.Direct;

namespace Repmgr.Tests.Cloning;

/// <summary>How long what is copied has to wait.</summary>
public sealed class RateLimitTests
{
    private const int Megabyte = 1_000_000;

    private readonly HandMovedTime _time = new();

    [Fact]
    public void All_that_copy_wait_for_each_other()
    {
        var limit = new RateLimit(10 * Megabyte, _time);
        Assert.Equal(0.1, Seconds(limit, Megabyte), 3);
        Assert.Equal(0.2, Seconds(limit, Megabyte), 3);
        _time.Seconds += 0.15;
        Assert.Equal(0.55, Seconds(limit, 5 * Megabyte), 3);
    }

    [Fact]
    public void A_pause_is_not_made_up_for()
    {
        var limit = new RateLimit(10 * Megabyte, _time);
        _ = Seconds(limit, Megabyte);
        _time.Seconds += 3600;
        Assert.Equal(0.1, Seconds(limit, Megabyte), 3);
    }

    [Fact]
    public void Files_wait_for_wal_that_could_not_wait()
    {
        var limit = new RateLimit(10 * Megabyte, _time);
        limit.Count(4 * Megabyte);
        Assert.Equal(0.5, Seconds(limit, Megabyte), 3);
    }

    [Fact]
    public void However_much_wal_there_is_files_go_on()
    {
        var limit = new RateLimit(10 * Megabyte, _time);
        for (int second = 0; second < 60; second++)
        {
            limit.Count(100 * Megabyte);
            Assert.InRange(Seconds(limit, Megabyte), 0.1, 1.1);
            _time.Seconds++;
        }
    }

    [Fact]
    public void Without_a_limit_nothing_waits() => Assert.Equal(0, Seconds(new RateLimit(null, _time), int.MaxValue));

    private static double Seconds(RateLimit limit, int bytes) => limit.Book(bytes, TimeSpan.MaxValue).TotalSeconds;

    private sealed class HandMovedTime : TimeProvider
    {
        public double Seconds { get; set; }

        public override long GetTimestamp() => (long)(Seconds * TimestampFrequency);
    }
}
