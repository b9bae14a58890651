using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

internal static class CloneCommand
{
    public static readonly CommandDefinition Definition = new(CommandName.StandbyClone, "standby clone", "copy a running server, to make a standby of it")
    {
        Argument = "node",
        Description =
        [
            "Copies the whole database cluster of a running server into a local directory and writes the settings that make a standby of the copy: standby.signal, and primary_conninfo with what belongs to it in postgresql.auto.conf, where all other settings are kept. The new standby is not registered, and started only with --start; the last lines say how to do both.",
            "The node is a host name, as with -h. The source may be the primary or a standby that is up to date.",
            "Method direct, the default, reads the files over several ordinary PostgreSQL connections side by side. Of what is in the directory already it moves only the pages that differ. The copy has a backup_manifest for pg_verifybackup, and where the source has data checksums every page is checked on the way. Method basebackup runs pg_basebackup and needs nothing but a role that may replicate. Method rsync is the way of the first repmgr: the files travel over ssh, several rsync processes side by side.",
            "Method command runs clone_command of the configuration file, which restores a backup that another tool keeps (pgBackRest, Barman, WAL-G or any other). What it leaves is checked to be a whole copy of the source's cluster before it takes the place of anything. docs/cloning.md has recipes.",
            "Everything that stands in the way is looked for before anything is touched, and said all at once. With --force an existing data directory is overwritten, but never one in which a server runs, nor one that belongs to another database cluster.",
            "If it is interrupted, run it again: the directory cannot be started by mistake, and the source is not left in backup mode.",
        ],
        Needs =
        [
            "The source can be reached, and there is a role that may open a replication connection to it (pg_hba.conf, REPLICATION).",
            "On the source: wal_level is replica or logical, hot_standby is on, and max_wal_senders and (with slots) max_replication_slots leave room.",
            "The target directory is empty or absent, or --force is given and it holds a stopped copy of the same database cluster.",
            "For method direct: a role that may call pg_backup_start(), pg_backup_stop(), pg_ls_dir(), pg_stat_file() and pg_read_binary_file(); it need not be a superuser.",
            "For method rsync: ssh to the source without a password prompt, rsync on both hosts, and a role that may call pg_backup_start().",
        ],
        Options =
        [
            Opt.Host, Opt.Port, Opt.Username, Opt.Dbname,
            Opt.Pgdata, Opt.Method, Opt.DryRun, Opt.Force, Opt.Start, Opt.Json, Opt.Progress,
            Opt.Jobs, Opt.MaxRate, Opt.VerifyBackup, Opt.IncrementalFrom, Opt.NoVerifyChecksums, Opt.WalDirectory, Opt.WalKeepSegments, Opt.CopyExternalConfigFiles,
            Opt.RemoteUser, Opt.IgnoreRsyncWarning,
            Opt.UpstreamNodeId, Opt.UpstreamConninfo, Opt.ReplicationUser, Opt.RecoveryMinApplyDelay, Opt.NoUpstreamConnection, Opt.ReplicationConfOnly,
            Opt.FastCheckpoint, Opt.WithoutBarman, Opt.CheckUpstreamConfig, Opt.RemoteConfigFile,
        ],
        Meanings = new Dictionary<OptionDefinition, string>
        {
            [Opt.Host] = "the server to copy: a host or a socket directory; the same as NODE after the command (default: PGHOST)",
            [Opt.Port] = "its port (default: PGPORT, else 5432)",
            [Opt.Username] = "database role to connect as (default: the user in conninfo, else PGUSER, else the operating system's user)",
            [Opt.Dbname] = "database to connect to: a name, a conninfo string or a URI (default: that in conninfo, else PGDATABASE, else PGUSER, else postgres)",
            [Opt.Pgdata] = "directory that the copy is written to; where none is named, the path it has on the source",
            [Opt.Force] = "overwrite an existing data directory of the same database cluster",
        },
        Examples =
        [
            ("repmgr -h node1 -U repmgr -d repmgr -f /etc/repmgr.conf standby clone --dry-run", "Check everything and show the steps."),
            ("repmgr -h node1 -U repmgr -d repmgr -f /etc/repmgr.conf standby clone --max-rate=50M", "Clone node1 at no more than 50 megabytes a second."),
            ("repmgr -h node1 -U repmgr -d repmgr -f /etc/repmgr.conf standby clone --force", "Bring a former node back, moving only the pages that differ."),
            ("repmgr -D /var/lib/postgresql/17/main -U repmgr -R postgres --force standby clone node1", "The same over ssh and rsync, as in repmgr 1."),
        ],
        ExitCodes =
        [
            (ExitCode.BadRsync, "rsync failed"),
            (ExitCode.LocalCommand, "clone_command failed, or left no whole copy of the source's cluster"),
            (ExitCode.BadPidFileOrStopBackup, "pg_backup_stop failed on the source"),
            .. CommonExitCodes.Database,
            (ExitCode.BadSsh, "the source could not be reached over ssh"),
            (ExitCode.NoRestart, "with --start: the standby could not be started"),
            (ExitCode.FollowFailed, "with --start: the standby was started, but does not stream"),
            (ExitCode.SystemFailure, "a call of the operating system failed, or the command was interrupted"),
            (ExitCode.BadBaseBackup, "pg_basebackup, pg_combinebackup or pg_verifybackup failed"),
        ],
        Faults = Faults,
    };

    private static IEnumerable<Problem> Faults(CommandOptions options)
    {
        if (options is { Argument: { } node, Host: { } host })
            yield return new Problem("the node to clone is given twice", $"Once as \"{node}\" after the command and once as \"{host}\" with -h/--host.", "Give it once.");

        OptionDefinition[] foreign = options.ReplicationConfOnly
            ? [Opt.Method, Opt.VerifyBackup, Opt.IncrementalFrom, Opt.MaxRate, Opt.FastCheckpoint, Opt.WalKeepSegments, Opt.CopyExternalConfigFiles, Opt.RemoteUser, Opt.IgnoreRsyncWarning, Opt.Jobs, Opt.NoVerifyChecksums, Opt.WalDirectory]
            : options.CloneMethod switch
            {
                "rsync" => [Opt.VerifyBackup, Opt.IncrementalFrom, Opt.NoVerifyChecksums, Opt.WalDirectory],
                "basebackup" => [Opt.IgnoreRsyncWarning, Opt.Jobs, Opt.NoVerifyChecksums],
                "command" => [Opt.VerifyBackup, Opt.IncrementalFrom, Opt.NoVerifyChecksums, Opt.WalDirectory, Opt.MaxRate, Opt.WalKeepSegments, Opt.IgnoreRsyncWarning, Opt.Jobs],
                _ => [Opt.IgnoreRsyncWarning, Opt.IncrementalFrom],
            };
        foreach (OptionDefinition option in foreign.Where(options.Has))
        {
            yield return options.ReplicationConfOnly
                ? new Problem($"options {option.Display} and {Opt.ReplicationConfOnly.Display} exclude each other", "Nothing is copied, so how to copy means nothing.")
                : new Problem($"option {option.Display} does not go with method {options.CloneMethod}", Hint: $"{(options.CloneMethod == "command" ? "Tell the tool in clone_command" : $"Add --method={(option == Opt.IgnoreRsyncWarning ? "rsync" : option == Opt.IncrementalFrom ? "basebackup" : "direct")}")}, or leave the option out.");
        }
    }
}
