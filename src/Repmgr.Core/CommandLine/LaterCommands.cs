namespace Repmgr.Core.CommandLine;

/// <summary>The commands of repmgr 5.x that this version does not have: they are known, so that the answer is clear.</summary>
internal static class LaterCommands
{
    public static readonly IReadOnlyList<CommandDefinition> All =
    [
        Later("standby switchover", "exchange the roles of this standby and the primary"),
        Later("witness create", "create a witness server"),
        Later("node rejoin", "bring a stopped node back as a standby"),
        Later("node service", "start, stop or reload the local server"),
        Later("node control", "change the local node's WAL receiver"),
        Later("cluster matrix", "show which node can connect to which, as seen from here"),
        Later("cluster crosscheck", "show which node can connect to which, as seen from all nodes"),
    ];

    private static CommandDefinition Later(string words, string summary) => new(CommandName.Later, words, summary);
}
