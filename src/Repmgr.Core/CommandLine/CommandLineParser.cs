using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

/// <summary>Understands a command line, or says everything that is wrong with it.</summary>
public static class CommandLineParser
{
    public static Invocation Parse(IReadOnlyList<string> arguments, CommandTable table)
    {
        (CommandLineSplit split, VerbChoice verb) = Understand(arguments, table);
        if (Asks(split, Opt.Help))
            return new Invocation.Help(verb.Object, verb.Command);
        if (Asks(split, Opt.Version))
            return new Invocation.Version();
        if (Asks(split, Opt.VersionNumber))
            return new Invocation.VersionNumber();

        OptionReading reading = OptionReading.Read(split, verb, table);
        if (verb.Command is { IsLater: true } later)
            return new Invocation.Wrong([NotYet(later, table)], reading.Options);

        List<Problem> problems = [.. verb.Problems, .. reading.Problems, .. Contradictions(reading.Options, verb.Command, table)];
        return problems.Count == 0 && verb.Command is { } command
            ? new Invocation.Run(command, reading.Options)
            : new Invocation.Wrong(problems, reading.Options);
    }

    // Once the command is known, a letter of two meanings has one: cut again, so that the "many" of "standby clone -w many" is
    // seen for the bad value that it is. Unless that would swallow the command itself ("-w standby clone").
    private static (CommandLineSplit Split, VerbChoice Verb) Understand(IReadOnlyList<string> arguments, CommandTable table)
    {
        var first = CommandLineSplit.Cut(arguments, [.. table.AllOptions], []);
        var verb = VerbChoice.Make(first, table);
        if (verb.Command is not { IsLater: false } command)
            return (first, verb);

        var second = CommandLineSplit.Cut(arguments, [.. table.AllOptions], [.. table.OptionsOf(command)]);
        var again = VerbChoice.Make(second, table);
        return again.Command == command ? (second, again) : (first, verb);
    }

    private static bool Asks(CommandLineSplit split, OptionDefinition option) => split.Options.Any(token => token.Candidates.Contains(option));

    private static Problem NotYet(CommandDefinition command, CommandTable table) => new(
        $"command \"{command.Words}\" is not in this version of {table.Program}",
        Hint: $"\"{table.Program} --help\" lists the commands there are.");

    private static IEnumerable<Problem> Contradictions(CommandOptions options, CommandDefinition? command, CommandTable table)
    {
        foreach ((OptionDefinition one, OptionDefinition other) in table.Exclusions)
        {
            if (options.Has(one) && options.Has(other))
                yield return new Problem($"options {one.Display} and {other.Display} exclude each other", Hint: "Give one of them.");
        }

        foreach (Problem fault in command?.Faults?.Invoke(options) ?? [])
            yield return fault;
    }
}
