using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

/// <summary>The commands that show who can connect to whom.</summary>
internal static class MatrixCommands
{
    private static readonly (ExitCode Code, string When)[] Codes =
    [
        .. CommonExitCodes.Database,
        (ExitCode.NodeStatus, "a node cannot connect to another"),
        (ExitCode.BadSsh, "a node could not be asked, and no connection is known to have failed"),
    ];

    private static readonly Dictionary<OptionDefinition, string> Meanings = new() { [Opt.RemoteUser] = "operating system user on the other hosts, for ssh" };

    private const string Marks = "A row says whom that node can connect to: * it can, x it cannot, ? is not known. --csv prints from, to, and 0, -1 or -2 for these.";

    private const string Ways =
        "With failover = automatic the agents are asked, which try it at that moment; where an agent does not answer, and with failover = manual, repmgr is run on the other host over ssh, as repmgr 5 did. It is looked for in repmgr_bindir there, or where it lies here.";

    public static readonly IReadOnlyList<CommandDefinition> All =
    [
        new(CommandName.ClusterMatrix, "cluster matrix", "show which node can connect to which, as seen from here")
        {
            Changes = false,
            Description = ["Connects to the server of every node, and asks every node to do the same.", Marks, Ways],
            Needs = ["One node of the cluster can be reached, and the others' agents, or their hosts over ssh without a password."],
            Options = [Opt.RemoteUser, Opt.Csv, Opt.Json],
            Meanings = Meanings,
            Examples = [("repmgr -f /etc/repmgr.conf cluster matrix", "See who can connect to whom.")],
            ExitCodes = Codes,
        },
        new(CommandName.ClusterCrosscheck, "cluster crosscheck", "show which node can connect to which, as seen from all nodes")
        {
            Changes = false,
            Description =
            [
                "Asks every node for what cluster matrix shows there, and puts the answers together: of a node that cannot be asked from here another one may know.",
                Marks,
                Ways,
            ],
            Needs = ["One node of the cluster can be reached, and the others' agents, or their hosts over ssh without a password."],
            Options = [Opt.RemoteUser, Opt.Csv, Opt.Json],
            Meanings = Meanings,
            Examples = [("repmgr -f /etc/repmgr.conf cluster crosscheck --csv", "See it from all nodes, for a program to read.")],
            ExitCodes = Codes,
        },
    ];
}
