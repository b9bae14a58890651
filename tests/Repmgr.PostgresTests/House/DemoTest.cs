using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.House;

/// <summary><c>make demo</c> is what a newcomer sees first: it must come to its end, say what it saw, and leave nothing.</summary>
public sealed class DemoTest : LabTest
{
    [Fact]
    public async Task The_demo_tells_the_whole_story_and_leaves_nothing()
    {
        var told = (await Lab.RunAsync(Demo())).ShouldSucceed();
        Assert.Contains("What was seen", told.Stdout, StringComparison.Ordinal);
        Assert.Contains("The whole story", told.Stdout, StringComparison.Ordinal);
        Assert.Equal(7, told.Stdout.Split('\n').Count(line => line.StartsWith("  ", StringComparison.Ordinal) && line.Contains(" s   ", StringComparison.Ordinal)));
        Assert.Empty(Stages());
        Assert.Empty(Leftovers.In(Lab.Directory));
    }

    [Fact]
    public async Task The_demo_puts_everything_away_when_interrupted()
    {
        var running = Lab.RunAsync(Demo());
        await Eventually.TrueAsync(() => Task.FromResult(Stages().Any(HasServer)), Seconds(60), "the demo has a server");
        // The same trap as for Ctrl-C, by a signal that is never ignored: a shell that runs the suite in the background
        // hands SIGINT down as ignored, and then no script can trap it.
        int script = Leftovers.In(Lab.Directory).Min();
        _ = Leftovers.Send(script, SigTerm);
        Assert.Equal(130, (await running).ExitCode);
        Assert.Empty(Stages());
        await Eventually.TrueAsync(() => Task.FromResult(Leftovers.In(Lab.Directory).Count == 0), Seconds(10), "no process is left");
    }

    private const int SigTerm = 15;

    private Launch Demo() => new(Path.Combine(Programs.SourceRoot, "tools", "demo"), Path.GetDirectoryName(Programs.Repmgr)!)
    {
        Within = TimeSpan.FromMinutes(5),
        Environment = new Dictionary<string, string?>
        {
            ["REPMGR_PG_BIN"] = PostgresMajor.Of(PostgresMajor.Default).BinDirectory,
            ["TMPDIR"] = Lab.Directory,
        },
    };

    private string[] Stages() => Directory.GetDirectories(Lab.Directory, "repmgr-demo-*");

    private static bool HasServer(string stage) => File.Exists(Path.Combine(stage, "node1", "data", "postmaster.pid"));
}
