namespace Repmgr.Core.CommandLine;

internal static class PrimaryCommands
{
    public static readonly IReadOnlyList<CommandDefinition> All =
    [
        new(CommandName.PrimaryRegister, "primary register", "register the local server as the primary of a cluster")
        {
            Options = [Opt.DryRun, Opt.Force, Opt.Json],
        },
        new(CommandName.PrimaryUnregister, "primary unregister", "remove the record of a primary that is no more")
        {
            Options = [Opt.NodeId, Opt.DryRun, Opt.Force, Opt.Json],
        },
    ];
}
