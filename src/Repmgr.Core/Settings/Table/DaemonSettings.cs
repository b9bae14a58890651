namespace Repmgr.Core.Settings.Table;

internal static class DaemonSettings
{
    public static IReadOnlyList<Setting> All { get; } =
    [
        new Setting<TimeSpan>("monitor_interval_secs", SettingType.Seconds(min: 1), s => s.MonitorInterval, (s, v) => s with { MonitorInterval = v })
        {
            Group = SettingGroup.Daemon,
            Since = Generation.Two,
            TakesEffect = TakesEffect.OnReload,
            Description = "How often repmgrd looks at the servers.",
        },
        new Setting<bool?>("monitoring_history", SettingType.BooleanOrUnset, s => s.MonitoringHistory, (s, v) => s with { MonitoringHistory = v })
        {
            Group = SettingGroup.Daemon,
            TakesEffect = TakesEffect.OnReload,
            Description = "Whether repmgrd on a standby writes a row of monitoring data into the primary's database each time it looks. "
                + "When it is not set, it does so if cluster is set, as repmgr 1.x did.",
        },
        new Setting<ConnectionCheckType>(
            "connection_check_type",
            SettingType.Choice(("ping", ConnectionCheckType.Ping), ("connection", ConnectionCheckType.Connection), ("query", ConnectionCheckType.Query)),
            s => s.ConnectionCheckType,
            (s, v) => s with { ConnectionCheckType = v })
        {
            Group = SettingGroup.Daemon,
            TakesEffect = TakesEffect.OnReload,
            WithAgents = Feature.LeasesInstead,
            Description = "How repmgrd sees whether a server is there: whether it accepts connections (ping), by a new connection each time (connection), or by a query (query).",
        },
        new Setting<string>(
            "connection_check_query", SettingType.NonEmpty("a query"), s => s.ConnectionCheckQuery, (s, v) => s with { ConnectionCheckQuery = v })
        {
            Group = SettingGroup.Daemon,
            TakesEffect = TakesEffect.OnReload,
            WithAgents = Feature.LeasesInstead,
            Description = "The query of connection_check_type = query.",
        },
        new Setting<int>("reconnect_attempts", SettingType.Integer(min: 0), s => s.ReconnectAttempts, (s, v) => s with { ReconnectAttempts = v })
        {
            Group = SettingGroup.Daemon,
            Since = Generation.Two,
            TakesEffect = TakesEffect.OnReload,
            WithAgents = Feature.LeasesInstead,
            Description = "How often repmgrd looks again for a server that does not answer before it takes it as gone.",
        },
        new Setting<TimeSpan>("reconnect_interval", SettingType.Seconds(), s => s.ReconnectInterval, (s, v) => s with { ReconnectInterval = v })
        {
            Group = SettingGroup.Daemon,
            Since = Generation.Two,
            TakesEffect = TakesEffect.OnReload,
            WithAgents = Feature.LeasesInstead,
            Description = "How long repmgrd waits between these attempts.",
        },
        new Setting<bool>("reconnect_loop_sync", SettingType.Boolean, s => s.ReconnectLoopSync, (s, v) => s with { ReconnectLoopSync = v })
        {
            Group = SettingGroup.Daemon,
            TakesEffect = TakesEffect.OnReload,
            Replaced = Feature.ReplacedByVotes,
            Description = "Whether the time an attempt took is subtracted from the wait before the next.",
        },
        new Setting<TimeSpan>("async_query_timeout", SettingType.Seconds(), s => s.AsyncQueryTimeout, (s, v) => s with { AsyncQueryTimeout = v })
        {
            Aliases = ["master_response_timeout", "master_reponse_timeout"],
            Group = SettingGroup.Daemon,
            Since = Generation.Two,
            TakesEffect = TakesEffect.OnReload,
            WithAgents = Feature.LeasesInstead,
            Description = "How long repmgrd waits for the answer to a query on an open connection.",
        },
        new Setting<TimeSpan?>(
            "degraded_monitoring_timeout", SettingType.SecondsOrNever, s => s.DegradedMonitoringTimeout, (s, v) => s with { DegradedMonitoringTimeout = v })
        {
            Group = SettingGroup.Daemon,
            TakesEffect = TakesEffect.OnReload,
            Replaced = Feature.ReplacedByVotes,
            Description = "After which time without its upstream repmgrd gives up and exits. -1: never.",
        },
        new Setting<TimeSpan>("witness_sync_interval", SettingType.Seconds(min: 1), s => s.WitnessSyncInterval, (s, v) => s with { WitnessSyncInterval = v })
        {
            Group = SettingGroup.Daemon,
            TakesEffect = TakesEffect.AtRestart,
            Pending = Feature.Witness,
            Description = "How often a witness copies the table of nodes from the primary.",
        },
        new Setting<string?>("repmgrd_pid_file", SettingType.Path, s => s.RepmgrdPidFile, (s, v) => s with { RepmgrdPidFile = v })
        {
            Group = SettingGroup.Daemon,
            TakesEffect = TakesEffect.AtRestart,
            Description = "The pid file of repmgrd. The option --pid-file overrides it. When neither is set: repmgrd.pid in the directory TMPDIR names, else in /tmp, when repmgrd runs in the background; none in the foreground.",
        },
        new Setting<bool>(
            "repmgrd_exit_on_inactive_node", SettingType.Boolean, s => s.RepmgrdExitOnInactiveNode, (s, v) => s with { RepmgrdExitOnInactiveNode = v })
        {
            Group = SettingGroup.Daemon,
            TakesEffect = TakesEffect.AtRestart,
            Description = "Whether repmgrd exits when its node is marked inactive.",
        },
        new RetiredSetting("retry_promote_interval_secs")
        {
            Group = SettingGroup.Daemon,
            Since = Generation.Two,
            Description = "How long repmgr 2.0 and 3.x waited before looking for a new primary again.",
            Retired = "repmgrd looks every monitor_interval_secs.",
        },
    ];
}
