using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>Two nodes and nobody else (R15), with <c>synchronous = strict</c>, on real servers. About 60 s.</summary>
public sealed class TwoVotersTest : LabTest
{
    [Fact]
    public async Task The_standby_goes_on_alone_with_every_acknowledged_row_and_a_primary_without_standby_writes_nothing()
    {
        AgentCluster agents = await AgentCluster.StartOnAsync(
            Lab, await Lab.HostsAsync("one", "two"), PostgresMajor.Default, "synchronous = strict", "synchronous_node_count = 1");
        var cluster = new SynchronousCluster(agents);
        await cluster.AllStreamFromAsync(1, Seconds(40));
        await cluster.AwaitSetAsync(holder: 1, count: 1, 2);
        await agents.Agents[1].SaysAsync("with two voters, failover goes one way", Seconds(20));
        ProgramResult show = await agents.Node(1).RepmgrAsync("cluster", "show");
        Assert.Contains("when the standby is lost writes stop until it is back", show.Stdout, StringComparison.Ordinal);
        await using WritingClients clients = await WritingClients.StartAsync(cluster.Node(1), cluster.Nodes);
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));

        cluster.LoseHost(1);
        TimeSpan lost = WritingClients.Now;
        await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));
        AgentCluster.Say("the primary's host of two lost, without an acknowledgement", clients.LongestGap(lost));
        await agents.Agents[2].SaysAsync("this node goes on alone", Seconds(5));
        clients.ShouldHaveHadOnePrimaryAtATime(2);
        await clients.ShouldAllBeOnAsync(cluster.Node(2));

        await cluster.BringBackAsync(1);
        await cluster.AllStreamFromAsync(2, Seconds(90));
        await cluster.AwaitSetAsync(holder: 2, count: 1, 1);
        await clients.AwaitRowsAsync(50, notBy: 1, Seconds(20));

        cluster.LoseHost(1);
        await agents.Agents[2].SaysAsync("with two voters, this node takes no writes until the other is back", Seconds(30));
        await Eventually.TrueAsync(() => cluster.Node(2).InRecoveryAsync(), Seconds(30), "it is a standby");
        show = await agents.Node(2).RepmgrAsync("cluster", "show");
        Assert.Contains("node2 (ID: 2) takes no writes without node1 (ID: 1)", show.Stdout, StringComparison.Ordinal);
        int rows = clients.Rows.Count;

        await cluster.BringBackAsync(1);
        int primary = await clients.AwaitRowsAsync(50, notBy: 0, Seconds(90));
        Assert.True(clients.Rows.Count >= rows + 50);
        await clients.StopAsync();
        await clients.ShouldAllBeOnAsync(cluster.Node(primary));
    }
}
