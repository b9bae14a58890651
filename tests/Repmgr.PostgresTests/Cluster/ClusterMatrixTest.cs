using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Failover;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Cluster;

/// <summary><c>cluster matrix</c> and <c>cluster crosscheck</c> on hosts whose links are cut one way.</summary>
public sealed class ClusterMatrixTest : LabTest
{
    private const string All = "1,1,0\n1,2,0\n1,3,0\n2,1,0\n2,2,0\n2,3,0\n3,1,0\n3,2,0\n3,3,0\n";

    [Fact]
    public async Task Over_ssh_each_node_says_whom_it_reaches()
    {
        IReadOnlyList<TestHost> hosts = await Lab.HostsAsync("one", "two", "three");
        TestCluster cluster = await ClusterAsync(hosts);
        TestServer first = cluster.Primary;

        Assert.Equal(All, (await first.RepmgrAsync("cluster", "matrix", "--csv")).ShouldSucceed().Stdout);
        Assert.Equal(All, (await first.RepmgrAsync("cluster", "crosscheck", "--csv")).ShouldSucceed().Stdout);

        // Node 3 listens on, and does not get through to node 2's server.
        await cluster.Standbys[0].StopAsync();
        (await first.RepmgrAsync("cluster", "matrix")).ShouldExit(ExitCode.NodeStatus)
            .ShouldSay(" Name  | ID | 1 | 2 | 3\n-------+----+---+---+---\n node1 | 1  | * | x | *\n node2 | 2  | * | x | *\n node3 | 3  | * | x | *\n")
            .ShouldSay("  - node \"node1\" (ID: 1) cannot connect to node \"node2\" (ID: 2): ")
            .ShouldSay("  - node \"node3\" (ID: 3) cannot connect to node \"node2\" (ID: 2)\n");
        await cluster.Standbys[0].StartAsync();

        // Without ssh nobody else says anything, and nothing is known to have failed.
        foreach (TestServer node in cluster.All)
            await node.WriteConfAsync("ssh_options='-q -p 9'");
        (await first.RepmgrAsync("cluster", "matrix", "--csv")).ShouldExit(ExitCode.BadSsh).ShouldSay("1,1,0\n1,2,0\n1,3,0\n2,1,-2\n2,2,-2\n");
        (await first.RepmgrAsync("cluster", "matrix")).ShouldExit(ExitCode.BadSsh).ShouldSay("node \"node2\" (ID: 2) could not be asked: ssh to \"");
    }

    [Fact]
    public async Task Agents_are_asked_and_one_that_is_not_reached_from_here_is_known_from_elsewhere()
    {
        IReadOnlyList<TestHost> hosts = await Lab.HostsAsync("one", "two", "three");
        // Who were asked over ssh would not answer.
        AgentCluster cluster = await AgentCluster.StartOnAsync(Lab, hosts, PostgresMajor.Default, "ssh_options='-q -p 9'");
        await Eventually.EqualAsync(All, async () => (await cluster.Node(1).RepmgrAsync("cluster", "matrix", "--csv")).Stdout, Seconds(30), "the matrix");
        Assert.Equal(All, (await cluster.Node(2).RepmgrAsync("cluster", "crosscheck", "--csv")).ShouldSucceed().Stdout);

        // Nothing passes between the standbys; the primary reaches both.
        await hosts[1].CutAsync(hosts[2]);
        await hosts[2].CutAsync(hosts[1]);
        (await cluster.Node(1).RepmgrAsync("cluster", "matrix")).ShouldExit(ExitCode.NodeStatus)
            .ShouldSay(" node1 | 1  | * | * | *\n node2 | 2  | * | * | x\n node3 | 3  | * | x | *\n")
            .ShouldSay("node \"node2\" (ID: 2) cannot connect to node \"node3\" (ID: 3): ");
        Assert.Equal("1,1,0\n1,2,0\n1,3,0\n2,1,0\n2,2,0\n2,3,-1\n3,1,-2\n3,2,-2\n3,3,-2\n", (await cluster.Node(2).RepmgrAsync("cluster", "matrix", "--csv")).ShouldExit(ExitCode.NodeStatus).Stdout);
        // What node 2 cannot hear, node 1 has heard.
        Assert.Equal("1,1,0\n1,2,0\n1,3,0\n2,1,0\n2,2,0\n2,3,-1\n3,1,0\n3,2,-1\n3,3,0\n", (await cluster.Node(2).RepmgrAsync("cluster", "crosscheck", "--csv")).ShouldExit(ExitCode.NodeStatus).Stdout);
    }

    private async Task<TestCluster> ClusterAsync(IReadOnlyList<TestHost> hosts)
    {
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

        TestCluster cluster = new(primary, standbys);
        foreach (TestServer node in cluster.All)
            await node.WriteConfAsync();
        foreach (TestServer standby in standbys)
            await standby.StreamsFromAsync(primary);
        await cluster.RegisterAsync();
        return cluster;
    }
}
