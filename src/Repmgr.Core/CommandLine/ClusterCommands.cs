using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

internal static class ClusterCommands
{
    private static readonly Dictionary<OptionDefinition, string> Connection = new()
    {
        [Opt.Host] = "any node of the cluster, instead of the configuration file's conninfo",
        [Opt.Port] = "that node's port",
        [Opt.Username] = "database role to connect to it as",
        [Opt.Dbname] = "database there: a name, a conninfo string or a URI",
    };

    public static readonly IReadOnlyList<CommandDefinition> All =
    [
        new(CommandName.ClusterShow, "cluster show", "show every node, its role and its state")
        {
            Changes = false,
            Description =
            [
                "Looks at all registered nodes side by side and shows what is recorded of each beside what it says of itself. A node that does not answer costs its connect_timeout once, however many there are.",
                "In the column Status a * marks what is as it should be for a primary, ! what contradicts the record, ? what could not be found out, and - a node known to have failed. In the column Upstream ! marks a standby that is not attached to that node, and ? one of which that could not be seen.",
                "--detail adds a second table of what each node says of itself: its role, timeline and position, how many bytes and seconds it is behind the primary, where it is attached and in which state. --json has all of it.",
                "With failover = automatic, lines under the table say who holds the lease and how long it lasts, how many voters answer, what commits wait for, which lease_ttl and agent_restart_grace were agreed on, whether failover is paused, and which protection is missing. In --json that is \"failover\", with the times in seconds; its lease_store is \"peers\" or \"etcd\", and for etcd \"store\" says where in it and whether it answers.",
                "When the local node does not answer, its upstream is asked instead, which is known from the local data directory.",
                "Whatever disagrees is listed under the table, and the exit code is then 25. --csv prints node ID, availability (0: can be reached, -1: cannot) and recovery (0: primary, 1: standby, -1: unknown).",
            ],
            Needs = ["One node of the cluster can be reached: the local one by the configuration file, or another by the connection options."],
            Options = [Opt.Compact, Opt.Detail, Opt.Csv, Opt.Json, Opt.Host, Opt.Port, Opt.Username, Opt.Dbname],
            Meanings = new Dictionary<OptionDefinition, string>(Connection) { [Opt.Compact] = "leave out the connection strings and shorten the headers" },
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf cluster show", "Show the cluster."),
                ("repmgr -h node2 -U repmgr -d repmgr cluster show --json", "Show it as node 2 has it recorded, for a program to read."),
            ],
            ExitCodes = [.. CommonExitCodes.Database, (ExitCode.NodeStatus, "something is not as it should be")],
        },
        new(CommandName.ClusterEvent, "cluster event", "show what has happened in the cluster")
        {
            Changes = false,
            Description = ["Shows the events that repmgr and repmgrd have recorded, the newest first."],
            Needs = ["One node of the cluster can be reached: the local one by the configuration file, or another by the connection options."],
            Options = [Opt.Limit, Opt.All, Opt.Event, Opt.NodeId, Opt.NodeName, Opt.Compact, Opt.Csv, Opt.Json, Opt.Host, Opt.Port, Opt.Username, Opt.Dbname],
            Meanings = new Dictionary<OptionDefinition, string>(Connection)
            {
                [Opt.NodeId] = "show only events of the node with this ID",
                [Opt.NodeName] = "show only events of the node with this name",
                [Opt.Compact] = "leave out the details",
                [Opt.Csv] = "print the result as comma-separated values, without the details",
            },
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf cluster event", "Show the last 20 events."),
                ("repmgr -f /etc/repmgr.conf cluster event --event=standby_promote --all", "Show every promotion there has been."),
            ],
            ExitCodes = CommonExitCodes.Database,
        },
        new(CommandName.ClusterCleanup, "cluster cleanup", "delete old monitoring history")
        {
            Description =
            [
                "Deletes rows of the monitoring history, which repmgrd writes and which otherwise grows for ever, and gives the space back. Run it from time to time, for instance nightly.",
            ],
            Needs = ["The primary can be reached."],
            Options = [Opt.KeepHistory, Opt.NodeId, Opt.DryRun, Opt.Json],
            Meanings = new Dictionary<OptionDefinition, string> { [Opt.NodeId] = "delete only the history of the standby with this ID" },
            Examples = [("repmgr -f /etc/repmgr.conf cluster cleanup --keep-history=7", "Keep the last seven days.")],
            ExitCodes = CommonExitCodes.Database,
        },
    ];
}
