namespace Repmgr.Core.CommandLine;

internal static class DaemonCommand
{
    public static readonly CommandDefinition Definition = new(CommandName.Daemon, "", "watch a node and the cluster it belongs to")
    {
        Options = [DaemonOpt.Daemonize, DaemonOpt.PidFile, DaemonOpt.NoPidFile, DaemonOpt.ShowPidFile, DaemonOpt.MonitoringHistory],
    };
}
