namespace Repmgr.Core.Settings.Table;

internal static class CommandSettings
{
    public static IReadOnlyList<Setting> All { get; } =
    [
        new Setting<TimeSpan>("promote_check_timeout", SettingType.Seconds(min: 1), s => s.PromoteCheckTimeout, (s, v) => s with { PromoteCheckTimeout = v })
        {
            Group = SettingGroup.Promoting,
            Description = "How long standby promote waits until the server is out of recovery.",
        },
        new RetiredSetting("promote_check_interval")
        {
            Group = SettingGroup.Promoting,
            Description = "How often standby promote of repmgr 5 looked while it waited.",
            Retired = "standby promote looks all the time: who waits a second between looks is a second longer without a primary.",
        },
        new Setting<TimeSpan>("primary_follow_timeout", SettingType.Seconds(min: 1), s => s.PrimaryFollowTimeout, (s, v) => s with { PrimaryFollowTimeout = v })
        {
            Group = SettingGroup.Promoting,
            Description = "How long standby follow --wait waits for a primary to appear.",
        },
        new Setting<TimeSpan>("standby_follow_timeout", SettingType.Seconds(min: 1), s => s.StandbyFollowTimeout, (s, v) => s with { StandbyFollowTimeout = v })
        {
            Group = SettingGroup.Promoting,
            Description = "How long standby follow waits until the standby is seen streaming from its new upstream.",
        },
        new Setting<bool>("standby_follow_restart", SettingType.Boolean, s => s.StandbyFollowRestart, (s, v) => s with { StandbyFollowRestart = v })
        {
            Group = SettingGroup.Promoting,
            Description = "Whether standby follow restarts the server where a reload would do.",
        },
        new Setting<TimeSpan>("shutdown_check_timeout", SettingType.Seconds(min: 1), s => s.ShutdownCheckTimeout, (s, v) => s with { ShutdownCheckTimeout = v })
        {
            Group = SettingGroup.Switchover,
            Pending = Feature.Switchover,
            Description = "How long standby switchover waits for the primary to shut down.",
        },
        new Setting<TimeSpan>(
            "standby_reconnect_timeout", SettingType.Seconds(min: 1), s => s.StandbyReconnectTimeout, (s, v) => s with { StandbyReconnectTimeout = v })
        {
            Group = SettingGroup.Switchover,
            Description = "How long standby switchover waits until the former primary streams as a standby. At least node_rejoin_timeout.",
        },
        new Setting<TimeSpan>(
            "wal_receive_check_timeout", SettingType.Seconds(min: 1), s => s.WalReceiveCheckTimeout, (s, v) => s with { WalReceiveCheckTimeout = v })
        {
            Group = SettingGroup.Switchover,
            Description = "How long standby switchover waits until the standby that is to be the primary is near enough to the present one, before that is stopped.",
        },
        new Setting<TimeSpan>("node_rejoin_timeout", SettingType.Seconds(min: 1), s => s.NodeRejoinTimeout, (s, v) => s with { NodeRejoinTimeout = v })
        {
            Group = SettingGroup.Switchover,
            Description = "How long node rejoin waits until the node is seen streaming.",
        },
        new Setting<int>("archive_ready_warning", SettingType.Integer(min: 1), s => s.ArchiveReadyWarning, (s, v) => s with { ArchiveReadyWarning = v })
        {
            Group = SettingGroup.Checks,
            Description = "From how many files waiting to be archived node check --archive-ready warns.",
        },
        new Setting<int>("archive_ready_critical", SettingType.Integer(min: 1), s => s.ArchiveReadyCritical, (s, v) => s with { ArchiveReadyCritical = v })
        {
            Group = SettingGroup.Checks,
            Description = "From how many files waiting to be archived node check --archive-ready is critical. More than archive_ready_warning.",
        },
        new Setting<TimeSpan>(
            "replication_lag_warning", SettingType.Seconds(min: 1), s => s.ReplicationLagWarning, (s, v) => s with { ReplicationLagWarning = v })
        {
            Group = SettingGroup.Checks,
            Description = "From which replication lag on node check --replication-lag warns.",
        },
        new Setting<TimeSpan>(
            "replication_lag_critical", SettingType.Seconds(min: 1), s => s.ReplicationLagCritical, (s, v) => s with { ReplicationLagCritical = v })
        {
            Group = SettingGroup.Checks,
            Description = "From which replication lag on node check --replication-lag is critical. More than replication_lag_warning.",
        },
    ];
}
