namespace Repmgr.Core.Settings;

/// <summary>How a line is written to stderr or a file.</summary>
public enum LogFormat
{
    /// <summary>repmgr 5.x's: <c>[2026-01-31 12:34:56] [INFO] text</c>, in local time.</summary>
    Line,

    /// <summary>One JSON object a line: time (RFC 3339), level, program, pid, message, detail, hint.</summary>
    Json,
}
