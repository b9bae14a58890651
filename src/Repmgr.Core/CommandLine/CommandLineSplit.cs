namespace Repmgr.Core.CommandLine;

/// <summary>A command line cut into words and options, before it is known which command it calls.</summary>
/// <param name="Words">What is neither an option nor an option's value, in order.</param>
/// <param name="Options">The options, in order.</param>
internal sealed record CommandLineSplit(IReadOnlyList<string> Words, IReadOnlyList<CommandLineSplit.Token> Options)
{
    /// <summary>An option as it was written.</summary>
    /// <param name="Spelled">With its dashes, without its value: for messages.</param>
    /// <param name="Candidates">The definitions that go by this name; empty when it is unknown.</param>
    /// <param name="Value">The value, attached or from the next word; null when there is none.</param>
    /// <param name="ValueWasApart">The value was a word of its own.</param>
    /// <param name="WordsBefore">How many words stood before it.</param>
    public sealed record Token(string Spelled, IReadOnlyList<OptionDefinition> Candidates, string? Value, bool ValueWasApart, int WordsBefore);

    /// <summary>Cuts. Options may stand anywhere; <c>--</c> ends them; letters may be joined: <c>-vF</c>, <c>-hnode1</c>.</summary>
    /// <param name="arguments">What was typed.</param>
    /// <param name="all">Every option there is.</param>
    /// <param name="own">The options of the command, once that is known: they come before others of the same name.</param>
    public static CommandLineSplit Cut(IReadOnlyList<string> arguments, OptionDefinition[] all, OptionDefinition[] own)
    {
        var words = new List<string>();
        var options = new List<Token>();
        for (int index = 0; index < arguments.Count; index++)
        {
            string argument = arguments[index];
            string? next = index + 1 < arguments.Count ? arguments[index + 1] : null;
            if (argument == "--")
            {
                words.AddRange(arguments.Skip(index + 1));
                break;
            }

            bool tookNext = false;
            if (argument.StartsWith("--", StringComparison.Ordinal))
                options.Add(Long(argument, next, Named, words.Count, out tookNext));
            else if (argument is ['-', _, ..])
                options.AddRange(Letters(argument, next, Named, words.Count, out tookNext));
            else
                words.Add(argument);

            if (tookNext)
                index++;
        }

        return new CommandLineSplit(words, options);

        OptionDefinition[] Named(Func<OptionDefinition, bool> fits) => own.Where(fits).ToArray() is { Length: > 0 } mine ? mine : [.. all.Where(fits)];
    }

    private static Token Long(string argument, string? next, Func<Func<OptionDefinition, bool>, OptionDefinition[]> named, int wordsBefore, out bool tookNext)
    {
        int equals = argument.IndexOf('=');
        string name = (equals < 0 ? argument : argument[..equals])[2..];
        string? value = equals < 0 ? null : argument[(equals + 1)..];
        string plain = name.Replace('_', '-');
        OptionDefinition[] candidates = named(option => option.LongNames.Contains(plain));
        tookNext = value is null && TakesNext(candidates, next);
        return new Token($"--{name}", candidates, tookNext ? next : value, tookNext, wordsBefore);
    }

    private static List<Token> Letters(string argument, string? next, Func<Func<OptionDefinition, bool>, OptionDefinition[]> named, int wordsBefore, out bool tookNext)
    {
        var tokens = new List<Token>();
        tookNext = false;
        for (int at = 1; at < argument.Length; at++)
        {
            char letter = argument[at];
            OptionDefinition[] candidates = named(option => option.Letters.Contains(letter));
            string rest = argument[(at + 1)..];
            bool attached = rest.Length > 0 && candidates.Any(option => option.TakesValue) && TakesAttached(candidates, rest);
            if (!attached && rest.Length == 0)
                tookNext = TakesNext(candidates, next);

            string? value = attached ? rest : tookNext ? next : null;
            tokens.Add(new Token($"-{letter}", candidates, value, tookNext, wordsBefore));
            if (attached)
                break;

            // After an unknown letter the rest may as well be its value: naming each of its letters would only confuse.
            if (candidates.Length == 0)
                break;
        }

        return tokens;
    }

    // A letter that takes a value in every command takes all that is attached. One whose value is optional somewhere (-w) takes
    // attached digits, so that -wF still means two letters.
    private static bool TakesAttached(OptionDefinition[] candidates, string rest) =>
        candidates.All(option => option is { TakesValue: true, ValueIsOptional: false }) || IsNumber(rest) || candidates.All(option => option.Value is not OptionValue.Integer);

    // A word of its own is a value where every definition of the name needs one. Where that depends on the command (-w), or
    // the value is an optional number, a number is the value and anything else is not: no verb is a number.
    private static bool TakesNext(OptionDefinition[] candidates, string? next)
    {
        if (next is null || candidates.Length == 0 || !candidates.Any(option => option.TakesValue) || LooksLikeOption(next))
            return false;
        if (candidates.All(option => option is { TakesValue: true, ValueIsOptional: false }))
            return true;
        return candidates.Any(option => option.Value is OptionValue.Integer) && IsNumber(next.TrimStart('-'));
    }

    // "-h --port 5432": the host was forgotten. A value that does begin with a dash can be attached.
    private static bool LooksLikeOption(string text) => text is ['-', _, ..] && !IsNumber(text[1..]);

    private static bool IsNumber(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExceptInRange('0', '9');
}
