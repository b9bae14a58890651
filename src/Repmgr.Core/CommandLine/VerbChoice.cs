using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

/// <summary>Which command the words of a command line call.</summary>
/// <param name="Object">The first word, when it is known.</param>
/// <param name="Command">Null when the words call none.</param>
/// <param name="Argument">The word after the command, where it takes one.</param>
/// <param name="Problems">Why the words call none, or which are too many.</param>
internal sealed record VerbChoice(string? Object, CommandDefinition? Command, string? Argument, IReadOnlyList<Problem> Problems)
{
    public static VerbChoice Make(CommandLineSplit split, CommandTable table)
    {
        if (table.Commands is [{ Words: "" } only])
            return new VerbChoice(null, only, null, [.. split.Words.Select(Unexpected)]);

        string[] words = [.. SkipValuesOfUnknownOptions(split, table)];
        if (split.Options.Any(token => token.Candidates.Contains(Opt.DumpConfig)))
        {
            CommandDefinition dump = table.Commands.Single(command => command.Name == CommandName.DumpConfig);
            return words.Length == 0
                ? new VerbChoice(null, dump, null, [])
                : new VerbChoice(null, dump, null, [new Problem("option --dump-config stands alone, without a command", $"The command line also has: {string.Join(' ', words)}.")]);
        }

        if (words.Length == 0)
            return new VerbChoice(null, null, null, [new Problem("no command was given", Hint: $"\"{table.Program} --help\" lists them.")]);

        string first = Plain(words[0]);
        string subject = CommandTable.Aliases.GetValueOrDefault(first, first);
        if (!table.Objects.Contains(subject))
            return new VerbChoice(null, null, null, [UnknownObject(words, table)]);
        if (words.Length == 1)
            return new VerbChoice(subject, null, null, [NoAction(first, subject, table)]);

        string called = $"{subject} {Plain(words[1])}";
        called = CommandTable.Aliases.GetValueOrDefault(called, called);
        return table.Commands.FirstOrDefault(command => command.Words == called) is { } found
            ? WithArgument(subject, found, words[2..])
            : new VerbChoice(subject, null, null, [UnknownAction(words, subject, table)]);
    }

    private static Problem NoAction(string first, string subject, CommandTable table) =>
        table.Available.Any(command => command.Words.StartsWith($"{subject} ", StringComparison.Ordinal))
            ? new Problem($"command \"{first}\" needs an action", Hint: $"It has: {Actions(table, subject)}.")
            : new Problem($"command \"{first}\" is not in this version of {table.Program}", Hint: $"\"{table.Program} --help\" lists the commands there are.");

    private static VerbChoice WithArgument(string subject, CommandDefinition command, string[] rest)
    {
        string? argument = command.Argument is null ? null : rest.FirstOrDefault();
        Problem[] tooMany = [.. rest.Skip(argument is null ? 0 : 1).Select(Unexpected)];
        return argument is { Length: 0 }
            ? new VerbChoice(subject, command, null, [new Problem($"the {command.Argument} after \"{command.Words}\" is empty"), .. tooMany])
            : new VerbChoice(subject, command, argument, tooMany);
    }

    // "--colour blue standby clone": "blue" is the value of an option we do not know; calling it an unknown command would hide the fault.
    private static IEnumerable<string> SkipValuesOfUnknownOptions(CommandLineSplit split, CommandTable table) =>
        split.Options.Any(token => token.Candidates.Count == 0) && split.Words.Any(word => IsObject(word, table))
            ? split.Words.SkipWhile(word => !IsObject(word, table))
            : split.Words;

    private static bool IsObject(string word, CommandTable table) =>
        table.Objects.Contains(CommandTable.Aliases.GetValueOrDefault(Plain(word), Plain(word)));

    private static Problem Unexpected(string word) => new($"unexpected argument \"{word}\"");

    private static Problem UnknownObject(string[] words, CommandTable table)
    {
        string first = Plain(words[0]);
        string[] second = words.Length > 1 ? [Plain(words[1])] : [];
        CommandDefinition[] meant = [.. table.Available.Where(command => (first.Length > 0 && command.Words == first.Replace('-', ' ').Replace('_', ' ')) || Fits(command, first, second))];
        string hint = meant.Length > 0
            ? $"Perhaps you meant {Listed(meant)}."
            : Nearest.To(first, [.. table.Objects, .. CommandTable.Aliases.Keys.Where(alias => !alias.Contains(' '))]) is { } near
                ? $"Perhaps you meant \"{string.Join(' ', [near, .. second])}\"."
                : $"It begins with one of: {string.Join(", ", table.Available.Select(command => command.Words.Split(' ')[0]).Where(word => word.Length > 0).Distinct())}. See \"{table.Program} --help\".";
        return new Problem($"unknown command \"{words[0]}\"", Hint: hint);
    }

    // The action without its object ("promote"), or the two exchanged ("register primary").
    private static bool Fits(CommandDefinition command, string first, string[] second) =>
        command.Words.Split(' ') is [var subject, var action] && action == first && (second.Length == 0 || subject == CommandTable.Aliases.GetValueOrDefault(second[0], second[0]))
        || command.Words.Split(' ') is [_, var only] && only == first && second.Length == 1 && command.Argument is not null;

    private static Problem UnknownAction(string[] words, string subject, CommandTable table)
    {
        string action = Plain(words[1]);
        CommandDefinition[] elsewhere = [.. table.Available.Where(command => command.Words.EndsWith($" {action}", StringComparison.Ordinal))];
        string[] actions = [.. table.Commands.Where(command => command.Words.StartsWith($"{subject} ", StringComparison.Ordinal)).Select(command => command.Words[(subject.Length + 1)..])];
        string hint = Nearest.To(action, actions) is { } near
            ? $"Perhaps you meant \"{subject} {near}\"."
            : elsewhere.Length > 0
                ? $"Perhaps you meant {Listed(elsewhere)}."
                : $"It has: {Actions(table, subject)}.";
        return new Problem($"unknown action \"{words[1]}\" of command \"{Plain(words[0])}\"", Hint: hint);
    }

    private static string Actions(CommandTable table, string subject) =>
        string.Join(", ", table.Commands.Where(command => command.Words.StartsWith($"{subject} ", StringComparison.Ordinal)).OrderBy(command => command.IsLater)
            .Select(command => command.Words[(subject.Length + 1)..] + (command.IsLater ? " (not in this version)" : "")));

    private static string Listed(IEnumerable<CommandDefinition> commands) => string.Join(" or ", commands.Select(command => $"\"{command.Words}\""));

    private static string Plain(string word) => word.ToLowerInvariant();
}
