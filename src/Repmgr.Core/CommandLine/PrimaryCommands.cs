using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

internal static class PrimaryCommands
{
    public static readonly IReadOnlyList<CommandDefinition> All =
    [
        new(CommandName.PrimaryRegister, "primary register", "register the local server as the primary of a cluster")
        {
            Description =
            [
                "Makes the beginning of a cluster: creates the schema repmgr in the database that conninfo names, where it is not there yet, and writes the record of this node into it. Everything is plain SQL; no extension is installed and the server is not restarted.",
                "It refuses when another node that is registered as the primary is up and takes writes: two primaries would each accept changes that the other never sees. No option overrides that.",
                "With --force the record of a node that is registered already is written anew, for instance after conninfo, node_name, priority or location was changed.",
                "A cluster that was registered by repmgr 5 is taken over with --force: tables, data and grants stay, and the extension is dropped, all in one transaction. Stop the old repmgrd on every node before. Where the role in conninfo does not own the extension, name a superuser with -S.",
            ],
            Needs =
            [
                "The local server runs and is not in recovery.",
                "The role in conninfo may create a schema in that database. What is missing is listed as the GRANT statements to run; the role need not be a superuser.",
            ],
            Options = [Opt.DryRun, Opt.Force, Opt.Json, Opt.Superuser],
            Meanings = new Dictionary<OptionDefinition, string> { [Opt.Force] = "write the record of a registered node anew; take over a cluster of repmgr 5" },
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf primary register --dry-run", "Check everything and show what would be done."),
                ("repmgr -f /etc/repmgr.conf primary register", "Register this server as the primary."),
            ],
            ExitCodes = CommonExitCodes.Database,
        },
        new(CommandName.PrimaryUnregister, "primary unregister", "remove the record of a primary that is no more")
        {
            Description =
            [
                "Removes the record of a former primary that has failed and will not come back. The server itself is not touched.",
                "It runs on any node of the cluster and writes to the present primary. Without --node-id it removes the record of the node it runs on.",
                "Nodes that are recorded as replicating from it stand in the way, and no option overrides that: let them follow the new primary first. A record that is still active, and a server that runs as a standby or is the present primary, need --force.",
            ],
            Needs = ["A primary of the cluster can be reached."],
            Options = [Opt.NodeId, Opt.DryRun, Opt.Force, Opt.Json],
            Meanings = new Dictionary<OptionDefinition, string>
            {
                [Opt.NodeId] = "remove the record of the node with this ID",
                [Opt.Force] = "remove it even though the record is active or the server runs",
            },
            Examples = [("repmgr -f /etc/repmgr.conf primary unregister --node-id=1", "Remove the record of node 1, which was the primary until its host died.")],
            ExitCodes = CommonExitCodes.Database,
        },
    ];
}

/// <summary>Exit codes that several commands share.</summary>
internal static class CommonExitCodes
{
    public static readonly IReadOnlyList<(ExitCode Code, string When)> Database =
    [
        (ExitCode.DbConnection, "a database connection could not be made"),
        (ExitCode.DbQuery, "a query failed"),
        (ExitCode.MonitoringTimeoutOrBadPassword, "a password was rejected"),
    ];
}
