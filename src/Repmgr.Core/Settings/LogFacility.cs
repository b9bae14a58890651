namespace Repmgr.Core.Settings;

/// <summary>Where messages go: standard error (or <c>log_file</c>), or a facility of syslog.</summary>
public enum LogFacility
{
    Stderr,
    User,
    Local0,
    Local1,
    Local2,
    Local3,
    Local4,
    Local5,
    Local6,
    Local7,
}
