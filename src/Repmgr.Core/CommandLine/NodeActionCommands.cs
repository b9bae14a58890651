using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

/// <summary>The commands that do something to the local server.</summary>
internal static class NodeActionCommands
{
    public static readonly IReadOnlyList<CommandDefinition> All =
    [
        new(CommandName.NodeService, "node service", "start, stop, restart, reload or promote the local server")
        {
            Description =
            [
                "Does to the local server what --action says, with service_start_command and its kin where they are set, else with what runs the server here: its systemd unit, pg_ctlcluster, or pg_ctl. It returns when it is seen to be so, after a minute at most. A server is stopped without waiting for its clients (fast).",
                "--action=promote ends recovery and records nothing: to promote a node of a cluster, use standby promote.",
                "With failover = automatic, to stop or restart the server of the primary is a failover, and the agent of a standby starts a server again that is stopped. The command says what would come of it, and does it only with --force.",
                "--list-actions shows the command for each action.",
            ],
            Needs = ["It runs as the operating-system user that the server runs as, or service_*_command are set."],
            Options = [Opt.Action, Opt.ListActions, Opt.Checkpoint, Opt.Superuser, Opt.Force, Opt.DryRun, Opt.Json],
            Meanings = new Dictionary<OptionDefinition, string>
            {
                [Opt.Superuser] = "database role that writes the checkpoint, where conninfo's may not",
                [Opt.Force] = "stop or restart the server although the agents would make a failover of it, or start it again",
            },
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf node service --action=restart --checkpoint", "Restart the local server, after a checkpoint."),
                ("repmgr -f /etc/repmgr.conf node service --action=stop --dry-run", "See what would be run."),
            ],
            ExitCodes = [(ExitCode.LocalCommand, "it could not be done, or did not come to be so in time"), (ExitCode.DbConnection, "the server to be promoted cannot be reached"), (ExitCode.PromotionFailed, "the promotion failed")],
            Faults = options => (options.ServiceAction, options.ListActions) switch
            {
                (null, false) => [new Problem("no action is named", Hint: "Use --action=start, stop, restart, reload or promote, or --list-actions.")],
                (not null, true) => [new Problem("--list-actions does nothing, and takes no --action", Hint: "Give one of them.")],
                _ => [],
            },
        },
        new(CommandName.NodeControl, "node control", "keep the local standby's WAL receiver from running, or let it run again")
        {
            Description =
            [
                "--disable-wal-receiver raises wal_retrieve_retry_interval by a day and ends the receiver, so that the standby receives nothing until --enable-wal-receiver takes the day off again. What it has received it goes on replaying.",
                "The primary keeps WAL for its slot meanwhile.",
            ],
            Needs = ["The local server is a standby, and failover is manual.", "It runs as the operating-system user that the server runs as.", "A role that may change wal_retrieve_retry_interval: a superuser, or from PostgreSQL 15 on one that was granted it."],
            Options = [Opt.DisableWalReceiver, Opt.EnableWalReceiver, Opt.Superuser, Opt.DryRun, Opt.Json],
            Meanings = new Dictionary<OptionDefinition, string> { [Opt.Superuser] = "database role to do it as, where conninfo's may not" },
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf node control --disable-wal-receiver", "Let this standby receive nothing."),
                ("repmgr -f /etc/repmgr.conf node control --enable-wal-receiver", "Let it receive again."),
            ],
            ExitCodes = [(ExitCode.LocalCommand, "the server is not this host's, or another user's"), .. CommonExitCodes.Database],
            Faults = options => options.DisableWalReceiver == options.EnableWalReceiver
                ? [new Problem("it is not clear what the WAL receiver is to do", Hint: "Use either --disable-wal-receiver or --enable-wal-receiver.")]
                : [],
        },
    ];
}
