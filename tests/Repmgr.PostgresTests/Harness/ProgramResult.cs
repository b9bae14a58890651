using Repmgr.Core.Problems;

namespace Repmgr.PostgresTests.Harness;

/// <summary>What a program that has ended left: its exit code and all it wrote.</summary>
public sealed record ProgramResult(string CommandLine, int ExitCode, string Stdout, string Stderr, TimeSpan Took)
{
    /// <summary>Fails, showing everything the program wrote, unless it ended with this code.</summary>
    public ProgramResult ShouldExit(ExitCode expected) => ShouldExit((int)expected);

    public ProgramResult ShouldExit(int expected)
    {
        if (ExitCode != expected)
            Assert.Fail($"Expected exit code {expected}.\n{this}");
        return this;
    }

    public ProgramResult ShouldSucceed() => ShouldExit(0);

    /// <summary>Stdout and stderr must hold this text together, in either.</summary>
    public ProgramResult ShouldSay(string text)
    {
        if (!Stdout.Contains(text, StringComparison.Ordinal) && !Stderr.Contains(text, StringComparison.Ordinal))
            Assert.Fail($"Expected the text «{text}».\n{this}");
        return this;
    }

    public override string ToString() =>
        $"$ {CommandLine}\n[exit code {ExitCode} after {Took.TotalSeconds:0.00} s]\n--- stdout\n{Stdout.TrimEnd()}\n--- stderr\n{Stderr.TrimEnd()}";
}
