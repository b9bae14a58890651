using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

internal static class RejoinCommand
{
    public static readonly CommandDefinition Definition = new(CommandName.NodeRejoin, "node rejoin", "bring a stopped node back as a standby")
    {
        Description =
        [
            "Brings a node whose server is stopped back as a standby of the present primary, with the data that it has: a former primary after a switch of roles by hand, or a standby that was away. The server is configured as a standby, started, seen streaming, and recorded.",
            "Before anything is changed it is made sure that its data are part of the primary's history: how far its own WAL goes is read from its files, to the last complete record, whether it was stopped in good order or crashed. A node that has WAL which the primary does not have cannot follow; how many bytes that is, is said. \"repmgr standby clone --force\" then makes it equal to the primary, copying only what differs. With --dry-run it is said which of the two it would be, and why.",
            "Any node of the cluster that runs can be named to ask (-h or -d). Without one the node is asked that the stopped server streamed from last, by its configuration.",
            "Where failover is automatic, the agent of the node brings it back by itself as soon as repmgrd runs there.",
        ],
        Needs = ["The local server is stopped.", "A primary of the cluster runs, in which this node is registered, and lets it open a replication connection."],
        Options = [Opt.Host, Opt.Port, Opt.Username, Opt.Dbname, Opt.DryRun, Opt.Json, Opt.ForceRewind],
        Meanings = new Dictionary<OptionDefinition, string>
        {
            [Opt.Host] = "a node of the cluster that runs: a host or a socket directory",
            [Opt.Port] = "its port",
            [Opt.Username] = "database role to connect to it as",
            [Opt.Dbname] = "database there: a name, a conninfo string or a URI",
        },
        Examples =
        [
            ("repmgr -f /etc/repmgr.conf -h node2 node rejoin --dry-run", "See whether this node can follow the primary with the data that it has."),
            ("repmgr -f /etc/repmgr.conf -d postgresql://repmgr@node2/repmgr node rejoin", "Bring it back; repmgr 5 is called so."),
        ],
        ExitCodes = [.. CommonExitCodes.Database, (ExitCode.RejoinFailed, "the node is not back: the server runs, its data have diverged, or it does not stream")],
    };
}
