using System.Text.RegularExpressions;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Walkthroughs;

/// <summary>
/// <c>docs/tutorial.md</c>, typed section by section as it stands there, on three hosts, with a role that is no superuser and a
/// password that stands in <c>~/.pgpass</c> only. What differs: the network, the directory, and that the file of each node lies in it.
/// </summary>
public sealed partial class TutorialTest : LabTest
{
    private readonly Dictionary<int, string[]> _sections = Section().Matches(File.ReadAllText(Path.Combine(Programs.SourceRoot, "docs", "tutorial.md")))
        .ToDictionary(match => int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture), match => Blocks(match.Groups[2].Value));

    private TestServer[] _nodes = [];

    [Fact]
    public async Task It_leads_from_nothing_through_a_failure_and_back()
    {
        Assert.Equal([4, 1, 1, 2, 3, 1, 2, 1, 1], _sections.OrderBy(section => section.Key).Select(section => section.Value.Length));
        int major = PostgresMajor.Wanted.Contains(17) ? 17 : PostgresMajor.Wanted[^1];
        var hosts = await Lab.HostsAsync("node1", "node2", "node3");
        _nodes = [await Lab.ServerAsync(major, 1, hosts[0]), await Lab.EmptyServerAsync(major, 2, hosts[1]), await Lab.EmptyServerAsync(major, 3, hosts[2])];

        await PrepareAsync();
        foreach (TestServer node in _nodes)
            await WriteConfAsync(node, _sections[2][0]);
        (await TypeAsync(1, _sections[3][0])).ShouldSucceed();
        await CloneAsync(2, _sections[4][0]);
        RepmgrdProcess two = await WatchAsync(2);
        await CloneAsync(3, _sections[4][0]);
        RepmgrdProcess three = await WatchAsync(3);

        (await TypeAsync(1, "pg_ctl -D $PGDATA -m immediate stop")).ShouldSucceed();
        (await TypeAsync(2, _sections[6][0])).ShouldExit(ExitCode.NodeStatus).ShouldSay("unreachable");
        (await TypeAsync(2, _sections[7][0])).ShouldSucceed();
        (await TypeAsync(3, _sections[7][1])).ShouldSucceed();
        await CloneAsync(1, _sections[8][0]);
        foreach (string line in _sections[9][0].Split('\n', StringSplitOptions.RemoveEmptyEntries))
            await TypePromptedAsync(line);

        await _nodes[1].StreamsFromAsync(_nodes[0]);
        await _nodes[2].StreamsFromAsync(_nodes[0]);
        (await TypeAsync(1, "repmgr cluster show")).ShouldSucceed();
        Assert.Equal(0, await two.StopAsync());
        Assert.Equal(0, await three.StopAsync());
    }

    /// <summary>The first section: settings, a role with its rights and its password, and who is let in.</summary>
    private async Task PrepareAsync()
    {
        TestServer node1 = _nodes[0];
        string[] blocks = _sections[1];
        await node1.StartAsync();
        await node1.ExecuteAsync("drop database repmgr", "postgres");
        await node1.ExecuteAsync("drop role repmgr", "postgres");
        await node1.StopAsync();
        await node1.ConfigureAsync(blocks[0]);
        await File.WriteAllTextAsync(
            Path.Combine(node1.DataDirectory, "pg_hba.conf"), "local all all trust\n" + blocks[2].Replace("192.0.2.0", "192.168.1.0", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        await node1.StartAsync();
        (await TypeAsync(1, blocks[1], typed: "secret\nsecret\n")).ShouldSucceed();
        foreach (TestServer node in _nodes)
        {
            string passwords = Path.Combine(node.Directory, ".pgpass");
            await File.WriteAllTextAsync(passwords, blocks[3], TestContext.Current.CancellationToken);
            File.SetUnixFileMode(passwords, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            await TestUser.GiveAsync(passwords, node.User);
        }
    }

    private static async Task WriteConfAsync(TestServer node, string lines)
    {
        string own = lines.Replace("= 1\n", $"= {node.NodeId}\n", StringComparison.Ordinal).Replace("host=node1", $"host=node{node.NodeId}", StringComparison.Ordinal);
        await File.WriteAllTextAsync(node.ConfPath, own, TestContext.Current.CancellationToken);
    }

    /// <summary>Line by line, because between the copy and its start the hosts of this test, which share a file system, need another directory for the socket.</summary>
    private async Task CloneAsync(int node, string lines)
    {
        foreach (string line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            (await TypeAsync(node, line)).ShouldSucceed();
            if (line.Contains("standby clone", StringComparison.Ordinal) && !line.Contains("--dry-run", StringComparison.Ordinal))
                await _nodes[node - 1].PersonaliseAsync();
        }
    }

    private Task TypePromptedAsync(string line)
    {
        Match prompt = Prompt().Match(line);
        Assert.True(prompt.Success, line);
        return CloneAsync(int.Parse(prompt.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture), prompt.Groups[2].Value);
    }

    /// <summary>Starts the daemon as the fifth section says, and looks where it says to look.</summary>
    private async Task<RepmgrdProcess> WatchAsync(int number)
    {
        TestServer node = _nodes[number - 1];
        Assert.Equal("repmgrd -f /etc/repmgr.conf --verbose", _sections[5][0].Trim());
        RepmgrdProcess daemon = node.StartRepmgrd("--verbose");
        string[] columns = Columns(_sections[5][2]);
        await Eventually.TrueAsync(
            async () => (await TypeAsync(number, _sections[5][1])) is { ExitCode: 0 } shown
                && columns.SequenceEqual(Columns(shown.Stdout)) && shown.Stdout.Contains("0 bytes", StringComparison.Ordinal),
            Seconds(60), "repl_status shows what the tutorial shows");
        return daemon;
    }

    private static string[] Columns(string expanded) =>
        [.. expanded.Split('\n').Where(line => line.Contains('|', StringComparison.Ordinal)).Select(line => line.Split('|')[0].Trim())];

    private Task<ProgramResult> TypeAsync(int node, string lines, string typed = "")
    {
        TestServer server = _nodes[node - 1];
        // Without a terminal, so that a prompt for a password reads what is typed here.
        return Lab.RunAsync(new Launch("setsid", "--wait", "bash", "-e", "-c", lines)
        {
            User = server.User,
            Host = server.Host,
            WorkingDirectory = server.Directory,
            Stdin = typed,
            Within = Seconds(120),
            Environment = new Dictionary<string, string?>(server.Surroundings)
            {
                ["PGDATA"] = server.DataDirectory,
                ["PATH"] = $"{Path.GetDirectoryName(Programs.Repmgr)}:{server.Surroundings["PATH"]}",
            },
        });
    }

    private static string[] Blocks(string section) => [.. Block().Matches(section).Select(match => match.Groups[1].Value)];

    [GeneratedRegex(@"^## ([0-9])\. .*?\n(.*?)(?=^## |\z)", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Section();

    [GeneratedRegex("```\\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^node([0-9])\$ (.*)$")]
    private static partial Regex Prompt();
}
