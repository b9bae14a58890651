using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

internal static class DaemonCommand
{
    public static readonly CommandDefinition Definition = new(CommandName.Daemon, "", "watch a node and the cluster it belongs to")
    {
        Description =
        [
            "Runs on every node beside PostgreSQL. It watches the local server and the node it replicates from, writes the monitoring history where monitoring_history is on, notices when a node changes its role, and runs event_notification_command when something happens. On a standby that is not registered yet, it registers it.",
            "It never ends because a server is away: it waits, in whichever order the hosts come up. It runs in the foreground, as a service manager wants it, unless told to detach.",
            "SIGHUP makes it read the configuration file again and reopen its log file; a file with errors leaves the settings in force. SIGTERM and SIGINT end it.",
        ],
        Needs = ["A configuration file with node_id (or node) and conninfo."],
        Options = [DaemonOpt.Daemonize, DaemonOpt.PidFile, DaemonOpt.NoPidFile, DaemonOpt.ShowPidFile, DaemonOpt.MonitoringHistory],
        Examples =
        [
            ("repmgrd -f /etc/repmgr.conf", "Watch in the foreground."),
            ("repmgrd -f /etc/repmgr.conf --daemonize --pid-file=/run/repmgrd.pid", "Detach and leave the process ID in a file."),
        ],
        ExitCodes =
        [
            (ExitCode.BadPidFileOrStopBackup, "another repmgrd runs already, or the pid file cannot be written"),
            (ExitCode.MonitoringTimeoutOrBadPassword, "degraded_monitoring_timeout has passed"),
            (ExitCode.SystemFailure, "a call of the operating system failed"),
        ],
    };
}
