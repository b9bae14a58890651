using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Cluster;

/// <summary>A cluster on hosts of its own, some of which the network swallows.</summary>
public sealed class CutHostsTest : LabTest
{
    [Fact]
    public async Task Two_of_five_hosts_behind_dead_links_cost_one_timeout_wherever_the_cluster_is_shown()
    {
        IReadOnlyList<TestHost> hosts = await Lab.HostsAsync("one", "two", "three", "four", "five");
        TestServer primary = await Lab.ServerAsync(PostgresMajor.Default, 1, hosts[0]);
        await primary.StartAsync();
        List<TestServer> standbys = [];
        foreach (TestHost host in hosts.Skip(1))
        {
            TestServer standby = await Lab.ServerAsync(PostgresMajor.Default, standbys.Count + 2, host);
            await standby.MakeStandbyAsync(primary);
            await standby.StartAsync();
            standbys.Add(standby);
        }

        await Daemon.Registration.OfAsync(new TestCluster(primary, standbys));
        await hosts[3].IsolateAsync();
        await hosts[4].IsolateAsync();

        foreach (TestServer asked in (TestServer[])[primary, standbys[0]])
        {
            ProgramResult shown = (await asked.RepmgrAsync("cluster", "show", "--csv")).ShouldExit(ExitCode.NodeStatus);
            TestContext.Current.TestOutputHelper?.WriteLine($"{asked.Name}: {shown.Took.TotalSeconds:0.00} s");
            Assert.Equal("1,0,0\n2,0,1\n3,0,1\n4,-1,-1\n5,-1,-1\n", shown.Stdout);
            // connect_timeout is 2 s, and a second more is what is promised.
            Assert.InRange(shown.Took, Seconds(1.9), Seconds(3));
        }
    }
}
