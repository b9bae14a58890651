using System.Diagnostics;
using System.Text;
using CliWrap;

namespace Repmgr.PostgresTests.Harness;

/// <summary>A program to be run: where, as whom, with what.</summary>
/// <param name="Program">A path, or a name looked up in the path.</param>
public sealed record Launch(string Program, params IReadOnlyList<string> Arguments)
{
    /// <summary>A program that hangs, or leaves a child holding its output open, fails the test after this time.</summary>
    public TimeSpan Within { get; init; } = TimeSpan.FromSeconds(60);

    public string? WorkingDirectory { get; init; }

    /// <summary>The operating-system user; null for the one who runs the tests.</summary>
    public string? User { get; init; }

    /// <summary>The host it runs on; null for this machine itself.</summary>
    public TestHost? Host { get; init; }

    /// <summary>Added to the environment; a null value removes. Nothing of PostgreSQL's or repmgr's is inherited.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    public string Stdin { get; init; } = "";

    /// <summary>What was said to this run of the suite itself (which majors, which programs), for a part of it that runs elsewhere.</summary>
    public static IReadOnlyDictionary<string, string?> OfRun => System.Environment.GetEnvironmentVariables()
        .Cast<System.Collections.DictionaryEntry>()
        .Where(variable => variable.Key is string name && name.StartsWith("REPMGR_", StringComparison.Ordinal))
        .ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value);

    /// <summary>Runs it to its end.</summary>
    /// <exception cref="TimeoutException">It did not end, or did not let go of its output, in time; it has been killed.</exception>
    public async Task<ProgramResult> RunAsync()
    {
        var stdout = new StringBuilder();
        var stderr = new StringBuilder();
        var clock = Stopwatch.StartNew();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(Within);
        try
        {
            var done = await Command(stdout, stderr).ExecuteAsync(deadline.Token);
            return new ProgramResult(ToString(), done.ExitCode, stdout.ToString(), stderr.ToString(), clock.Elapsed);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            throw new TimeoutException(
                $"It did not end within {Within.TotalSeconds:0} s, or a child of it kept its output open.\n"
                + new ProgramResult(ToString(), -1, stdout.ToString(), stderr.ToString(), clock.Elapsed));
        }
    }

    internal Command Command(StringBuilder stdout, StringBuilder stderr)
    {
        // Entering a mount namespace moves a process to its root: https://man7.org/linux/man-pages/man2/setns.2.html
        string[] onHost = Host is null ? [] : [.. Host.Prefix, "env", "-C", WorkingDirectory ?? "/"];
        string[] line = [.. onHost, .. TestUser.Prefix(User), Program, .. Arguments];
        return Cli.Wrap(line[0])
            .WithArguments(line[1..])
            .WithWorkingDirectory(WorkingDirectory ?? "/")
            .WithEnvironmentVariables(Surroundings())
            .WithStandardInputPipe(PipeSource.FromString(Stdin))
            .WithStandardOutputPipe(PipeTarget.ToStringBuilder(stdout))
            .WithStandardErrorPipe(PipeTarget.ToStringBuilder(stderr))
            .WithValidation(CommandResultValidation.None);
    }

    private Dictionary<string, string?> Surroundings()
    {
        var all = new Dictionary<string, string?>();
        foreach (string name in System.Environment.GetEnvironmentVariables().Keys)
        {
            if (name.StartsWith("PG", StringComparison.Ordinal) || name.StartsWith("REPMGR", StringComparison.Ordinal))
                all[name] = null;
        }

        all["LC_ALL"] = "C.UTF-8";
        all["NO_COLOR"] = null;
        foreach (var (name, value) in Environment)
            all[name] = value;
        return all;
    }

    public override string ToString() =>
        $"{(Host is null ? "" : $"[{Host.Name}] ")}{(User is null ? "" : $"({User}) ")}{Program} {string.Join(' ', Arguments.Select(Quote))}";

    private static string Quote(string argument) =>
        argument.Length > 0 && argument.All(c => char.IsAsciiLetterOrDigit(c) || "-_=./:,@%+".Contains(c, StringComparison.Ordinal))
            ? argument
            : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
