using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

internal static class StandbyCommands
{
    public static readonly IReadOnlyList<CommandDefinition> All =
    [
        CloneCommand.Definition,
        new(CommandName.StandbyRegister, "standby register", "register the local server as a standby")
        {
            Description =
            [
                "Writes the record of this node into the cluster's metadata on the primary, from where it reaches every node by replication. Run it once the standby has been started.",
                "The standby must really be attached to the node it is recorded under, and be of the primary's major version. A record that is there already is written anew with --force, for instance after conninfo, priority or location was changed.",
                "Where the local server is not running, --force together with the connection options of the primary registers it all the same. Likewise --force with --upstream-node-id accepts an upstream node that is not registered yet: a placeholder that is not active is written for it.",
            ],
            Needs = ["The local server runs as a standby.", "The primary can be reached."],
            Options = [Opt.UpstreamNodeId, Opt.WaitStart, Opt.WaitSync, Opt.DryRun, Opt.Force, Opt.Json, Opt.Host, Opt.Port, Opt.Username, Opt.Dbname],
            Meanings = new Dictionary<OptionDefinition, string>
            {
                [Opt.Force] = "write an existing record anew; register although the server is down or not attached",
                [Opt.Host] = "the primary's host, to register a server that does not run yet",
                [Opt.Port] = "the primary's port",
                [Opt.Username] = "database role to connect to the primary as",
                [Opt.Dbname] = "database on the primary: a name, a conninfo string or a URI",
            },
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf standby register", "Register this standby under the primary."),
                ("repmgr -f /etc/repmgr.conf standby register --upstream-node-id=2 --wait-sync=60", "Register a cascaded standby and wait until its own record has reached it."),
            ],
            ExitCodes = [.. CommonExitCodes.Database, (ExitCode.RegistrationSync, "the record did not reach the standby within --wait-sync")],
        },
        new(CommandName.StandbyUnregister, "standby unregister", "remove a standby's record")
        {
            Description =
            [
                "Removes the record of a standby from the cluster's metadata. Where failover is automatic, it waits until the node votes no more. The server itself is not touched: it goes on replicating until you stop it, and its replication slot stays on its upstream node until you drop it.",
                "It runs on any node; without --node-id it removes the record of the node it runs on.",
            ],
            Needs = ["A primary of the cluster can be reached.", "No other node is recorded as replicating from this one."],
            Options = [Opt.NodeId, Opt.DryRun, Opt.Json],
            Meanings = new Dictionary<OptionDefinition, string> { [Opt.NodeId] = "remove the record of the node with this ID" },
            Examples = [("repmgr -f /etc/repmgr.conf standby unregister --node-id=3", "Remove the record of node 3, whose host has been given up.")],
            ExitCodes = CommonExitCodes.Database,
        },
        new(CommandName.StandbyPromote, "standby promote", "make the local standby the primary")
        {
            Description =
            [
                "Promotes the local standby. It is done when the server is out of recovery and takes writes, and when the metadata says so: this node as the primary, any former primary as no longer active.",
                "It refuses when another primary is up: stop that one first. The other standbys are not touched: run \"repmgr standby follow\" on each of them afterwards, or use --siblings-follow, which points them at the new primary over PostgreSQL connections, without ssh. That needs the right to change their configuration there (superuser, or from PostgreSQL 15 on GRANT ALTER SYSTEM ON PARAMETER).",
                "The promotion uses service_promote_command of the configuration file where it is set, else pg_promote(). A role that is no superuser must have been granted that in the database of conninfo; where it was not, pg_ctl promotes the server, which takes being on its host as its operating-system user.",
                "Where failover is automatic and has begun, the agents are asked: the present primary is checkpointed, stops its server in good order and hands over, and the others follow by themselves. Without a primary an election comes by itself, and the command waits for its end. While failover is paused it is refused.",
                "When a majority of the voters is lost for good, nobody can be elected. With --without-majority, confirmed by the cluster's name (cluster in the configuration file), you give your word that they are: those that answer become the voters, in a term far above all that is known, and elect this node, or a better one among them. What that may lose is said first; with --dry-run only that. It is refused while a majority answers, while the server of a node that is to be lost answers from here, and while anything still reaches the former primary. Whoever comes back is admitted as a new voter.",
                "Run again after it was interrupted, it finishes what is left to do.",
            ],
            Needs = ["The local server runs as a standby.", "No other primary of the cluster is up, or failover is automatic."],
            Options = [Opt.SiblingsFollow, Opt.WithoutMajority, Opt.DryRun, Opt.Force, Opt.Json],
            Meanings = new Dictionary<OptionDefinition, string> { [Opt.Force] = "promote in spite of what can be overridden; another live primary cannot. With automatic failover: also a standby that lags far behind" },
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf standby promote --dry-run", "See whether this standby could be promoted now."),
                ("repmgr -f /etc/repmgr.conf standby promote", "Promote it."),
                ("repmgr -f /etc/repmgr.conf standby promote --without-majority=sales --dry-run", "See what would be lost if the agents that are left went on without the others."),
            ],
            ExitCodes =
            [
                (ExitCode.DbConnection, "a database connection could not be made"),
                (ExitCode.DbQuery, "a query failed"),
                (ExitCode.PromotionFailed, "the server was not promoted within promote_check_timeout, or the agents refused or elected another"),
                (ExitCode.MonitoringTimeoutOrBadPassword, "a password was rejected"),
                (ExitCode.SwitchoverIncomplete, "promoted, but a standby that was to follow does not stream"),
            ],
        },
        new(CommandName.StandbyFollow, "standby follow", "make the local standby replicate from another node")
        {
            Argument = "node",
            Description =
            [
                "Re-points the local standby to the present primary, or to the node that is named after the command or with --upstream-node-id. Where that node is a standby itself, the replication cascades.",
                "The server is not restarted: the new connection is taken over by a reload (standby_follow_restart = yes brings the restart of old back). Before anything is changed it is made sure that the local server can follow: the system identifiers agree, and the local server has not gone past the point where the other node's timelines branched off.",
                "It is done when the standby is seen streaming from that node on that node's timeline; if that does not come about within standby_follow_timeout, it ends with exit code 23.",
            ],
            Needs = ["The local server runs as a standby.", "The node to follow can be reached and lets this node open a replication connection."],
            Options = [Opt.UpstreamNodeId, Opt.Wait, Opt.DryRun, Opt.Json],
            Meanings = new Dictionary<OptionDefinition, string>
            {
                [Opt.UpstreamNodeId] = "the node to follow",
                [Opt.Wait] = "wait for a primary to appear, this long at most; without a time: primary_follow_timeout of the configuration file (default: do not wait)",
            },
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf standby follow", "Follow the primary, wherever it is now."),
                ("repmgr -f /etc/repmgr.conf standby follow --wait=120", "Wait up to two minutes for a primary, then follow it."),
                ("repmgr -f /etc/repmgr.conf standby follow --upstream-node-id=2", "Replicate from node 2, which may be a standby."),
            ],
            ExitCodes =
            [
                (ExitCode.NoRestart, "the server could not be restarted"),
                .. CommonExitCodes.Database,
                (ExitCode.FollowFailed, "the standby does not stream from the node it was pointed at"),
            ],
            Faults = FollowFaults,
        },
    ];

    private static IEnumerable<Problem> FollowFaults(CommandOptions options)
    {
        if (options is { Argument: { } node, UpstreamNodeId: { } id })
            yield return new Problem("the node to follow is given twice", $"Once as \"{node}\" after the command and once as {id} with --upstream-node-id.", "Give it once.");
    }
}
