namespace Repmgr.Core.Problems;

/// <summary>How grave a message is, in the order and with the names that <c>log_level</c> knows.</summary>
public enum Severity
{
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Alert,
    Crit,
    Emerg,
}
