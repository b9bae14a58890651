using System.Globalization;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Problems;
using Repmgr.Engine.Cloning;

namespace Repmgr.Cli.Output;

/// <summary>
/// Shows how far a copy is: on a terminal one line that is drawn anew, with a bar, the rate and the time left; elsewhere a
/// plain message every ten seconds; with <c>--json</c> an object a line.
/// </summary>
/// <param name="writer">Standard error.</param>
/// <param name="style">How to show it.</param>
/// <param name="time">The clock that rates are taken from.</param>
/// <param name="columns">The width of the terminal: a line that wraps could not be drawn anew.</param>
internal sealed class ProgressDisplay(TextWriter writer, ProgressStyle style, TimeProvider time, int columns = 80) : IProgress<CopyProgress>, IDisposable
{
    private const int BarWidth = 20;

    private readonly Lock _drawing = new();
    private readonly RateMeter _meter = new(time);
    private CopyProgress? _shown;
    private long _shownAt;
    private int _drawn;

    /// <summary>How it is shown for these options: not at all when <c>--quiet</c>.</summary>
    public static ProgressStyle StyleFor(CommandOptions options) => options switch
    {
        { Quiet: true } => ProgressStyle.None,
        { Progress: "json" } or { Json: true, Progress: null } => ProgressStyle.Json,
        _ => Console.IsErrorRedirected ? ProgressStyle.Lines : ProgressStyle.Terminal,
    };

    public void Report(CopyProgress value)
    {
        lock (_drawing)
        {
            _meter.Add(value.Done ?? 0);
            bool isNews = value.Phase != _shown?.Phase || (IsComplete(value) && !IsComplete(_shown));
            if (!isNews && (time.GetElapsedTime(_shownAt) < Interval || (IsComplete(value) && value == _shown)))
                return;

            (_shown, _shownAt) = (value, time.GetTimestamp());
            Show(value);
        }
    }

    public void Dispose() => EndLine();

    /// <summary>Leaves the terminal on a line of its own, so that a message can be written.</summary>
    public void EndLine()
    {
        lock (_drawing)
        {
            if (_drawn > 0)
                writer.WriteLine();
            _drawn = 0;
        }
    }

    private TimeSpan Interval => style == ProgressStyle.Terminal ? TimeSpan.FromMilliseconds(200) : TimeSpan.FromSeconds(10);

    private static bool IsComplete(CopyProgress? value) => value is { Done: { } done, Total: { } total } && done >= total;

    private void Show(CopyProgress value)
    {
        switch (style)
        {
            case ProgressStyle.Terminal:
                string line = Describe(value, bar: true);
                if (line.Length >= columns)
                    line = Describe(value, bar: false);
                line = line.Length < columns ? line : line[..(columns - 1)];
                writer.Write($"\r{line}{new string(' ', Math.Max(0, _drawn - line.Length))}");
                writer.Flush();
                _drawn = line.Length;
                break;
            case ProgressStyle.Lines:
                writer.WriteLine($"{Severity.Info.Name()}: {Describe(value, bar: false)}");
                break;
            case ProgressStyle.Json:
                writer.WriteLine(JsonLine(value));
                break;
        }
    }

    private string Describe(CopyProgress value, bool bar)
    {
        if (value.Done is not { } done)
            return value.Phase;

        string amount = value.Total is { } total && total > 0
            ? $"{(bar ? Bar(done, total) : "")}{Percent(done, total),3}% ({ByteText.Of(done)} of {ByteText.Of(total)})"
            : ByteText.Of(done);
        string rate = _meter.BytesPerSecond is { } speed and > 0 ? $", {ByteText.Of((long)speed)}/s" : "";
        return $"{value.Phase}: {amount}{rate}{TimeLeft(value)}";
    }

    private string TimeLeft(CopyProgress value) =>
        value is { Done: { } done, Total: { } total } && total > done && _meter.BytesPerSecond is { } speed and > 0
            ? $", {Clock(TimeSpan.FromSeconds(Math.Min((total - done) / speed, 359_999)))} left"
            : "";

    // Hours may be more than a day's.
    private static string Clock(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours:00}:{time.Minutes:00}:{time.Seconds:00}");

    private static string Bar(long done, long total)
    {
        int filled = (int)(Math.Min(done, total) * (double)BarWidth / total);
        return $"[{new string('#', filled)}{new string('.', BarWidth - filled)}] ";
    }

    // The source may grow while it is copied: never more than all of it, and not "100%" before it is.
    private static int Percent(long done, long total) => done >= total ? 100 : (int)Math.Min(99, done * 100.0 / total);

    private string JsonLine(CopyProgress value)
    {
        long? speed = _meter.BytesPerSecond is { } bytes ? (long)bytes : null;
        return JsonText.Of(new ProgressLine(value.Phase, value.Done, value.Total, speed), OutputJson.Default.ProgressLine, indented: false);
    }
}

/// <summary>How progress is shown.</summary>
internal enum ProgressStyle
{
    None,
    Terminal,
    Lines,
    Json,
}

/// <summary>Progress as a line of JSON.</summary>
internal sealed record ProgressLine(string Phase, long? BytesDone, long? BytesTotal, long? BytesPerSecond);
