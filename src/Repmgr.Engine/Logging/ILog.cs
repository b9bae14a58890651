using Repmgr.Core.Problems;

namespace Repmgr.Engine.Logging;

/// <summary>Hears what there is to say: the terminal of <c>repmgr</c>, the log of <c>repmgrd</c>.</summary>
public interface ILog
{
    /// <summary>Whether a line of this severity would be written at all.</summary>
    bool Writes(Severity severity);

    void Write(LogLine line);
}

/// <summary>Short forms.</summary>
public static class LogExtensions
{
    public static void Write(this ILog log, Severity severity, Problem problem) => log.Write(LogLine.From(severity, problem));

    public static void Debug(this ILog log, string message, string? detail = null) => log.Write(new LogLine(Severity.Debug, message, detail));

    public static void Info(this ILog log, string message, string? detail = null) => log.Write(new LogLine(Severity.Info, message, detail));

    public static void Notice(this ILog log, string message, string? detail = null, string? hint = null) =>
        log.Write(new LogLine(Severity.Notice, message, detail, hint));

    public static void Warning(this ILog log, string message, string? detail = null, string? hint = null) =>
        log.Write(new LogLine(Severity.Warning, message, detail, hint));

    public static void Error(this ILog log, string message, string? detail = null, string? hint = null) =>
        log.Write(new LogLine(Severity.Error, message, detail, hint));
}
