namespace Repmgr.Core.Settings.Table;

internal static class ProgramSettings
{
    public static IReadOnlyList<Setting> All { get; } =
    [
        new Setting<string?>("pg_bindir", SettingType.Path, s => s.PgBindir, (s, v) => s with { PgBindir = v })
        {
            Group = SettingGroup.Programs,
            Since = Generation.Two,
            Description = "Where PostgreSQL's programs lie. When it is not set, they are found out.",
        },
        new Setting<string?>("repmgr_bindir", SettingType.Path, s => s.RepmgrBindir, (s, v) => s with { RepmgrBindir = v })
        {
            Group = SettingGroup.Programs,
            Description = "Where repmgr lies on other nodes, when it is called there over ssh. When it is not set: where it lies here.",
        },
        new Setting<string?>("pg_ctl_options", SettingType.Text("options"), s => s.PgCtlOptions, (s, v) => s with { PgCtlOptions = v })
        {
            Group = SettingGroup.Programs,
            Since = Generation.Two,
            Description = "Further options for pg_ctl.",
        },
        new Setting<string?>(
            "pg_basebackup_options", SettingType.Text("options"), s => s.PgBasebackupOptions, (s, v) => s with { PgBasebackupOptions = v })
        {
            Group = SettingGroup.Programs,
            Description = "Further options for pg_basebackup.",
        },
        new Setting<string?>("rsync_options", SettingType.Text("options"), s => s.RsyncOptions, (s, v) => s with { RsyncOptions = v })
        {
            Group = SettingGroup.Programs,
            Since = Generation.One,
            Description = "Options for rsync, in place of those that are chosen otherwise.",
        },
        new Setting<string?>("ssh_options", SettingType.Text("options"), s => s.SshOptions, (s, v) => s with { SshOptions = v })
        {
            Group = SettingGroup.Programs,
            Since = Generation.Two,
            Description = "Options for ssh.",
        },
        new Setting<string?>("clone_command", SettingType.Command, s => s.CloneCommand, (s, v) => s with { CloneCommand = v })
        {
            Group = SettingGroup.Cloning,
            Since = Generation.Six,
            Description = "The command of standby clone --method=command, run by a shell: it restores a backup of the source's cluster into the empty directory %D. Placeholders: %D that directory; %n and %a this node's ID and name; %h, %p, %u, %d the host, port, user and database of the source, and %c all of it as a conninfo string without the password; %v the major version; %b the directory of PostgreSQL's programs. Each is one word, whatever quotes stand around it.",
        },
        new Setting<IReadOnlyList<TablespaceMapping>>(
            "tablespace_mapping",
            SettingType.Mappings,
            s => s.TablespaceMapping,
            (s, v) => s with { TablespaceMapping = [.. s.TablespaceMapping, .. v] })
        {
            Group = SettingGroup.Cloning,
            Accumulates = true,
            Description = "Where a tablespace of the source goes on this node. May be given several times.",
        },
        Barman("barman_host", s => s.BarmanHost, (s, v) => s with { BarmanHost = v }, "The host of the Barman server."),
        Barman("barman_server", s => s.BarmanServer, (s, v) => s with { BarmanServer = v }, "The name of the server in Barman's configuration."),
        Barman("barman_config", s => s.BarmanConfig, (s, v) => s with { BarmanConfig = v }, "Barman's configuration file on its host."),
        Barman("pg_backupapi_host", s => s.PgBackupApiHost, (s, v) => s with { PgBackupApiHost = v }, "The host of pg-backup-api."),
        Barman(
            "pg_backupapi_node_name", s => s.PgBackupApiNodeName, (s, v) => s with { PgBackupApiNodeName = v }, "The name of the server in Barman's configuration, for pg-backup-api."),
        Barman("pg_backupapi_backup_id", s => s.PgBackupApiBackupId, (s, v) => s with { PgBackupApiBackupId = v }, "The backup that pg-backup-api shall restore."),
        Barman(
            "pg_backupapi_remote_ssh_command",
            s => s.PgBackupApiRemoteSshCommand,
            (s, v) => s with { PgBackupApiRemoteSshCommand = v },
            "The ssh command with which Barman's host reaches this node."),
    ];

    private static Setting<string?> Barman(string name, Func<Settings, string?> get, Func<Settings, string?, Settings> set, string description) =>
        new(name, SettingType.Text(), get, set) { Group = SettingGroup.Cloning, Pending = Feature.Barman, Description = description };
}
