using Repmgr.Core.CommandLine;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Output;

/// <summary>
/// Messages as repmgr 5.x writes them: <c>LEVEL: text</c>, with <c>DETAIL</c> and <c>HINT</c> as lines of their own.
/// </summary>
/// <param name="writer">Standard error.</param>
/// <param name="options"><c>--quiet</c>, <c>--terse</c>, <c>--verbose</c>, <c>--dry-run</c> and <c>--log-level</c> decide what is said.</param>
/// <param name="journal">Keeps what was said for <c>--json</c>.</param>
internal sealed class TerminalLog(TextWriter writer, CommandOptions options, CommandJournal journal) : ILog, IDisposable
{
    private Log? _file;
    private ProgressDisplay? _progress;

    /// <summary>The least severity written. The configuration file's <c>log_level</c> may set it, if no option has.</summary>
    public Severity Threshold { get; private set; } = ThresholdOf(options, Severity.Info);

    /// <summary>
    /// Takes over <c>log_level</c> of the configuration file, as far as no option says otherwise, and with
    /// <c>--log-to-file</c> the place.
    /// </summary>
    public void Use(Settings settings)
    {
        Threshold = ThresholdOf(options, settings.LogLevel);
        if (!options.LogToFile || _file is not null)
            return;

        var target = new LogTarget(Threshold, settings.LogFacility.ToString().ToUpperInvariant(), settings.LogFile, LogFormat.Line);
        if (Log.Check(target) is { } problem)
            Write(LogLine.From(Severity.Warning, problem));
        else
            _file = new Log("repmgr", target, TimeProvider.System);
    }

    /// <summary>Shows progress where the messages go; a message begins on a line of its own.</summary>
    public ProgressDisplay ShowProgress()
    {
        ProgressStyle style = ProgressDisplay.StyleFor(options);
        if (style == ProgressStyle.Lines && !Writes(Severity.Info))
            style = ProgressStyle.None;
        return _progress ??= new ProgressDisplay(writer, style, TimeProvider.System, style == ProgressStyle.Terminal ? Math.Max(Console.WindowWidth, 40) : int.MaxValue);
    }

    /// <summary>Nothing more will be reported: what follows begins on a line of its own.</summary>
    public void EndProgress() => _progress?.EndLine();

    public bool Writes(Severity severity) => severity >= Threshold;

    public void Write(LogLine line)
    {
        if (!Writes(line.Severity))
            return;

        journal.Said(line);
        if (_file is not null)
        {
            _file.Write(line);
            return;
        }

        _progress?.EndLine();
        writer.WriteLine($"{line.Severity.Name()}: {line.Message}");
        if (options.Terse)
            return;
        if (line.Detail is { Length: > 0 } detail)
            writer.WriteLine($"DETAIL: {detail}");
        if (line.Hint is { Length: > 0 } hint)
            writer.WriteLine($"HINT: {hint}");
    }

    public void Dispose()
    {
        _progress?.Dispose();
        _file?.Dispose();
    }

    private static Severity ThresholdOf(CommandOptions options, Severity configured)
    {
        if (options.Quiet)
            return Severity.Error;

        Severity chosen = options.LogLevel ?? configured;
        return (options.Verbose || options.DryRun) && chosen > Severity.Info ? Severity.Info : chosen;
    }
}
