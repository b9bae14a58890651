using Repmgr.Core.Problems;

namespace Repmgr.Core.CommandLine;

/// <summary>What a command line asks for.</summary>
public abstract record Invocation
{
    private Invocation() { }

    /// <summary>Run a command.</summary>
    public sealed record Run(CommandDefinition Command, CommandOptions Options) : Invocation;

    /// <summary>Show help, of a command, of all commands on an object, or of the program.</summary>
    /// <param name="Object">The first word; null for the program.</param>
    /// <param name="Command">Null when no whole command was named.</param>
    public sealed record Help(string? Object, CommandDefinition? Command) : Invocation;

    public sealed record Version : Invocation;

    public sealed record VersionNumber : Invocation;

    /// <summary>It cannot be understood, or contradicts itself: every reason.</summary>
    /// <param name="Problems">The reasons.</param>
    /// <param name="Options">What was understood, for how the reasons are to be shown (<c>--json</c>, <c>--terse</c>).</param>
    public sealed record Wrong(IReadOnlyList<Problem> Problems, CommandOptions Options) : Invocation;
}
