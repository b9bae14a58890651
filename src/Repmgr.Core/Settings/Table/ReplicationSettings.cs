namespace Repmgr.Core.Settings.Table;

internal static class ReplicationSettings
{
    public static IReadOnlyList<Setting> All { get; } =
    [
        new Setting<string?>("replication_user", SettingType.Text("the name of a role"), s => s.ReplicationUser, (s, v) => s with { ReplicationUser = v })
        {
            Group = SettingGroup.Replication,
            TakesEffect = TakesEffect.AtRegistration,
            Description = "The role standbys stream as. When it is not set, it is the user of conninfo.",
        },
        new Setting<ReplicationType>(
            "replication_type", SettingType.Choice(("physical", ReplicationType.Physical)), s => s.ReplicationType, (s, v) => s with { ReplicationType = v })
        {
            Group = SettingGroup.Replication,
            TakesEffect = TakesEffect.AtRegistration,
            Description = "The kind of replication. There is one.",
        },
        new Setting<bool>("use_replication_slots", SettingType.Boolean, s => s.UseReplicationSlots, (s, v) => s with { UseReplicationSlots = v })
        {
            Group = SettingGroup.Replication,
            WithAgents = Feature.SlotsInstead,
            Description = "Whether each standby gets a replication slot on its upstream, named repmgr_slot_<node_id>, so that no WAL it needs is removed.",
        },
        new Setting<string?>("passfile", SettingType.Path, s => s.Passfile, (s, v) => s with { Passfile = v })
        {
            Group = SettingGroup.Replication,
            Description = "A password file that is named in the primary_conninfo of standbys.",
        },
        new Setting<bool>(
            "use_primary_conninfo_password", SettingType.Boolean, s => s.UsePrimaryConninfoPassword, (s, v) => s with { UsePrimaryConninfoPassword = v })
        {
            Group = SettingGroup.Replication,
            Description = "Whether the password of the environment variable PGPASSWORD is written into primary_conninfo when a standby is cloned. A passfile is safer.",
        },
        new Setting<string?>("restore_command", SettingType.Command, s => s.RestoreCommand, (s, v) => s with { RestoreCommand = v })
        {
            Group = SettingGroup.Replication,
            Description = "Written into the configuration of a standby: how it fetches WAL from the archive.",
        },
        new Setting<string?>("archive_cleanup_command", SettingType.Command, s => s.ArchiveCleanupCommand, (s, v) => s with { ArchiveCleanupCommand = v })
        {
            Group = SettingGroup.Replication,
            Description = "Written into the configuration of a standby: how it removes WAL from the archive that it no longer needs.",
        },
        new Setting<TimeSpan>("recovery_min_apply_delay", SettingType.Delay, s => s.RecoveryMinApplyDelay, (s, v) => s with { RecoveryMinApplyDelay = v })
        {
            Group = SettingGroup.Replication,
            Description = "Written into the configuration of a standby: how far it stays behind on purpose. A plain number is milliseconds; units are ms, s, min, h and d.",
        },
    ];
}
