using System.Globalization;
using System.Text;

namespace Repmgr.Core.CommandLine;

/// <summary>What <c>--help</c> shows, at most 80 columns wide.</summary>
public sealed class HelpText
{
    private const int Width = 80;
    private const int Column = 30;

    private readonly StringBuilder _text = new();

    private HelpText() { }

    public static string For(CommandTable table, Invocation.Help help)
    {
        var text = new HelpText();
        switch (help)
        {
            case { Command: { } command }:
                text.OfCommand(table, command);
                break;
            case { Object: { } subject }:
                text.OfObject(table, subject);
                break;
            default:
                text.OfProgram(table);
                break;
        }

        return text._text.ToString();
    }

    /// <summary>The line under "Usage": <c>repmgr [OPTION]... standby clone [NODE] [OPTION]...</c></summary>
    public static string Usage(CommandTable table, CommandDefinition command) => command switch
    {
        { Name: CommandName.DumpConfig } => $"{table.Program} --dump-config [OPTION]...",
        { Words: "" } => $"{table.Program} [OPTION]...",
        { Argument: { } argument } => $"{table.Program} {command.Words} [{argument.ToUpperInvariant()}] [OPTION]...",
        _ => $"{table.Program} {command.Words} [OPTION]...",
    };

    /// <summary>All spellings of an option: <c>-D, --pgdata=DIRECTORY</c>.</summary>
    public static string Spelling(OptionDefinition option, CommandDefinition? command = null)
    {
        string letters = string.Concat(option.Letters.Select(letter => $"-{letter}, "));
        string value = option switch
        {
            { TakesValue: false } => "",
            { ValueIsOptional: true } => $"[={option.Value.Placeholder}]",
            _ => $"={option.Value.Placeholder}",
        };
        return $"{letters}--{option.Name}{value}";
    }

    /// <summary>What an option does in a command, with its other names, the words it takes and its default.</summary>
    public static string Meaning(OptionDefinition option, CommandDefinition? command)
    {
        var parts = new List<string>();
        if (option.Value is OptionValue.Choice { Words: { Length: <= 4 } words })
            parts.Add($"one of: {string.Join(", ", words)}");
        if (option.Aliases.Count > 0)
            parts.Add($"also called {string.Join(", ", option.Aliases.Select(alias => $"--{alias}"))}");
        if (option.Default is { } fallback)
            parts.Add($"default: {fallback}");
        if (option.Deprecated is { } instead)
            parts.Add($"out of use: {instead}");
        string meaning = command?.MeaningOf(option) ?? option.Summary;
        return parts.Count == 0 ? meaning : $"{meaning} ({string.Join("; ", parts)})";
    }

    private void OfCommand(CommandTable table, CommandDefinition command)
    {
        Line($"{string.Join(' ', [table.Program, command.Words]).TrimEnd()}: {command.Summary}");
        Heading("Usage");
        Line($"  {Usage(table, command)}");
        if (command.IsLater)
        {
            Line("");
            Paragraph($"This command of repmgr 5.x is not in this version of {table.Program}.");
            return;
        }

        foreach (string paragraph in command.Description)
        {
            Line("");
            Paragraph(paragraph);
        }

        if (command.Needs.Count > 0)
            Heading("What it needs");
        foreach (string need in command.Needs)
            Wrapped("  - ", need);

        Heading("Options");
        Options(command.Options, command);
        Heading("Options of every command");
        Options(table.Common, null);
        ExitCodes(command);
        Examples(command);
        Line("");
        string page = string.Join('-', [table.Program, .. command.Words.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Line($"The manual page {page} says the same.");
    }

    private void OfObject(CommandTable table, string subject)
    {
        Line($"{table.Program} {subject}: commands");
        Heading("Usage");
        Line($"  {table.Program} {subject} ACTION [OPTION]...");
        Heading("Actions");
        foreach (CommandDefinition command in table.Commands.Where(command => command.Words.StartsWith($"{subject} ", StringComparison.Ordinal)))
            Entry(command.Words[(subject.Length + 1)..], command.IsLater ? $"{command.Summary} (not in this version)" : command.Summary);
        Line("");
        Line($"\"{table.Program} {subject} ACTION --help\" says more about each.");
    }

    private void OfProgram(CommandTable table)
    {
        if (table.Commands is [{ Words: "" } only])
        {
            OfCommand(table, only);
            return;
        }

        Line($"{table.Program}: manages PostgreSQL replication clusters");
        Heading("Usage");
        Line($"  {table.Program} [OPTION]... COMMAND [OPTION]...");
        Line($"  {table.Program} --dump-config [OPTION]...");
        Line("");
        Paragraph("Does one thing on the node it runs on, and ends. Options may stand before or after the command. Results go to standard output, messages to standard error.");
        Heading("Commands");
        foreach (CommandDefinition command in table.Available.Where(command => command.Words.Length > 0))
            Entry(command.Argument is { } argument ? $"{command.Words} [{argument.ToUpperInvariant()}]" : command.Words, command.Summary);
        Line("");
        Paragraph("The word master stands for primary. Commands may be written in any case.");
        Heading("Options of every command");
        Options(table.Common, null);
        Heading("Instead of a command");
        Options([Opt.DumpConfig], null);
        Heading("Known from repmgr 5, but not in this version");
        Wrapped("  ", string.Join(", ", table.Commands.Where(command => command.IsLater).Select(command => command.Words)) + ".");
        Line("");
        Line($"\"{table.Program} COMMAND --help\" says what a command does, what it needs, and its options.");
    }

    private void Options(IEnumerable<OptionDefinition> options, CommandDefinition? command)
    {
        foreach (OptionDefinition option in options)
        {
            string spelling = Spelling(option);
            Entry(option.Short is null ? $"    {spelling}" : spelling, Meaning(option, command));
        }
    }

    private void ExitCodes(CommandDefinition command)
    {
        Heading("Exit codes");
        IEnumerable<(int Code, string When)> codes = command.ExitCodes.Select(code => ((int)code.Code, code.When));
        foreach ((int code, string when) in codes.Prepend((1, "the command line or the configuration is wrong, or something stands in the way")).Prepend((0, "done")))
            Wrapped(string.Create(CultureInfo.InvariantCulture, $"  {code,-4}"), when);
    }

    private void Examples(CommandDefinition command)
    {
        if (command.Examples.Count == 0)
            return;
        Heading("Examples");
        foreach ((string line, string says) in command.Examples)
        {
            Wrapped("  ", says);
            Line($"    {line}");
        }
    }

    private void Heading(string text)
    {
        Line("");
        Line($"{text}:");
    }

    /// <summary>A term at the left, its meaning in the right column; a long term has a line of its own.</summary>
    private void Entry(string term, string meaning)
    {
        string left = $"  {term}";
        if (left.Length > Column - 2)
        {
            Line(left);
            left = "";
        }

        Wrapped(left.PadRight(Column), meaning);
    }

    private void Paragraph(string text) => Wrapped("", text);

    /// <summary>Text after a prefix; the lines that follow are indented by as much.</summary>
    private void Wrapped(string prefix, string text)
    {
        var line = new StringBuilder(prefix);
        foreach (string word in text.Split(' '))
        {
            if (line.Length > prefix.Length && line.Length + 1 + word.Length > Width)
            {
                Line(line.ToString());
                line.Clear().Append(' ', prefix.Length);
            }

            if (line.Length > prefix.Length)
                line.Append(' ');
            line.Append(word);
        }

        Line(line.ToString());
    }

    private void Line(string text) => _text.Append(text).Append('\n');
}
