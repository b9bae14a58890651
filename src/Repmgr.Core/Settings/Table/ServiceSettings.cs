namespace Repmgr.Core.Settings.Table;

internal static class ServiceSettings
{
    public static IReadOnlyList<Setting> All { get; } =
    [
        Server("service_start_command", s => s.ServiceStartCommand, (s, v) => s with { ServiceStartCommand = v }, "starts"),
        Server("service_stop_command", s => s.ServiceStopCommand, (s, v) => s with { ServiceStopCommand = v }, "stops"),
        Server("service_restart_command", s => s.ServiceRestartCommand, (s, v) => s with { ServiceRestartCommand = v }, "restarts"),
        Server("service_reload_command", s => s.ServiceReloadCommand, (s, v) => s with { ServiceReloadCommand = v }, "reloads"),
        new Setting<string?>("service_promote_command", SettingType.Command, s => s.ServicePromoteCommand, (s, v) => s with { ServicePromoteCommand = v })
        {
            Group = SettingGroup.ServiceCommands,
            WithAgents = Feature.PromotesInstead,
            Description = "The command that promotes this node's server. When it is not set, the server's function pg_promote does it, and where the role may not execute that, pg_ctl.",
        },
        Daemon("repmgrd_service_start_command", s => s.RepmgrdServiceStartCommand, (s, v) => s with { RepmgrdServiceStartCommand = v }, "starts"),
        Daemon("repmgrd_service_stop_command", s => s.RepmgrdServiceStopCommand, (s, v) => s with { RepmgrdServiceStopCommand = v }, "stops"),
    ];

    private static Setting<string?> Server(string name, Func<Settings, string?> get, Func<Settings, string?, Settings> set, string verb) =>
        new(name, SettingType.Command, get, set)
        {
            Group = SettingGroup.ServiceCommands,
            Description = $"The command that {verb} this node's server. When it is not set, the way is found out: a systemd unit, Debian's pg_ctlcluster, or pg_ctl.",
        };

    private static Setting<string?> Daemon(string name, Func<Settings, string?> get, Func<Settings, string?, Settings> set, string verb) =>
        new(name, SettingType.Command, get, set)
        {
            Group = SettingGroup.ServiceCommands,
            Description = $"The command that {verb} this node's repmgrd, for daemon start and daemon stop.",
        };
}
