using Repmgr.Cli;
using Repmgr.Core.Problems;

namespace Repmgr.Tests.Conf;

/// <summary>The table <c>bad-configurations.txt</c>: what stands in the file, what is said, the exit code.</summary>
public sealed class BadConfigurationTests : IDisposable
{
    private static readonly CaseTable Table = new("tests/Repmgr.Tests/Conf/bad-configurations.txt", "$ ");

    private readonly string _directory = Directory.CreateTempSubdirectory("repmgr-bad").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public Task What_is_said_is_what_the_table_says() => Table.MatchesAsync(RunAsync);

    [Fact]
    public void The_table_holds_at_least_ninety_cases() => Assert.InRange(Table.Cases.Distinct().Count(), 90, int.MaxValue);

    // What the golden table cannot be updated out of.
    [Fact]
    public async Task Every_case_says_something_and_no_message_holds_a_password()
    {
        foreach (string line in Table.Cases)
        {
            (ExitCode exitCode, string error) = await RunAsync(line);
            Assert.True(exitCode is ExitCode.BadConfig or ExitCode.Success, line);
            Assert.True(error.Length > 0, line);
            Assert.True(exitCode == ExitCode.BadConfig == error.Split('\n').Any(message => message.StartsWith("ERROR: ", StringComparison.Ordinal)), line);
            Assert.DoesNotContain("S3cret", error, StringComparison.Ordinal);
        }
    }

    private async Task<(ExitCode, string Error)> RunAsync(string line)
    {
        string file = Path.Combine(_directory, "repmgr.conf");
        await File.WriteAllTextAsync(file, line[2..].Replace("⏎", "\n", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        ExitCode exitCode = await new CommandLineProgram(output, error, isRoot: false).RunAsync(["-f", file, "--dump-config"]);
        return (exitCode, error.ToString().Replace(_directory + "/", "", StringComparison.Ordinal));
    }
}
