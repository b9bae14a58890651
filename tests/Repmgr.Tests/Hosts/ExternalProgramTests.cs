using System.Diagnostics;
using Repmgr.Engine.Processes;

namespace Repmgr.Tests.Hosts;

public class ExternalProgramTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Arguments_arrive_as_they_are() => Assert.Equal(
        new ProgramResult.Ended(0, "[$(id)]['\"; x]", ""),
        await ExternalProgram.RunAsync("printf", ["[%s]", "$(id)", "'\"; x"], null, Long, Cancel));

    [Fact]
    public async Task A_failure_is_explained_with_what_the_program_said()
    {
        ProgramResult result = await ExternalProgram.RunShellAsync("echo no >&2; exit 3", null, null, Long, Cancel);
        Assert.False(result.Succeeded);
        Assert.Equal("\"x\" ended with exit code 3:\nno", result.Explain("x"));
    }

    [Fact]
    public async Task A_program_that_hangs_is_ended_with_its_children()
    {
        var clock = Stopwatch.StartNew();
        ProgramResult result = await ExternalProgram.RunShellAsync("echo first; sleep 600 & wait", null, null, TimeSpan.FromMilliseconds(300), Cancel);
        Assert.Contains("did not end within 0.3 s", Assert.IsType<ProgramResult.TimedOut>(result).Explain("x"));
        Assert.True(clock.Elapsed < Long);
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_said() =>
        Assert.IsType<ProgramResult.NotStarted>(await ExternalProgram.RunAsync("/no/such/program", [], null, Long, Cancel));

    [Fact]
    public async Task A_command_that_leaves_a_server_behind_does_not_hold_us_up()
    {
        string log = Path.GetTempFileName();
        var clock = Stopwatch.StartNew();
        // As a service_start_command that starts a server without a log file of its own: the child keeps the descriptors.
        ProgramResult result = await ExternalProgram.RunShellAsync("echo \"it's on\"; (sleep 30 &)", log, null, Long, Cancel);
        Assert.True(result.Succeeded);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(15));
        Assert.Equal("it's on\n", await File.ReadAllTextAsync(log, Cancel));
        File.Delete(log);
    }
}
