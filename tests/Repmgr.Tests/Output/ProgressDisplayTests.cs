using Repmgr.Cli.Output;
using Repmgr.Engine.Cloning;

namespace Repmgr.Tests.Output;

public sealed class ProgressDisplayTests
{
    private const long Mebi = 1 << 20;

    [Fact]
    public void On_a_terminal_one_line_is_drawn_anew_with_bar_rate_and_time_left()
    {
        var clock = new StoppedClock();
        string drawn = Shown(ProgressStyle.Terminal, clock, display =>
        {
            display.Report(new CopyProgress("copying", 0, 400 * Mebi));
            clock.Pass(TimeSpan.FromSeconds(2));
            display.Report(new CopyProgress("copying", 200 * Mebi, 400 * Mebi));
        });

        Assert.Equal(
            "\rcopying: [....................]   0% (0 bytes of 400 MB)"
            + "\rcopying: [##########..........]  50% (200 MB of 400 MB), 100 MB/s, 00:00:02 left\n",
            drawn);
    }

    [Fact]
    public void A_shorter_line_leaves_nothing_of_the_longer_one()
    {
        string drawn = Shown(ProgressStyle.Terminal, new StoppedClock(), display =>
        {
            display.Report(new CopyProgress("waiting for the checkpoint"));
            display.Report(new CopyProgress("copying"));
        });

        Assert.Equal("\rwaiting for the checkpoint\rcopying                   \n", drawn);
    }

    [Theory]
    [InlineData(80, "copying: [##########..........]  50% (200 MB of 400 MB)")]
    [InlineData(50, "copying:  50% (200 MB of 400 MB)")]
    [InlineData(20, "copying:  50% (200 ")]
    public void A_line_is_never_wider_than_the_terminal(int columns, string expected) =>
        Assert.Equal($"\r{expected}\n", Shown(ProgressStyle.Terminal, new StoppedClock(), display => display.Report(new CopyProgress("copying", 200 * Mebi, 400 * Mebi)), columns));

    [Fact]
    public void A_message_between_begins_on_a_line_of_its_own()
    {
        string drawn = Shown(ProgressStyle.Terminal, new StoppedClock(), display =>
        {
            display.Report(new CopyProgress("waiting"));
            display.EndLine();
            display.EndLine();
            display.Report(new CopyProgress("copying"));
        });

        Assert.Equal("\rwaiting\n\rcopying\n", drawn);
    }

    [Fact]
    public void Elsewhere_there_is_a_plain_line_every_ten_seconds_and_at_the_end()
    {
        var clock = new StoppedClock();
        string said = Shown(ProgressStyle.Lines, clock, display =>
        {
            for (int second = 0; second <= 25; second++)
            {
                display.Report(new CopyProgress("copying", second * Mebi, 25 * Mebi));
                clock.Pass(TimeSpan.FromSeconds(1));
            }
        });

        Assert.Equal(
            """
            INFO: copying:   0% (0 bytes of 25.0 MB)
            INFO: copying:  40% (10.0 MB of 25.0 MB), 1.0 MB/s, 00:00:15 left
            INFO: copying:  80% (20.0 MB of 25.0 MB), 1.0 MB/s, 00:00:05 left
            INFO: copying: 100% (25.0 MB of 25.0 MB), 1.0 MB/s

            """,
            said);
    }

    [Fact]
    public void The_end_is_said_once_however_often_it_is_reported_and_though_the_source_grows()
    {
        var clock = new StoppedClock();
        string said = Shown(ProgressStyle.Lines, clock, display =>
        {
            display.Report(new CopyProgress("copying", 5 * Mebi, 25 * Mebi));
            display.Report(new CopyProgress("copying", 25 * Mebi, 25 * Mebi));
            display.Report(new CopyProgress("copying", 25 * Mebi, 25 * Mebi));
            display.Report(new CopyProgress("copying", 25 * Mebi, 26 * Mebi));
            display.Report(new CopyProgress("copying", 26 * Mebi, 26 * Mebi));
            clock.Pass(TimeSpan.FromSeconds(9));
            display.Report(new CopyProgress("copying", 26 * Mebi, 26 * Mebi));
            display.Report(new CopyProgress("fetching the WAL of the backup"));
        });

        Assert.Equal(
            """
            INFO: copying:  20% (5.0 MB of 25.0 MB)
            INFO: copying: 100% (25.0 MB of 25.0 MB)
            INFO: fetching the WAL of the backup

            """,
            said);
    }

    [Fact]
    public void The_end_is_not_repeated_while_something_else_goes_on()
    {
        var clock = new StoppedClock();
        string said = Shown(ProgressStyle.Lines, clock, display =>
        {
            for (int minute = 0; minute < 3; minute++)
            {
                display.Report(new CopyProgress("copying", 25 * Mebi, 25 * Mebi));
                clock.Pass(TimeSpan.FromMinutes(1));
            }
        });

        Assert.Equal("INFO: copying: 100% (25.0 MB of 25.0 MB)\n", said);
    }

    [Fact]
    public void A_stall_shows_in_the_rate()
    {
        var clock = new StoppedClock();
        string said = Shown(ProgressStyle.Lines, clock, display =>
        {
            for (int second = 0; second <= 30; second++)
            {
                display.Report(new CopyProgress("copying", Math.Min(second, 5) * Mebi, 25 * Mebi));
                clock.Pass(TimeSpan.FromSeconds(1));
            }
        });

        Assert.EndsWith("INFO: copying:  20% (5.0 MB of 25.0 MB)\n", said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_source_that_grows_is_never_more_than_copied() =>
        Assert.Contains("100% (30.0 MB of 25.0 MB)", Shown(ProgressStyle.Lines, new StoppedClock(), display => display.Report(new CopyProgress("copying", 30 * Mebi, 25 * Mebi))), StringComparison.Ordinal);

    [Fact]
    public void With_json_there_is_an_object_a_line() =>
        Assert.Equal(
            "{\"phase\":\"copying\",\"bytes_done\":5,\"bytes_total\":null,\"bytes_per_second\":null}\n",
            Shown(ProgressStyle.Json, new StoppedClock(), display => display.Report(new CopyProgress("copying", 5))));

    [Fact]
    public void Quiet_shows_nothing() => Assert.Equal("", Shown(ProgressStyle.None, new StoppedClock(), display => display.Report(new CopyProgress("copying", 5, 10))));

    private static string Shown(ProgressStyle style, TimeProvider clock, Action<ProgressDisplay> report, int columns = 120)
    {
        using var text = new StringWriter { NewLine = "\n" };
        using (var display = new ProgressDisplay(text, style, clock, columns))
            report(display);
        return text.ToString();
    }

    private sealed class StoppedClock : TimeProvider
    {
        private long _ticks = TimeSpan.TicksPerDay;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Pass(TimeSpan time) => _ticks += time.Ticks;
    }
}
