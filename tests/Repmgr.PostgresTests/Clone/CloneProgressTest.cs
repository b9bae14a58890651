using System.Text.RegularExpressions;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>How far a clone is, on a terminal and off it.</summary>
public sealed partial class CloneProgressTest : CloneTest
{
    /// <summary>What the runtime sends when it first meets a terminal; nothing of it shows.</summary>
    private const string KeypadMode = "\e[?1h\e=";

    public static TheoryData<string> Methods { get; } = ["direct", "basebackup", "rsync"];

    [Theory, MemberData(nameof(Methods))]
    public async Task On_a_terminal_one_line_is_drawn_anew_with_rate_and_time_left(string method)
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        await FillAsync(source, 20_000);

        // script(1) runs it on a terminal of its own, whose size it does not know.
        string command = string.Join(' ', [Programs.Repmgr, "-f", target.ConfPath, .. Clone(source, $"--method={method}", "--max-rate=16M")]);
        var run = (await Lab.RunAsync(new Launch("script", "--quiet", "--return", "--command", $"stty cols 120; {command}", "/dev/null")
        {
            User = target.User,
            Host = target.Host,
            Environment = new Dictionary<string, string?>(target.Surroundings) { ["TERM"] = "xterm", ["SHELL"] = "/bin/sh" },
            Within = TimeSpan.FromMinutes(4),
        })).ShouldSucceed();

        string[] lines = run.Stdout.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n');
        Assert.Equal("", lines[^1]);
        string drawn = Assert.Single(lines, line => line.Contains("copying:", StringComparison.Ordinal));
        string[] frames = drawn.Split('\r');
        Assert.Contains(frames, frame => frame.StartsWith("waiting for the source's checkpoint", StringComparison.Ordinal));
        string[] copying = [.. frames.Where(frame => frame.StartsWith("copying:", StringComparison.Ordinal))];
        Assert.All(copying, frame => Assert.Matches(Frame(), frame));
        Assert.Contains(copying, frame => frame.Contains(" left", StringComparison.Ordinal));
        Assert.Contains("[####################] 100%", copying[^1], StringComparison.Ordinal);
        Assert.All(frames, frame => Assert.InRange(frame.Length, 0, 119));
        Assert.DoesNotContain(lines, line => line.StartsWith("INFO: copying", StringComparison.Ordinal));
        Assert.DoesNotContain('\e', run.Stdout.Replace(KeypadMode, "", StringComparison.Ordinal));
        for (int i = 1; i < frames.Length; i++)
            Assert.True(frames[i].Length >= frames[i - 1].TrimEnd().Length, $"«{frames[i - 1]}» is not wholly overwritten by «{frames[i]}»");
    }

    [Theory, MemberData(nameof(Methods))]
    public async Task Off_a_terminal_there_are_plain_lines_and_the_end_is_said_once(string method)
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        var run = (await CloneAsync(target, Clone(source, $"--method={method}"))).ShouldSucceed().ShouldSay("INFO: waiting for the source's checkpoint");
        Assert.Single(Complete().Matches(run.Stderr));
        Assert.DoesNotContain('\r', run.Stderr + run.Stdout);
        Assert.DoesNotContain('\e', run.Stderr + run.Stdout);
    }

    [GeneratedRegex(@"^copying: \[[#.]{20}\] [ 0-9]{3}% \([0-9.]+ (bytes|[kMG]B) of [0-9.]+ MB\)(, [0-9.]+ (bytes|[kMG]B)/s(, [0-9]{2}:[0-5][0-9]:[0-5][0-9] left)?)? *$")]
    private static partial Regex Frame();

    [GeneratedRegex("^INFO: copying: 100%", RegexOptions.Multiline)]
    private static partial Regex Complete();
}
