using Repmgr.Cli.Output;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Logging;

namespace Repmgr.Tests.Output;

public sealed class TerminalLogTests
{
    private static readonly LogLine Error = new(Severity.Error, "the candidate lags", "It is 5 bytes behind.", "Wait.");

    [Fact]
    public void A_message_is_a_level_and_a_text_with_detail_and_hint_on_lines_of_their_own() =>
        Assert.Equal("ERROR: the candidate lags\nDETAIL: It is 5 bytes behind.\nHINT: Wait.\n", Said("", log => log.Write(Error)));

    [Fact]
    public void Terse_leaves_out_detail_and_hint() => Assert.Equal("ERROR: the candidate lags\n", Said("--terse", log => log.Write(Error)));

    [Theory]
    [InlineData("", "INFO: i\nNOTICE: n\nWARNING: w\nERROR: e\n")]
    [InlineData("-v", "INFO: i\nNOTICE: n\nWARNING: w\nERROR: e\n")]
    [InlineData("-q", "ERROR: e\n")]
    [InlineData("-L WARNING", "WARNING: w\nERROR: e\n")]
    [InlineData("-L warning -v", "INFO: i\nNOTICE: n\nWARNING: w\nERROR: e\n")]
    [InlineData("-L WARNING --dry-run", "INFO: i\nNOTICE: n\nWARNING: w\nERROR: e\n")]
    [InlineData("-L debug", "DEBUG: d\nINFO: i\nNOTICE: n\nWARNING: w\nERROR: e\n")]
    [InlineData("-L debug -v", "DEBUG: d\nINFO: i\nNOTICE: n\nWARNING: w\nERROR: e\n")]
    [InlineData("-q --dry-run", "ERROR: e\n")]
    public void The_options_say_how_much_is_said(string options, string expected) => Assert.Equal(expected, Said(options, SayOneOfEach));

    [Fact]
    public void The_level_of_the_configuration_file_counts_where_no_option_says_otherwise()
    {
        Assert.Equal("ERROR: e\n", Said("", log => Use(log, Severity.Error)));
        Assert.Equal("WARNING: w\nERROR: e\n", Said("-L WARNING", log => Use(log, Severity.Error)));
    }

    private static void Use(TerminalLog log, Severity severity)
    {
        log.Use(Settings.Defaults with { LogLevel = severity });
        SayOneOfEach(log);
    }

    private static void SayOneOfEach(TerminalLog log)
    {
        log.Debug("d");
        log.Info("i");
        log.Notice("n");
        log.Warning("w");
        log.Error("e");
    }

    private static string Said(string options, Action<TerminalLog> say)
    {
        using var text = new StringWriter { NewLine = "\n" };
        var run = (Invocation.Run)CommandLineParser.Parse(["standby", "promote", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)], CommandTable.Repmgr);
        using var log = new TerminalLog(text, run.Options, new CommandJournal());
        say(log);
        return text.ToString();
    }
}
