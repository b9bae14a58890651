using System.Text.Json;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>What the whole cluster goes by is changed while it runs (R13), on real servers.</summary>
public sealed class ServiceSetTest : LabTest
{
    [Fact]
    public async Task Mode_count_ttl_and_grace_are_agreed_on_while_writes_go_on_and_the_next_failover_goes_by_them()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default, "failover_cooldown = 0");
        var synchronous = new SynchronousCluster(cluster);
        await using WritingClients clients = await cluster.UnderLoadAsync();
        await SaysAsync(cluster, "synchronous: off", "agreed on: lease_ttl = 3s, agent_restart_grace = 30s");

        await SetAsync(cluster.Node(3), "synchronous = quorum, synchronous_node_count = 1, lease_ttl = 3s", "--synchronous=quorum");
        await synchronous.AwaitSetAsync(holder: 1, count: 1, 2, 3);
        await SetAsync(cluster.Node(2), "synchronous = quorum, synchronous_node_count = 2", "--synchronous-node-count=2");
        await synchronous.AwaitSetAsync(holder: 1, count: 2, 2, 3);
        await SetAsync(cluster.Node(1), "lease_ttl = 8s, agent_restart_grace = 12s", "--lease-ttl=8s", "--agent-restart-grace=12s");
        await SaysAsync(cluster, "synchronous: quorum, commits wait for 2 of", "agreed on: lease_ttl = 8s, agent_restart_grace = 12s");
        Assert.Contains("nothing was to be changed", (await cluster.Node(1).RepmgrAsync("service", "set", "--lease-ttl=8s")).ShouldSucceed().Stderr, StringComparison.Ordinal);
        using (JsonDocument show = JsonDocument.Parse((await cluster.Node(2).RepmgrAsync("cluster", "show", "--json")).ShouldSucceed().Stdout))
        {
            JsonElement failover = show.RootElement.GetProperty("failover");
            Assert.Equal(("quorum", 2, 8, 12, "peers"), (
                failover.GetProperty("synchronous").GetString(), failover.GetProperty("synchronous_node_count").GetInt32(), failover.GetProperty("lease_ttl_seconds").GetInt32(),
                failover.GetProperty("agent_restart_grace_seconds").GetInt32(), failover.GetProperty("lease_store").GetString()));
        }

        // A word that is given for eight seconds is kept for eight: by the ttl of the file another would write after three.
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));
        TimeSpan lost = WritingClients.Now;
        synchronous.LoseHost(1);
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(60));
        TimeSpan gap = clients.LongestGap(lost);
        AgentCluster.Say("a host lost with lease_ttl = 8s, without an acknowledgement", gap);
        Assert.True(gap > Seconds(7), $"another took over after {gap.TotalSeconds} s: the promises of 8 s were not kept");

        await cluster.Node(1).StartAsync();
        cluster.StartAgent(1);
        await cluster.Agents[1].SaysAsync("lease_ttl = 3000ms, agent_restart_grace = 30000ms is not what the cluster has agreed on", Seconds(30));
        await cluster.EndsWellAsync(clients, primary);
        ProgramResult stop = (await cluster.Node(primary).RepmgrAsync("daemon", "stop")).ShouldSucceed();
        Assert.Contains("In 12 s (agent_restart_grace)", stop.Stderr, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_is_refused_as_a_whole_with_what_could()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await RefusedAsync(cluster, ExitCode.RepmgrdService, "lease_ttl of 1 s leaves no room for two renewals", "A lease_ttl of 1.7 s would do", "--synchronous=quorum", "--lease-ttl=1s");
        await RefusedAsync(
            cluster, ExitCode.RepmgrdService, "no write would be acknowledged", "use a smaller --synchronous-node-count", "--synchronous=strict", "--synchronous-node-count=3", "--lease-ttl=4s");
        await RefusedAsync(cluster, ExitCode.BadConfig, "nothing was given that is to be changed", "Use --synchronous");
        await RefusedAsync(cluster, ExitCode.BadConfig, "--synchronous", "off, quorum, strict", "--synchronous=sometimes");
        await RefusedAsync(cluster, ExitCode.BadConfig, "--synchronous-node-count", "", "--synchronous-node-count=0");
        await RefusedAsync(cluster, ExitCode.BadConfig, "--lease-ttl", "", "--lease-ttl=soon");

        await cluster.Agents[2].StopAsync();
        await cluster.Agents[3].StopAsync();
        await RefusedAsync(cluster, ExitCode.RepmgrdService, "", "", "--agent-restart-grace=1min");
        cluster.StartAgent(2);
        cluster.StartAgent(3);
        await cluster.AllStreamAsync(Seconds(60));
        await SaysAsync(cluster, "synchronous: off", "agreed on: lease_ttl = 3s, agent_restart_grace = 30s");
    }

    /// <summary>A watchdog that waits longer than a lease lasts would be fed no more, and reset the host; one that waits too short a time resets it without need.</summary>
    [Fact]
    public async Task The_guard_is_given_another_watchdog_with_another_ttl()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        TestServer primary = cluster.Node(1);
        string fifo = Path.Combine(primary.Directory, "watchdog");
        (await primary.RunAsync("mkfifo", fifo)).ShouldSucceed();
        // Both ends, so that there is a reader; what comes fits into the pipe.
        await using var reader = new FileStream(fifo, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        await primary.WriteConfAsync("failover = automatic", $"watchdog_device = '{fifo}'");
        await cluster.Agents[1].StopAsync();
        cluster.StartAgent(1);
        await cluster.Agents[1].SaysAsync("nothing comes for 2 s", Seconds(30));
        await cluster.AllStreamFromAsync(1, Seconds(30));

        // An agent that was just started goes on as the holder a moment later.
        await Eventually.SatisfiesAsync(
            () => cluster.Node(2).RepmgrAsync("service", "set", "--lease-ttl=8s"), result => result.ExitCode == 0, Seconds(20), "the holder takes the change");
        await cluster.Agents[1].SaysAsync("nothing comes for 6 s", Seconds(20));
        await SetAsync(cluster.Node(3), "lease_ttl = 3s", "--lease-ttl=3s");
        await cluster.AllStreamFromAsync(1, Seconds(30));
        Assert.Contains("term 1 is held by node1", (await cluster.Node(2).RepmgrAsync("service", "status")).ShouldSucceed().Stdout, StringComparison.Ordinal);
    }

    private static async Task SetAsync(TestServer node, string says, params IReadOnlyList<string> options) =>
        Assert.Contains(says, (await node.RepmgrAsync(["service", "set", .. options])).ShouldSucceed().Stderr, StringComparison.Ordinal);

    private static async Task RefusedAsync(AgentCluster cluster, ExitCode code, string error, string hint, params IReadOnlyList<string> options)
    {
        ProgramResult refused = (await cluster.Node(1).RepmgrAsync(["service", "set", .. options])).ShouldExit(code);
        string[] lines = refused.Stderr.Split('\n');
        Assert.Contains(lines, line => line.StartsWith("ERROR: ", StringComparison.Ordinal) && line.Contains(error, StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Split(": ", 2) is ["HINT" or "DETAIL", var text] && text.Contains(hint, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Wherever one asks.</summary>
    private static async Task SaysAsync(AgentCluster cluster, params IReadOnlyList<string> lines)
    {
        foreach (TestServer node in cluster.Nodes)
        {
            string show = (await node.RepmgrAsync("cluster", "show")).Stdout, status = (await node.RepmgrAsync("service", "status")).ShouldSucceed().Stdout;
            Assert.All(lines, line => Assert.Contains(line, show, StringComparison.Ordinal));
            Assert.All(lines, line => Assert.Contains(line, status, StringComparison.Ordinal));
        }
    }
}
