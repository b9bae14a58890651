using Repmgr.Core.Checks.Nodes;
using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

/// <summary>The commands that look at the local node.</summary>
internal static class NodeCommands
{
    /// <summary>The options of <c>node check</c> that name what is to be checked.</summary>
    public static readonly IReadOnlyList<(OptionDefinition Option, CheckItem Item)> CheckOptions =
    [
        (Opt.CheckRole, CheckItem.Role),
        (Opt.CheckLag, CheckItem.Lag),
        (Opt.CheckArchive, CheckItem.Archive),
        (Opt.CheckUpstream, CheckItem.Upstream),
        (Opt.CheckDownstream, CheckItem.Downstream),
        (Opt.CheckSlots, CheckItem.Slots),
        (Opt.CheckMissingSlots, CheckItem.MissingSlots),
        (Opt.CheckDataDirectory, CheckItem.DataDirectory),
        (Opt.CheckRepmgrd, CheckItem.Repmgrd),
        (Opt.CheckConnection, CheckItem.Connection),
    ];

    public static readonly IReadOnlyList<CommandDefinition> All =
    [
        new(CommandName.NodeStatus, "node status", "show what is known of the local node")
        {
            Changes = false,
            Description =
            [
                "Shows the local server's version, size and role, how it archives its WAL, what it has for standbys, and of a standby where it replicates from and how far it is behind.",
                "What node check would not call OK is listed below, and the exit code is then 25. The lag is counted from what the primary has: a standby that receives nothing any more is behind, though it has replayed all it has.",
                "--is-shutdown-cleanly is for programs: it prints one line, --state=UP, SHUTTING_DOWN, SHUTDOWN, UNCLEAN_SHUTDOWN or UNKNOWN, with --last-checkpoint-lsn for one that has stopped in good order. It looks at the data directory and needs no server; the exit code is 0.",
            ],
            Needs = ["The local server runs, and the node is registered; for --is-shutdown-cleanly: the data directory can be read."],
            Options = [Opt.IsShutdownCleanly, Opt.Csv, Opt.Json],
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf node status", "Show the local node."),
                ("repmgr -f /etc/repmgr.conf node status --is-shutdown-cleanly", "See whether its server has stopped in good order."),
            ],
            ExitCodes = [.. CommonExitCodes.Database, (ExitCode.NodeStatus, "something is not as it should be")],
        },
        new(CommandName.NodeCheck, "node check", "check the local node, for monitoring systems")
        {
            Changes = false,
            Description =
            [
                "Checks that the local node runs as what it is registered as, how far it is behind, how many WAL files wait to be archived, that it is attached to its upstream and its standbys to it, that its replication slots are used and none is missing, and that data_directory names the server's own directory. Each item is OK, WARNING, CRITICAL or UNKNOWN.",
                "With one of the options that name an item, only that is checked, and the exit code is that of a Nagios plugin; --nagios prints the line of one, with its numbers.",
                "From where on there is a warning is set by archive_ready_warning and replication_lag_warning, and what is critical by archive_ready_critical and replication_lag_critical. An archive_command whose last attempt failed is a warning at once.",
                "--csv prints item, status and details in quotes, after the node's name and ID.",
            ],
            Needs = ["The local server runs, and the node is registered."],
            Options = [.. CheckOptions.Select(choice => choice.Option), Opt.Nagios, Opt.Csv, Opt.Json],
            Examples =
            [
                ("repmgr -f /etc/repmgr.conf node check", "Check everything."),
                ("repmgr -f /etc/repmgr.conf node check --replication-lag --nagios", "Check the lag, for Nagios."),
            ],
            ExitCodes =
            [
                (ExitCode.BadConfig, "one item: WARNING"),
                (ExitCode.BadRsync, "one item: CRITICAL"),
                (ExitCode.BadPidFileOrStopBackup, "one item: UNKNOWN, also when the configuration cannot be used or the server does not answer"),
                .. CommonExitCodes.Database,
                (ExitCode.NodeStatus, "an item is not OK"),
            ],
            Faults = CheckFaults,
        },
    ];

    private static IEnumerable<Problem> CheckFaults(CommandOptions options)
    {
        OptionDefinition[] items = [.. CheckOptions.Select(choice => choice.Option).Where(options.Has)];
        if (items.Length > 1)
            yield return new Problem($"more than one item is named: {string.Join(", ", items.Select(item => item.Display))}", Hint: "Name one, or none for all.");
        if (options.Csv && items.Length > 0)
            yield return new Problem("--csv is for all items together", Hint: "Leave out --csv, or the item; --json takes both.");
        if (options.Nagios && items.Length != 1)
            yield return new Problem("--nagios takes one item", "A plugin checks one thing.", "Name it, for instance with --replication-lag.");
    }
}
