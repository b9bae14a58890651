using Repmgr.Core.CommandLine;

namespace Repmgr.Tests.CommandLine;

public class MomentTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.CreateCustomTimeZone(
        "test", TimeSpan.FromHours(1), "test", "test", "test, summer",
        [
            TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(
                DateTime.MinValue.Date, DateTime.MaxValue.Date, TimeSpan.FromHours(1),
                TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 2, 0, 0), 3, 5, DayOfWeek.Sunday),
                TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 3, 0, 0), 10, 5, DayOfWeek.Sunday)),
        ]);

    // A quarter past eleven in the evening, winter time.
    private static readonly DateTimeOffset Now = new(2026, 1, 31, 22, 15, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("23:16", "2026-01-31T22:16:00Z")]
    [InlineData("23:15", "2026-02-01T22:15:00Z")]
    [InlineData("03:30", "2026-02-01T02:30:00Z")]
    [InlineData("03:30:05", "2026-02-01T02:30:05Z")]
    [InlineData("00:00", "2026-01-31T23:00:00Z")]
    [InlineData("2026-07-01 03:30", "2026-07-01T01:30:00Z")]
    [InlineData("2026-12-24T03:30:10", "2026-12-24T02:30:10Z")]
    [InlineData("2026-12-24 03:30Z", "2026-12-24T03:30:00Z")]
    [InlineData("2026-12-24 03:30-02:00", "2026-12-24T05:30:00Z")]
    [InlineData(" 2025-12-24T03:30:00+01:00 ", "2025-12-24T02:30:00Z")]
    // The night in which the clocks leave out the hour after two.
    [InlineData("2026-03-29 02:30", "2026-03-29T01:30:00Z")]
    public void A_moment_is_read(string text, string instant)
    {
        Assert.Equal(DateTimeOffset.Parse(instant, System.Globalization.CultureInfo.InvariantCulture), OptionValue.Moment.ToInstant(text, Now, Berlin));
        Assert.Null(new OptionValue.Moment("TIME").Fault(text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("soon")]
    [InlineData("24:00")]
    [InlineData("3:30")]
    [InlineData("03:30Z")]
    [InlineData("2026-02-30 03:30")]
    [InlineData("2026-12-24")]
    [InlineData("24.12.2026 03:30")]
    public void What_is_none_is_refused_with_examples(string text) =>
        Assert.Contains("such as", new OptionValue.Moment("TIME").Fault(text), StringComparison.Ordinal);
}
