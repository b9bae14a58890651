using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

/// <summary>The options of a command line, judged for the command that it calls.</summary>
internal sealed record OptionReading(CommandOptions Options, IReadOnlyList<Problem> Problems)
{
    public static OptionReading Read(CommandLineSplit split, VerbChoice verb, CommandTable table)
    {
        var given = new Dictionary<OptionDefinition, string?>();
        var problems = new List<Problem>();
        foreach (CommandLineSplit.Token token in split.Options)
        {
            if (Choose(token, verb.Command, table) is not { } option)
                problems.Add(Unknown(token, verb.Command, table));
            else if (Misplaced(option, token, verb.Command, table) is { } misplaced)
                problems.Add(misplaced);
            else if (Fault(option, token, verb.Command) is { } fault)
                problems.Add(fault);
            else if (given.TryGetValue(option, out string? before) && before != token.Value)
                problems.Add(new Problem($"option {option.Display} is given twice", $"Once as \"{before}\" and once as \"{token.Value}\".", "Give it once."));
            else
                given[option] = token.Value;
        }

        return new OptionReading(new CommandOptions(given, verb.Argument), problems.Distinct().ToList());
    }

    // The same letter may name different options: the command decides.
    private static OptionDefinition? Choose(CommandLineSplit.Token token, CommandDefinition? command, CommandTable table) =>
        (command is null ? null : token.Candidates.FirstOrDefault(table.OptionsOf(command).Contains))
        ?? (token.Candidates is [var first, ..] ? first : null);

    private static Problem Unknown(CommandLineSplit.Token token, CommandDefinition? command, CommandTable table)
    {
        IEnumerable<OptionDefinition> own = command is null or { IsLater: true } ? [] : table.OptionsOf(command);
        string name = token.Spelled.TrimStart('-').Replace('_', '-');
        string? near = name.Length < 2 ? null : Near(name, own) ?? Near(name, table.AllOptions);
        return new Problem(
            $"unknown option \"{token.Spelled}\"",
            Hint: near is not null ? $"Perhaps you meant --{near}." : $"\"{HelpCommand(command, table)}\" lists the options.");
    }

    // What only one name begins with is a shortened name; else it may be mistyped.
    private static string? Near(string name, IEnumerable<OptionDefinition> options)
    {
        string[] names = [.. options.SelectMany(option => option.LongNames)];
        return names.Where(known => known.StartsWith(name, StringComparison.OrdinalIgnoreCase)).ToArray() is [var only] ? only : Nearest.To(name, names);
    }

    private static Problem? Misplaced(OptionDefinition option, CommandLineSplit.Token token, CommandDefinition? command, CommandTable table)
    {
        if (command is null or { IsLater: true } || table.OptionsOf(command).Contains(option))
            return null;
        if (option.IsLater)
            return new Problem($"option {option.Display} is not in this version of {table.Program}", Hint: $"\"{HelpCommand(command, table)}\" lists the options there are.");

        // A letter of several meanings: name the commands of all of them.
        string[] takers = [.. token.Candidates.SelectMany(table.Taking).Select(taker => taker.Words.Length == 0 ? "--dump-config" : taker.Words).Distinct()];
        string subject = command.Words.Length == 0 ? (command.Name == CommandName.DumpConfig ? "--dump-config" : table.Program) : $"command \"{command.Words}\"";
        return new Problem($"{subject} does not take option {(token.Candidates.Count > 1 ? token.Spelled : option.Display)}", Hint: $"It belongs to: {string.Join(", ", takers)}.");
    }

    private static Problem? Fault(OptionDefinition option, CommandLineSplit.Token token, CommandDefinition? command)
    {
        // Before the command is known, only an option of one meaning can be judged.
        if (command is null && token.Candidates.Count > 1)
            return null;

        // The next word was cut off as a value by the letter's other meaning.
        if (!option.TakesValue)
            return token.Value is null ? null : new Problem($"option {option.Display} takes no value", $"It was given \"{token.Value}\".");
        if (token.Value is null)
            return option.ValueIsOptional ? null : new Problem($"option {option.Display} needs a value", Hint: $"Write --{option.Name}={option.Value.Placeholder}.");
        if (option.Value.Fault(token.Value) is { } reason)
            return new Problem($"invalid value \"{token.Value}\" for option {option.Display}", reason);

        return option.ValueIsOptional && token.ValueWasApart && command?.Argument is { } argument
            ? new Problem(
                $"it is not clear whether \"{token.Value}\" is the value of {option.Display} or the {argument}",
                Hint: $"Write --{option.Name}={token.Value} for the value, or put the {argument} before the option.")
            : null;
    }

    private static string HelpCommand(CommandDefinition? command, CommandTable table) =>
        command is null or { Words: "" } ? $"{table.Program} --help" : $"{table.Program} {command.Words} --help";
}
