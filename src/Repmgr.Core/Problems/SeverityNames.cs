namespace Repmgr.Core.Problems;

/// <summary>The words for severities in <c>repmgr.conf</c> and in log lines.</summary>
public static class SeverityNames
{
    public static string Name(this Severity severity) => severity switch
    {
        Severity.Debug => "DEBUG",
        Severity.Info => "INFO",
        Severity.Notice => "NOTICE",
        Severity.Warning => "WARNING",
        Severity.Error => "ERROR",
        Severity.Alert => "ALERT",
        Severity.Crit => "CRIT",
        _ => "EMERG",
    };

    /// <summary>Reads a level in any case; 1.x's short <c>ERR</c> is taken too.</summary>
    public static bool TryParse(string text, out Severity severity)
    {
        for (severity = Severity.Debug; severity <= Severity.Emerg; severity++)
        {
            if (text.Equals(severity.Name(), StringComparison.OrdinalIgnoreCase))
                return true;
        }

        severity = Severity.Error;
        return text.Equals("ERR", StringComparison.OrdinalIgnoreCase);
    }
}
