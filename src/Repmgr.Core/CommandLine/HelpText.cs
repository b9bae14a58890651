using System.Text;

namespace Repmgr.Core.CommandLine;

/// <summary>What <c>--help</c> shows.</summary>
public static class HelpText
{
    public static string For(CommandTable table, Invocation.Help help)
    {
        var text = new StringBuilder();
        foreach (CommandDefinition command in table.Commands)
            text.AppendLine($"  {table.Program} {command.Words}: {command.Summary}");
        return text.ToString();
    }
}
