namespace Repmgr.Core.CommandLine;

/// <summary>An option, defined once: the parser, <c>--help</c>, the manual and the completions all read this.</summary>
/// <param name="name">The long name, without dashes. An underscore in what the user writes counts as a dash.</param>
/// <param name="letter">The one-letter name, or null. A letter may mean different things in different commands.</param>
/// <param name="value">What follows the name.</param>
/// <param name="summary">What it does: a clause in lower case without a full stop.</param>
public sealed class OptionDefinition(string name, char? letter, OptionValue value, string summary)
{
    public string Name { get; } = name;

    public char? Short { get; } = letter;

    public OptionValue Value { get; } = value;

    public string Summary { get; } = summary;

    /// <summary>Other long names that mean the same.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>A second letter that means the same.</summary>
    public char? OtherShort { get; init; }

    /// <summary>The value may be left out; if given it is attached: <c>--wait=30</c>, <c>-w30</c>.</summary>
    public bool ValueIsOptional { get; init; }

    /// <summary>What holds when it is not given, in words; null when that is plain.</summary>
    public string? Default { get; init; }

    /// <summary>Said as a notice when it is given: it is accepted for scripts written for an older repmgr.</summary>
    public string? Deprecated { get; init; }

    /// <summary>Not in this version: known, so that the user hears this rather than "unknown option".</summary>
    public bool IsLater { get; init; }

    public bool TakesValue => Value is not OptionValue.Nothing;

    /// <summary>For messages: <c>-h/--host</c>, or <c>--csv</c> when it has no letter.</summary>
    public string Display => Short is { } letter ? $"-{letter}/--{Name}" : $"--{Name}";

    /// <summary>All long names.</summary>
    public IEnumerable<string> LongNames => [Name, .. Aliases];

    /// <summary>All letters.</summary>
    public IEnumerable<char> Letters => ((char?[])[Short, OtherShort]).OfType<char>();
}
