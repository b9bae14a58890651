using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

internal static class VerifyCommand
{
    public static readonly CommandDefinition Definition = new(CommandName.NodeVerify, "node verify", "compare this node's data with another node's, page by page")
    {
        Changes = false,
        Description =
        [
            "Compares the tables and indexes in the local data directory with those of another server of the same cluster, and changes nothing on either side. The local server may run or be stopped, and the other one may be written to meanwhile.",
            "Hashes of the local pages go to the other server, as when a clone brings an existing copy up to date; what differs comes back and is judged. Where the cluster has data checksums, every local page is checked too, and every page that the other server sends.",
            "What is only under way is no finding. A page tells where in the WAL its last change is: pages that differ count when both had the same change last, when one lacks a change from before its own last checkpoint, or when the local one has a change that the primary never wrote. What replaying does not reproduce (hint bits, free space within a page) is left out. Files and pages that are on one side only count when the standby has replayed all of the other's WAL, twice over, and they are still on one side only. Pages that cannot be judged, because they were changed after the last checkpoint, are counted and said.",
            "Not compared are: free space maps, visibility maps, unlogged and temporary tables, WAL, transaction status (pg_xact, pg_multixact and their like), and configuration. Pages that are the same on both sides are the same, whatever is wrong with them, unless their checksums tell. See docs/cloning.md.",
        ],
        Needs =
        [
            "The local data directory can be read, and pg_controldata is there.",
            "On the other server: a role that may call pg_ls_dir(), pg_stat_file() and pg_read_binary_file(), as for standby clone.",
        ],
        Options = [Opt.Host, Opt.Port, Opt.Username, Opt.Dbname, Opt.Pgdata, Opt.Jobs, Opt.MaxRate, Opt.WaitReplay, Opt.Progress, Opt.Json],
        Meanings = new Dictionary<OptionDefinition, string>
        {
            [Opt.Host] = "the server to compare with: a host or a socket directory (without any of these options: the upstream)",
            [Opt.Port] = "its port",
            [Opt.Username] = "database role to connect to it as",
            [Opt.Dbname] = "database there: a name, a conninfo string or a URI",
            [Opt.Pgdata] = "the local data directory",
            [Opt.Jobs] = "connections that compare side by side",
            [Opt.MaxRate] = "let pages come no faster than this: kilobytes per second, or with the suffix k or M",
            [Opt.Progress] = "how to show how far it is: for people, or as an object of JSON a line",
        },
        Examples =
        [
            ("repmgr -f /etc/repmgr.conf node verify", "Compare this standby with its upstream."),
            ("repmgr -f /etc/repmgr.conf node verify -h node3 --jobs=4 --json", "Compare it with node 3, and print the result for a program to read."),
        ],
        ExitCodes =
        [
            (ExitCode.LocalCommand, "pg_controldata failed"),
            .. CommonExitCodes.Database,
            (ExitCode.SystemFailure, "the local files could not be read, or the command was interrupted"),
            (ExitCode.NodeStatus, "something differs, or is damaged"),
        ],
    };
}
