namespace Repmgr.Core.CommandLine;

/// <summary>The commands of repmgr 5.x that this version does not have: they are known, so that the answer is clear.</summary>
internal static class LaterCommands
{
    public static readonly IReadOnlyList<CommandDefinition> All =
    [
        Later("witness create", "create a witness server"),
    ];

    private static CommandDefinition Later(string words, string summary) => new(CommandName.Later, words, summary);
}
