using System.Text.RegularExpressions;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Walkthroughs;

/// <summary>"Ten lines to a cluster" of the README, typed as they stand there on two hosts, and the one of the bad night.</summary>
public sealed partial class ReadmeTest : LabTest
{
    [Theory, EveryMajor]
    public async Task Ten_lines_make_a_cluster_and_one_more_saves_it(int major)
    {
        string section = File.ReadAllText(Path.Combine(Programs.SourceRoot, "README.md")).Split("## ").Single(text => text.StartsWith("Ten lines", StringComparison.Ordinal));
        string[] blocks = [.. Block().Matches(section).Select(match => match.Groups[1].Value)];
        Assert.Equal(10, blocks.Sum(block => block.Count(c => c == '\n')));
        if (major < 15)
        {
            blocks[0] = blocks[0].Replace("pg_monitor, pg_checkpoint", "pg_monitor", StringComparison.Ordinal)
                .Replace("pg_backup_start", "pg_start_backup", StringComparison.Ordinal).Replace("pg_backup_stop", "pg_stop_backup(boolean, boolean)", StringComparison.Ordinal);
        }

        var hosts = await Lab.HostsAsync("node1", "node2");
        TestServer node1 = await Lab.ServerAsync(major, 1, hosts[0]), node2 = await Lab.EmptyServerAsync(major, 2, hosts[1]);
        await node1.StartAsync();
        await node1.ExecuteAsync("drop database repmgr", "postgres");
        await node1.ExecuteAsync("drop role repmgr", "postgres");
        foreach (TestServer node in (TestServer[])[node1, node2])
            File.Delete(node.ConfPath);

        Assert.DoesNotContain("lacks rights", (await TypeAsync(node1, blocks[0])).ShouldSucceed().Stderr, StringComparison.Ordinal);
        foreach (string line in blocks[1].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var shown = (await TypeAsync(node2, line)).ShouldSucceed();
            // The hosts of this test share a file system, hence the directory of the socket.
            if (line.EndsWith("standby clone", StringComparison.Ordinal))
                await node2.PersonaliseAsync();
            if (line.EndsWith("cluster show", StringComparison.Ordinal))
                Assert.Matches(@"(?s)node1 +\| primary \| \* running .*node2 +\| standby \| +running \| node1", shown.Stdout);
        }

        Assert.Contains("`repmgr standby promote`", section, StringComparison.Ordinal);
        await node1.KillAsync();
        (await TypeAsync(node2, "repmgr standby promote")).ShouldSucceed();
        Assert.False(await node2.InRecoveryAsync());
        (await TypeAsync(node2, "repmgr cluster show")).ShouldExit(ExitCode.NodeStatus).ShouldSay("unreachable");
    }

    private Task<ProgramResult> TypeAsync(TestServer node, string lines) => Lab.RunAsync(new Launch("bash", "-e", "-c", lines)
    {
        User = node.User,
        Host = node.Host,
        WorkingDirectory = node.Directory,
        Environment = new Dictionary<string, string?>(node.Surroundings)
        {
            ["PGDATA"] = node.DataDirectory,
            ["PATH"] = $"{Path.GetDirectoryName(Programs.Repmgr)}:{node.Surroundings["PATH"]}",
        },
    });

    [GeneratedRegex("```\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
