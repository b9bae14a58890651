using System.Text.Json;
using Repmgr.Cli;
using Repmgr.Core.Problems;
using Repmgr.Engine.Processes;

namespace Repmgr.Tests.CommandLine;

public sealed class CommandLineProgramTests
{
    [Theory]
    [InlineData("--version", "repmgr 6.0.0\n")]
    [InlineData("-V", "repmgr 6.0.0\n")]
    [InlineData("standby clone -V", "repmgr 6.0.0\n")]
    [InlineData("--version-number", "60000\n")]
    public async Task The_version_is_said_whatever_else_is_typed(string line, string expected)
    {
        (ExitCode exitCode, string output, string error) = await RunAsync(line, isRoot: true);
        Assert.Equal((ExitCode.Success, expected, ""), (exitCode, output, error));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-?")]
    [InlineData("standby --help")]
    [InlineData("standby clone -?")]
    [InlineData("--help node rejoin")]
    [InlineData("--frobnicate -h --help")]
    public async Task Help_goes_to_standard_output_and_is_a_success(string line)
    {
        (ExitCode exitCode, string output, string error) = await RunAsync(line, isRoot: true);
        Assert.Equal((ExitCode.Success, ""), (exitCode, error));
        Assert.StartsWith("repmgr", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("primary register")]
    [InlineData("standby clone node1 --dry-run")]
    [InlineData("standby promote")]
    [InlineData("cluster cleanup")]
    public async Task Root_may_not_run_what_changes_something(string line)
    {
        (ExitCode exitCode, string output, string error) = await RunAsync(line, isRoot: true);
        Assert.Equal((ExitCode.BadConfig, ""), (exitCode, output));
        Assert.Contains("must not run as root\n", error, StringComparison.Ordinal);
        Assert.Contains("HINT: Run it as that user", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Root_may_read()
    {
        (ExitCode exitCode, string output, _) = await RunAsync("--dump-config", isRoot: true);
        Assert.Equal(ExitCode.Success, exitCode);
        Assert.Contains(" node_id ", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("standby promot --json", null)]
    [InlineData("standby promote --json", "standby promote")]
    public async Task With_json_a_refusal_is_a_document_too(string line, string? command)
    {
        (_, string output, string error) = await RunAsync(line, isRoot: true);
        using var document = JsonDocument.Parse(output);
        JsonElement report = document.RootElement;
        Assert.Equal(command, report.GetProperty("command").GetString());
        Assert.False(report.GetProperty("success").GetBoolean());
        Assert.Equal(1, report.GetProperty("exit_code").GetInt32());
        Assert.StartsWith($"ERROR: {report.GetProperty("messages")[0].GetProperty("message").GetString()}\n", error, StringComparison.Ordinal);
    }

    // With repmgr in service_promote_command each promotion would start another.
    [Fact]
    public void A_command_that_is_called_from_within_itself_is_refused()
    {
        string? before = Environment.GetEnvironmentVariable(CallGuard.Variable);
        try
        {
            Environment.SetEnvironmentVariable(CallGuard.Variable, null);
            Assert.Null(CallGuard.Enter("test promote"));
            Assert.Null(CallGuard.Enter("test follow"));
            Assert.Equal("\"repmgr test promote\" has called itself", CallGuard.Enter("test promote")?.Message);
            Assert.Equal("test promote,test follow", Environment.GetEnvironmentVariable(CallGuard.Variable));
        }
        finally
        {
            Environment.SetEnvironmentVariable(CallGuard.Variable, before);
        }
    }

    private static async Task<(ExitCode, string Output, string Error)> RunAsync(string line, bool isRoot)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        ExitCode exitCode = await new CommandLineProgram(output, error, isRoot).RunAsync(line.Split(' '));
        return (exitCode, output.ToString(), error.ToString());
    }
}
