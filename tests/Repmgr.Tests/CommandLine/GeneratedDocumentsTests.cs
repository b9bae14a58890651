using Repmgr.Core.CommandLine;
using Repmgr.Tests.CommandLine.Documents;

namespace Repmgr.Tests.CommandLine;

/// <summary>What is written from the command table and kept in the repository is what the table says now.</summary>
public sealed class GeneratedDocumentsTests
{
    [Fact]
    public void The_manual_pages_are_up_to_date() => Match("docs/man", "*", [.. ManPages.All]);

    [Fact]
    public void The_command_reference_is_up_to_date() => Match("docs/commands", "*.md", [.. MarkdownPages.All]);

    [Fact]
    public void The_completions_are_up_to_date()
    {
        Golden.Matches("packaging/completions/bash/repmgr", BashCompletion.Of(CommandTable.Repmgr));
        Golden.Matches("packaging/completions/bash/repmgrd", BashCompletion.Of(CommandTable.Repmgrd));
        Golden.Matches("packaging/completions/zsh/_repmgr", ZshCompletion.Of(CommandTable.Repmgr));
        Golden.Matches("packaging/completions/zsh/_repmgrd", ZshCompletion.Of(CommandTable.Repmgrd));
    }

    [Fact]
    public void The_help_of_every_command_is_what_it_was()
    {
        foreach ((string file, string text) in HelpTexts())
            Golden.Matches($"tests/Repmgr.Tests/CommandLine/help/{file}", text);
        Golden.HasOnly("tests/Repmgr.Tests/CommandLine/help", "*", HelpTexts().Select(help => help.File));
    }

    private static void Match(string directory, string pattern, (string File, string Text)[] pages)
    {
        foreach ((string file, string text) in pages)
            Golden.Matches($"{directory}/{file}", text);
        Golden.HasOnly(directory, pattern, pages.Select(page => page.File));
    }

    private static IEnumerable<(string File, string Text)> HelpTexts()
    {
        CommandTable table = CommandTable.Repmgr;
        yield return ("repmgr.txt", HelpText.For(table, new Invocation.Help(null, null)));
        yield return ("repmgrd.txt", HelpText.For(CommandTable.Repmgrd, new Invocation.Help(null, null)));
        yield return ("dump-config.txt", HelpText.For(table, new Invocation.Help(null, table.Commands.Single(command => command.Name == CommandName.DumpConfig))));
        foreach (string subject in table.Objects)
            yield return ($"{subject}.txt", HelpText.For(table, new Invocation.Help(subject, null)));
        foreach (CommandDefinition command in table.Available.Where(command => command.Words.Length > 0))
            yield return ($"{command.Words.Replace(' ', '-')}.txt", HelpText.For(table, new Invocation.Help(null, command)));
    }
}
