using static Repmgr.Core.CommandLine.OptionValue;

namespace Repmgr.Core.CommandLine;

/// <summary>The options that only <c>repmgrd</c> takes.</summary>
public static class DaemonOpt
{
    public static readonly OptionDefinition Daemonize = new("daemonize", 'd', new Choice("BOOLEAN", "true", "false", "on", "off", "yes", "no", "1", "0"), "detach from the terminal and run in the background")
    {
        ValueIsOptional = true,
        Default = "run in the foreground",
    };

    public static readonly OptionDefinition PidFile = new("pid-file", 'p', new Text("PATH", Completion.File), "write the process ID to this file")
    {
        Default = "repmgrd_pid_file of the configuration file, else repmgrd.pid in TMPDIR or /tmp when run in the background",
    };

    public static readonly OptionDefinition NoPidFile = new("no-pid-file", null, new Nothing(), "write no pid file");
    public static readonly OptionDefinition ShowPidFile = new("show-pid-file", 's', new Nothing(), "show the pid file that would be used, then exit");
    public static readonly OptionDefinition MonitoringHistory = new("monitoring-history", 'm', new Nothing(), "write the monitoring history, as monitoring_history = yes does");
}
