using System.Text;
using Repmgr.Core.CommandLine;

namespace Repmgr.Tests.CommandLine.Documents;

/// <summary>The reference for reading in a browser: <c>docs/commands</c>.</summary>
internal static class MarkdownPages
{
    /// <summary>File name and text of every page.</summary>
    public static IEnumerable<(string File, string Text)> All =>
        [("README.md", Overview()), .. Pages.WithPage.Select(page => (Pages.MarkdownFile(page.Table, page.Command), Of(page.Table, page.Command)))];

    private static string Overview()
    {
        var text = new StringBuilder("# Commands\n\n");
        text.Append("Generated from the command table by `make docs`; `--help` of each command and its manual page say the same.\n\n");
        text.Append("| command | what it does |\n|---|---|\n");
        foreach ((CommandTable table, CommandDefinition command) in Pages.WithPage)
            text.Append($"| [`{string.Join(' ', [table.Program, command.Words]).TrimEnd()}`]({Pages.MarkdownFile(table, command)}) | {command.Summary} |\n");
        text.Append($"| `repmgr --dump-config` | {Opt.DumpConfig.Summary} |\n");
        foreach ((string title, string[] paragraphs) in Pages.Invocation)
        {
            text.Append($"\n## {title}\n");
            foreach (string paragraph in paragraphs)
                text.Append($"\n{Escape(paragraph)}\n");
        }

        text.Append("\n## Options of every command\n\n");
        Options(text, CommandTable.Repmgr.Common, null);
        text.Append("\n## Commands of repmgr 5 that are not in this version\n\n");
        text.Append(string.Join(", ", CommandTable.Repmgr.Commands.Where(command => command.IsLater).Select(command => $"`{command.Words}`")));
        text.Append(". Each is recognised, and refused with exit code 1.\n\nSee also: [configuration](../configuration.md), [exit codes](../exit-codes.md), [events](../events.md).\n");
        return text.ToString();
    }

    private static string Of(CommandTable table, CommandDefinition command)
    {
        var text = new StringBuilder($"# {string.Join(' ', [table.Program, command.Words]).TrimEnd()}\n\n");
        text.Append($"{Sentence(command.Summary)}\n\n```\n{HelpText.Usage(table, command)}\n```\n");
        foreach (string paragraph in command.Description)
            text.Append($"\n{Escape(paragraph)}\n");
        text.Append("\n## What it needs\n\n");
        foreach (string need in command.Needs)
            text.Append($"- {Escape(need)}\n");
        text.Append("\n## Options\n\n");
        Options(text, command.Options, command);
        text.Append(table == CommandTable.Repmgrd ? "\nBesides:\n\n" : "\n[Options of every command](README.md#options-of-every-command):\n\n");
        Options(text, table.Common, null);
        text.Append("\n## Exit codes\n\n| code | when |\n|---|---|\n");
        foreach ((int code, string when) in Pages.ExitCodes(command))
            text.Append($"| {code} | {Escape(when)} |\n");
        text.Append("\n[All exit codes](../exit-codes.md)\n\n## Examples\n");
        foreach ((string line, string says) in command.Examples)
            text.Append($"\n{says}\n\n```\n{line}\n```\n");
        return text.ToString();
    }

    private static void Options(StringBuilder text, IEnumerable<OptionDefinition> options, CommandDefinition? command)
    {
        text.Append("| option | meaning |\n|---|---|\n");
        foreach (OptionDefinition option in options)
            text.Append($"| `{HelpText.Spelling(option)}` | {Escape(HelpText.Meaning(option, command))} |\n");
    }

    private static string Sentence(string clause) => $"{char.ToUpperInvariant(clause[0])}{clause[1..]}.";

    private static string Escape(string text) =>
        text.Replace("*", "\\*", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
