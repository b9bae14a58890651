using System.Runtime.InteropServices;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;

namespace Repmgr.Engine.Logging;

/// <summary>The system's log, by syslog(3): it reconnects by itself when the logging daemon is restarted.</summary>
internal sealed partial class SyslogSink : LogSink
{
    private const int LogPid = 1;

    private readonly int _facility;
    private readonly nint _program;

    public SyslogSink(string program, int facility) : base(program, LogFormat.Line)
    {
        _facility = facility << 3;
        // openlog(3) keeps the pointer, so the text is kept as long as the process lives.
        _program = Marshal.StringToCoTaskMemUTF8(program);
        OpenLog(_program, LogPid, _facility);
    }

    public override string Target => "syslog";

    protected override void Put(ReadOnlySpan<byte> bytes) => throw new NotSupportedException();

    protected override void Put(DateTimeOffset at, LogLine line)
    {
        int priority = _facility | SyslogLevel(line.Severity);
        Syslog(priority, "%s", $"[{line.Severity.Name()}] {LogFormatter.OneLine(line.Message)}");
        if (line.Detail is { Length: > 0 } detail)
            Syslog(priority, "%s", $"[DETAIL] {LogFormatter.OneLine(detail)}");
        if (line.Hint is { Length: > 0 } hint)
            Syslog(priority, "%s", $"[HINT] {LogFormatter.OneLine(hint)}");
    }

    /// <summary>The number of a facility in syslog.h, or null when it is not one that <c>log_facility</c> allows.</summary>
    public static int? Facility(string name) => name.ToUpperInvariant() switch
    {
        "USER" => 1,
        ['L', 'O', 'C', 'A', 'L', >= '0' and <= '7' and var digit] => 16 + (digit - '0'),
        _ => null,
    };

    // syslog.h counts from LOG_EMERG = 0 to LOG_DEBUG = 7, and holds an alert to be graver than a critical error.
    internal static int SyslogLevel(Severity severity) => severity switch
    {
        Severity.Debug => 7,
        Severity.Info => 6,
        Severity.Notice => 5,
        Severity.Warning => 4,
        Severity.Error => 3,
        Severity.Crit => 2,
        Severity.Alert => 1,
        _ => 0,
    };

    [LibraryImport("libc", EntryPoint = "openlog")]
    private static partial void OpenLog(nint ident, int option, int facility);

    [LibraryImport("libc", EntryPoint = "syslog", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void Syslog(int priority, string format, string text);
}
