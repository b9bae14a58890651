namespace Repmgr.Core.CommandLine;

internal static class WitnessCommands
{
    public static readonly IReadOnlyList<CommandDefinition> All =
    [
        new(CommandName.WitnessRegister, "witness register", "register this host as a witness")
        {
            Description =
            [
                "A witness is a voter without data: with two servers it is the third voice, so that either of them can be lost. It needs a host of its own and no PostgreSQL. Its repmgr.conf has three lines: node_id and node_name, which no other node has, and conninfo, which leads to the primary's database; naming several hosts there, as libpq allows, lets it find the cluster whichever of them is the primary.",
                "The record is written on the primary. Start repmgrd on this host then: it listens on api_listen, and keeps what it must not forget in state_directory, by default ~/.repmgr-witness followed by its node_id.",
                "The other nodes reach it at api_address, by default at this host's name. A record that is there already is written anew with --force.",
            ],
            Needs = ["The primary can be reached.", "The role of conninfo may read the cluster's secret: it owns the schema repmgr, or is a superuser."],
            Options = [Opt.DryRun, Opt.Force, Opt.Json],
            Meanings = new Dictionary<OptionDefinition, string> { [Opt.Force] = "write an existing record of this witness anew" },
            Examples = [("repmgr -f /etc/repmgr.conf witness register", "Register this host as a witness.")],
            ExitCodes = CommonExitCodes.Database,
        },
        new(CommandName.WitnessUnregister, "witness unregister", "remove a witness's record")
        {
            Description =
            [
                "Removes the record of a witness from the cluster's metadata, and waits until it votes no more where failover is automatic. Stop its repmgrd afterwards, and remove its state directory before the host becomes another node.",
                "It runs on any node; without --node-id it removes the record of the node it runs on.",
            ],
            Needs = ["A primary of the cluster can be reached."],
            Options = [Opt.NodeId, Opt.DryRun, Opt.Json],
            Meanings = new Dictionary<OptionDefinition, string> { [Opt.NodeId] = "remove the record of the node with this ID" },
            Examples = [("repmgr -f /etc/repmgr.conf witness unregister --node-id=3", "Remove the record of witness 3.")],
            ExitCodes = CommonExitCodes.Database,
        },
    ];
}
