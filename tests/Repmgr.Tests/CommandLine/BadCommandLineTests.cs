using System.Text;
using Repmgr.Cli;
using Repmgr.Core.Problems;

namespace Repmgr.Tests.CommandLine;

/// <summary>The table <c>bad-command-lines.txt</c>: what is typed, what is said, the exit code.</summary>
public sealed class BadCommandLineTests
{
    private static readonly CaseTable Table = new("tests/Repmgr.Tests/CommandLine/bad-command-lines.txt", "$ repmgr");

    [Fact]
    public Task What_is_said_is_what_the_table_says() => Table.MatchesAsync(async line =>
    {
        (ExitCode exitCode, _, string error) = await RunAsync(line);
        return (exitCode, error);
    });

    [Fact]
    public void The_table_holds_at_least_ninety_cases() => Assert.InRange(Table.Cases.Distinct().Count(), 90, int.MaxValue);

    // What the golden table cannot be updated out of.
    [Fact]
    public async Task Every_bad_command_line_ends_with_exit_code_1_an_error_and_no_result()
    {
        foreach (string line in Table.Cases)
        {
            (ExitCode exitCode, string output, string error) = await RunAsync(line);
            Assert.True(exitCode == ExitCode.BadConfig, line);
            Assert.True(output.Length == 0 || line.Contains("--json", StringComparison.Ordinal), line);
            Assert.True(error.StartsWith("ERROR: ", StringComparison.Ordinal), line);
            string[] messages = [.. error.Split('\n').Where(message => message.StartsWith("ERROR: ", StringComparison.Ordinal))];
            Assert.True(messages.Distinct().Count() == messages.Length, $"says something twice: {line}");
            // A bad value would be worth nothing if the command then ran.
            Assert.DoesNotContain(messages, message => message.Contains("must not run as root", StringComparison.Ordinal));
        }
    }

    private static async Task<(ExitCode, string Output, string Error)> RunAsync(string line)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        ExitCode exitCode = await new CommandLineProgram(output, error, isRoot: true).RunAsync(Words(line["$ repmgr".Length..]));
        return (exitCode, output.ToString(), error.ToString());
    }

    /// <summary>Words as a shell cuts them; single quotes only.</summary>
    private static List<string> Words(string line)
    {
        var words = new List<string>();
        StringBuilder? word = null;
        bool quoted = false;
        foreach (char letter in line)
        {
            switch (letter)
            {
                case '\'':
                    quoted = !quoted;
                    word ??= new StringBuilder();
                    break;
                case ' ' when !quoted:
                    if (word is not null)
                        words.Add(word.ToString());
                    word = null;
                    break;
                default:
                    (word ??= new StringBuilder()).Append(letter);
                    break;
            }
        }

        if (word is not null)
            words.Add(word.ToString());
        return words;
    }
}
