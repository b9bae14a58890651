using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

internal static class SwitchoverCommand
{
    public static readonly CommandDefinition Definition = new(CommandName.StandbySwitchover, "standby switchover", "exchange the roles of a standby and the primary")
    {
        Description =
        [
            "Makes a standby the primary, and the primary a standby of it, while both run. It can be run on any node: without --node-id and --node-name the standby is the node that it runs on. Everything is done through the agents (failover = automatic), without ssh.",
            "First everything is checked, and all that speaks against it is told at once: whether the standby streams from the primary on its timeline and how far it lags, whether it has room for those that are to stream from it, whether the primary archives what it has to and no backup is being taken from it, whether the agents would elect it. Then a checkpoint is written on the primary, and the standby is waited for until it lacks no more than 16 MB of WAL, for at most wal_receive_check_timeout. Up to here nothing has been changed.",
            "Then the primary's agent stops its server in good order, gives the lease back and names the standby as its successor. It is elected only when it has everything that the other servers have: what it lacks, it fetches first. So no transaction that was acknowledged is lost. If it cannot take over, the best node is elected as after a failure, the former primary included. A server that does not stop in good order within 1.5 s is stopped at once, and its last WAL fetched from its files: clients that hold it up do not hold the switchover up.",
            "It is done when the former primary streams from the new one as a standby, for which standby_reconnect_timeout is given, and all other standbys do (standby_follow_timeout each). Those that cannot be reached are not waited for: their agents let them follow when they are back. How long no server took writes is told.",
            "The command may be interrupted or killed at any moment: agents that were asked go on, and those that were not do nothing. Run again, it finishes what is left.",
            "With --at it checks everything at once, waits in the foreground until that time, and then checks everything again before it begins.",
        ],
        Needs =
        [
            "Failover is automatic, and not paused.", "The standby streams from the primary itself.",
            "For the checkpoint: superuser, or from PostgreSQL 15 on membership in pg_checkpoint. Without it the switchover takes longer.",
        ],
        Options =
        [
            Opt.NodeId, Opt.NodeName, Opt.At, Opt.SiblingsFollow, Opt.DryRun, Opt.Force, Opt.Json, Opt.AlwaysPromote, Opt.ForceRewind, Opt.RepmgrdNoPause, Opt.RepmgrdForceUnpause,
        ],
        Meanings = new Dictionary<OptionDefinition, string>
        {
            [Opt.NodeId] = "the standby that is to be the primary (default: the node that the command runs on)",
            [Opt.NodeName] = "the same, by its name",
            [Opt.SiblingsFollow] = "let the other standbys follow; they always do",
            [Opt.Force] = "go on in spite of what can be overridden, and do not wait until the standby is near",
        },
        Examples =
        [
            ("repmgr -f /etc/repmgr.conf standby switchover --dry-run", "See whether this standby could become the primary now, and what would be done."),
            ("repmgr -f /etc/repmgr.conf standby switchover --node-name=node2", "Make node2 the primary, from any node."),
            ("repmgr -f /etc/repmgr.conf standby switchover --node-id=2 --at=03:30", "Do it at half past three in the morning."),
        ],
        ExitCodes =
        [
            .. CommonExitCodes.Database,
            (ExitCode.SwitchoverFailed, "the roles were not exchanged: the standby did not come near, or the agents refused or elected another"),
            (ExitCode.SwitchoverIncomplete, "the roles are exchanged, but the former primary or another standby does not stream yet"),
        ],
        Faults = Twice,
    };

    private static IEnumerable<Problem> Twice(CommandOptions options)
    {
        if (options is { NodeId: not null, NodeName: not null })
            yield return new Problem("the standby is named twice", "Once with --node-id and once with --node-name.", "Name it once.");
    }
}
