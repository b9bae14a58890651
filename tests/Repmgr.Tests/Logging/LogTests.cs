using System.Text.Json;
using System.Text.RegularExpressions;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Logging;

namespace Repmgr.Tests.Logging;

public sealed partial class LogTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("repmgr-log-").FullName;

    private string LogFile => Path.Combine(_directory, "repmgrd.log");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_line_has_the_form_of_5x_and_is_followed_by_its_detail_and_hint()
    {
        using (Log log = Open(LogFormat.Line))
            log.Warning("upstream is away", "No answer within 2 s.", "Look at node 1.");

        string[] lines = File.ReadAllLines(LogFile);
        Assert.Equal(3, lines.Length);
        Assert.Matches(LineForm(), lines[0]);
        Assert.EndsWith("] [WARNING] upstream is away", lines[0]);
        Assert.EndsWith("] [DETAIL] No answer within 2 s.", lines[1]);
        Assert.EndsWith("] [HINT] Look at node 1.", lines[2]);
    }

    [Fact]
    public void Json_has_one_object_a_line()
    {
        using (Log log = Open(LogFormat.Json))
        {
            log.Info("first \"quoted\"", "A detail.");
            log.Notice("second");
        }

        string[] lines = File.ReadAllLines(LogFile);
        Assert.Equal(2, lines.Length);
        using JsonDocument first = JsonDocument.Parse(lines[0]);
        Assert.Equal("INFO", first.RootElement.GetProperty("level").GetString());
        Assert.Equal("first \"quoted\"", first.RootElement.GetProperty("message").GetString());
        Assert.Equal("A detail.", first.RootElement.GetProperty("detail").GetString());
        Assert.Equal("repmgrd", first.RootElement.GetProperty("program").GetString());
        Assert.True(DateTimeOffset.TryParse(first.RootElement.GetProperty("time").GetString(), out _));
    }

    [Fact]
    public void Text_from_outside_cannot_forge_a_line()
    {
        using (Log log = Open(LogFormat.Line))
            log.Info("script said: x\n[2026-01-01 00:00:00] [EMERG] all is lost");

        Assert.Single(File.ReadAllLines(LogFile));
    }

    [Fact]
    public void What_is_below_the_threshold_is_not_written()
    {
        using (Log log = Open(LogFormat.Line, Severity.Notice))
        {
            log.Info("no");
            log.Notice("yes");
        }

        Assert.Equal("yes", Assert.Single(File.ReadAllLines(LogFile))[^3..]);
    }

    [Fact]
    public void After_logrotate_a_reopened_log_goes_on_in_a_new_file()
    {
        using (Log log = Open(LogFormat.Line))
        {
            log.Info("before");
            Eventually(() => File.Exists(LogFile) && File.ReadAllText(LogFile).Length > 0);
            File.Move(LogFile, LogFile + ".1");
            log.Info("still the old file");
            log.Reopen(log.Target);
            log.Info("after");
        }

        Assert.Equal(2, File.ReadAllLines(LogFile + ".1").Length);
        Assert.EndsWith("after", Assert.Single(File.ReadAllLines(LogFile)));
    }

    [Fact]
    public void A_file_truncated_by_logrotate_is_appended_to_without_a_hole()
    {
        using (Log log = Open(LogFormat.Line))
        {
            log.Info("before");
            Eventually(() => File.Exists(LogFile) && File.ReadAllText(LogFile).Length > 0);
            File.WriteAllText(LogFile, "");
            log.Info("after");
        }

        Assert.StartsWith("[", File.ReadAllText(LogFile));
    }

    [Fact]
    public void A_reload_can_change_the_target_and_the_threshold()
    {
        using (Log log = Open(LogFormat.Line))
        {
            log.Info("to the first");
            log.Reopen(log.Target with { File = LogFile + ".json", Format = LogFormat.Json, Threshold = Severity.Debug });
            log.Debug("to the second");
        }

        Assert.EndsWith("to the first", Assert.Single(File.ReadAllLines(LogFile)));
        Assert.Contains("to the second", Assert.Single(File.ReadAllLines(LogFile + ".json")));
    }

    [Fact]
    public void A_full_disk_costs_lines_and_their_number_is_said()
    {
        Assert.True(File.Exists("/dev/full"), "this test needs Linux's /dev/full");
        string link = Path.Combine(_directory, "link");
        File.CreateSymbolicLink(link, "/dev/full");
        using (var log = new Log("repmgrd", Target(link, LogFormat.Line), TimeProvider.System))
        {
            log.Info("lost one");
            log.Info("lost two");
            log.Debug("not counted: below the threshold");
            Eventually(() => log.IsIdle);
            File.Delete(link);
            log.Reopen(log.Target);
            log.Info("kept");
        }

        string[] lines = File.ReadAllLines(link);
        Assert.Contains("2 log lines before this one could not be written", lines[0]);
        Assert.Contains("No space left on device", lines[1]);
        Assert.EndsWith("kept", lines[2]);
    }

    [Fact]
    public void A_sink_that_hangs_blocks_nobody()
    {
        using var release = new ManualResetEventSlim();
        var sink = new HangingSink(release);
        using (var log = new Log("repmgrd", Target(LogFile, LogFormat.Line), TimeProvider.System, sink))
        {
            for (int line = 0; line < 5000; line++)
                log.Info("line");
            release.Set();
            Eventually(() => log.IsIdle);
            log.Info("last");
        }

        Assert.Contains(sink.Lines, line => line.Message.EndsWith("log lines were dropped: the log took longer to write than to fill", StringComparison.Ordinal));
        Assert.Equal("last", sink.Lines[^1].Message);
    }

    [Fact]
    public void A_log_file_that_cannot_be_opened_is_a_problem_that_names_it()
    {
        Problem? problem = Log.Check(Target(Path.Combine(_directory, "missing", "x.log"), LogFormat.Line));

        Assert.NotNull(problem);
        Assert.Contains("missing/x.log", problem.Message);
        Assert.Contains("No such file or directory", problem.Detail);
    }

    [Theory]
    [InlineData("USER", 1)]
    [InlineData("local0", 16)]
    [InlineData("LOCAL7", 23)]
    [InlineData("LOCAL8", null)]
    [InlineData("STDERR", null)]
    public void Facilities_have_the_numbers_of_syslog_h(string name, int? number) => Assert.Equal(number, SyslogSink.Facility(name));

    [Fact]
    public void Every_severity_has_its_own_syslog_level_and_name()
    {
        Severity[] all = Enum.GetValues<Severity>();
        Assert.Equal(Enumerable.Range(0, 8), all.Select(SyslogSink.SyslogLevel).Order());
        foreach (Severity severity in all)
        {
            Assert.True(SeverityNames.TryParse(severity.Name(), out Severity parsed));
            Assert.Equal(severity, parsed);
        }
    }

    private static void Eventually(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(10)));

    private static LogTarget Target(string file, LogFormat format, Severity threshold = Severity.Info) => new(threshold, "STDERR", file, format);

    private Log Open(LogFormat format, Severity threshold = Severity.Info) => new("repmgrd", Target(LogFile, format, threshold), TimeProvider.System);

    [GeneratedRegex(@"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] \[[A-Z]+\] ")]
    private static partial Regex LineForm();

    private sealed class HangingSink(ManualResetEventSlim release) : LogSink("repmgrd", LogFormat.Line)
    {
        public List<LogLine> Lines { get; } = [];

        public override string Target => "a hung disk";

        protected override void Put(ReadOnlySpan<byte> bytes) { }

        protected override void Put(DateTimeOffset at, LogLine line)
        {
            release.Wait();
            Lines.Add(line);
        }
    }
}
