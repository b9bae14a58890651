using System.Text.Json;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>Pause, requests and agents that end, on three hosts with real servers.</summary>
public sealed class PauseTest : LabTest
{
    [Fact]
    public async Task In_a_pause_a_primary_outlives_its_agent_and_after_it_is_replaced_as_ever()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await using WritingClients clients = await cluster.UnderLoadAsync();

        Assert.Contains("to pause failover for 10 min", (await cluster.Node(2).RepmgrAsync("service", "pause", "--for=10min", "--dry-run")).ShouldSucceed().Stdout, StringComparison.Ordinal);
        (await cluster.Node(2).RepmgrAsync("service", "pause", "--for=10min")).ShouldSucceed();
        Assert.Contains("paused already", (await cluster.Node(3).RepmgrAsync("service", "pause")).ShouldExit(ExitCode.RepmgrdPause).Stderr, StringComparison.Ordinal);
        await KillAgentAsync(cluster, 1);
        await OnlyNodeOneWritesForAsync(clients, Seconds(8));

        // The agent that could end the pause is away, and its server is plainly there.
        Assert.Contains("only it can end the pause", (await cluster.Node(2).RepmgrAsync("service", "unpause")).ShouldExit(ExitCode.RepmgrdPause).Stderr, StringComparison.Ordinal);
        Assert.Contains("is not seen to be down", (await cluster.Node(2).RepmgrAsync("service", "unpause", "--holder-is-down")).ShouldExit(ExitCode.RepmgrdPause).Stderr, StringComparison.Ordinal);
        Assert.Contains("failover is paused", (await cluster.Node(2).RepmgrAsync("standby", "promote")).ShouldExit(ExitCode.BadConfig).Stderr, StringComparison.Ordinal);
        using (JsonDocument status = JsonDocument.Parse((await cluster.Node(2).RepmgrAsync("service", "status", "--json")).ShouldSucceed().Stdout))
        {
            Assert.Equal([false, true, true], status.RootElement.GetProperty("nodes").EnumerateArray().Select(node => node.GetProperty("repmgrd_running").GetBoolean()));
            Assert.True(status.RootElement.GetProperty("failover").GetProperty("paused").GetBoolean());
        }

        cluster.StartAgent(1);
        await cluster.Agents[1].SaysAsync("R4: the cluster is paused and the server writes", Seconds(20));
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));
        (await cluster.Node(3).RepmgrAsync("service", "unpause")).ShouldSucceed();
        await OnlyNodeOneWritesForAsync(clients, Seconds(5));

        await cluster.Node(1).KillAsync();
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));
        await cluster.EndsWellAsync(clients, primary);
    }

    [Fact]
    public async Task A_pause_that_runs_out_without_the_agent_is_ended_by_the_guard_and_the_others_wait_for_a_word()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await using WritingClients clients = await cluster.UnderLoadAsync();
        (await cluster.Node(1).RepmgrAsync("service", "pause", "--for=9s")).ShouldSucceed();
        await KillAgentAsync(cluster, 1);
        await OnlyNodeOneWritesForAsync(clients, Seconds(5));
        await Eventually.TrueAsync(() => Task.FromResult(!cluster.Node(1).IsRunning), Seconds(20), "the guard has taken the server out of service");

        // Nobody has heard that the pause is over.
        Assert.Contains("NOBODY holds term 1", (await cluster.Node(2).RepmgrAsync("service", "status")).ShouldSucceed().Stdout, StringComparison.Ordinal);
        Assert.Contains("R14. Nothing would happen", (await cluster.Node(2).RepmgrAsync("cluster", "explain", "--node-id=1")).ShouldSucceed().Stdout, StringComparison.Ordinal);
        // Not before the agents of the standbys have seen, at their next look, that nothing streams any more.
        ProgramResult word = await Eventually.SatisfiesAsync(
            () => cluster.Node(2).RepmgrAsync("service", "unpause", "--holder-is-down"), result => result.ExitCode == 0, Seconds(20), "nothing reaches the former primary any more");
        Assert.Contains("on your word that", word.Stderr, StringComparison.Ordinal);
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));

        cluster.StartAgent(1);
        await cluster.EndsOnOneAsync(clients, primary);
    }

    [Fact]
    public async Task A_primary_whose_agent_is_killed_is_taken_out_of_service_by_its_guard_replaced_and_comes_back()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await using WritingClients clients = await cluster.UnderLoadAsync();

        TimeSpan killed = WritingClients.Now;
        await KillAgentAsync(cluster, 1);
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));
        AgentCluster.Say("SIGKILL of the primary's agent, without an acknowledgement", clients.LongestGap(killed));
        clients.ShouldHaveHadOnePrimaryAtATime(primary);
        Assert.False(cluster.Node(1).IsRunning);

        cluster.StartAgent(1);
        await cluster.EndsOnOneAsync(clients, primary);
    }

    [Fact]
    public async Task An_agent_that_is_stopped_and_does_not_come_back_is_outlasted_by_its_grace_and_no_more()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default, "agent_restart_grace = 8s");
        await using WritingClients clients = await cluster.UnderLoadAsync();

        TimeSpan stopped = WritingClients.Now;
        ProgramResult stop = (await cluster.Node(1).RepmgrAsync("daemon", "stop")).ShouldSucceed();
        Assert.Contains("8.0 s (agent_restart_grace)", stop.Stderr, StringComparison.Ordinal);
        await OnlyNodeOneWritesForAsync(clients, Seconds(4));
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(40));
        AgentCluster.Say("an agent that does not come back, until another takes writes", clients.Rows.First(row => row.Node == primary).At - stopped);
        clients.ShouldHaveHadOnePrimaryAtATime(primary);
        cluster.StartAgent(1);
        await cluster.EndsOnOneAsync(clients, primary);
    }

    [Fact]
    public async Task A_standby_is_promoted_on_request_no_row_is_lost_and_the_former_primary_follows()
    {
        string[] hooks = ["before_promote", "after_promote", "after_demote", "before_follow", "after_follow"];
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default, [.. hooks.Select(hook => $"{hook}_command = 'cat >> ~/hooks'")]);
        await using WritingClients clients = await cluster.UnderLoadAsync(whenAllVote: true);

        TimeSpan asked = WritingClients.Now;
        (await cluster.Node(3).RepmgrAsync("standby", "promote")).ShouldSucceed();
        AgentCluster.Say("standby promote, without an acknowledgement", clients.LongestGap(asked));
        Assert.False(await cluster.Node(3).InRecoveryAsync());
        await cluster.AllStreamFromAsync(3, Seconds(60));
        await clients.AwaitRowsAsync(50, notBy: 1, Seconds(20));
        await clients.StopAsync();
        clients.ShouldHaveHadOnePrimaryAtATime(3);
        await clients.ShouldAllBeOnAsync(cluster.Node(3));
        Assert.Contains("is the primary already", (await cluster.Node(3).RepmgrAsync("standby", "promote")).ShouldExit(ExitCode.BadConfig).Stderr, StringComparison.Ordinal);

        await HooksAsync(cluster.Node(3), """{"event":"before_promote","node_id":3,"node_name":"node3","primary_node_id":3,"term":2}""", """{"event":"after_promote","node_id":3,"node_name":"node3","primary_node_id":3,"term":2}""");
        await HooksAsync(cluster.Node(1), """{"event":"after_demote","node_id":1,"node_name":"node1"}""", """{"event":"before_follow","node_id":1,"node_name":"node1","primary_node_id":3,"term":2}""", """{"event":"after_follow","node_id":1,"node_name":"node1","primary_node_id":3,"term":2}""");

        string show = (await cluster.Node(1).RepmgrAsync("cluster", "show", "--terse")).Stdout;
        Assert.Contains("failover: automatic; term 2 is held by node3 (ID: 3)", show, StringComparison.Ordinal);
        Assert.Contains("voters: 3 of 3 answer, 2 are needed", show, StringComparison.Ordinal);
        using JsonDocument explained = JsonDocument.Parse((await cluster.Node(1).RepmgrAsync("cluster", "explain", "--json", "--all")).ShouldSucceed().Stdout);
        Assert.Equal(
            ["kept", "kept", "failed_over"], explained.RootElement.GetProperty("if_lost").EnumerateArray().Select(what => what.GetProperty("outcome").GetString()));
        Assert.Contains(explained.RootElement.GetProperty("decisions").EnumerateArray(), decision => decision.GetProperty("name").GetString() == "HandsOver");
    }

    private static Task HooksAsync(TestServer node, params string[] lines) => Eventually.TrueAsync(
        async () => (await File.ReadAllLinesAsync(Path.Combine(node.Directory, "hooks"), TestContext.Current.CancellationToken)).Intersect(lines).Count() == lines.Length,
        Seconds(20), $"{node.Name} has run its commands");

    private static async Task KillAgentAsync(AgentCluster cluster, int node)
    {
        cluster.Agents[node].Kill();
        await cluster.Agents[node].ExitAsync(Seconds(10));
    }

    private static async Task OnlyNodeOneWritesForAsync(WritingClients clients, TimeSpan time)
    {
        TimeSpan from = WritingClients.Now;
        await Eventually.TrueAsync(() => Task.FromResult(WritingClients.Now - from > time), time + Seconds(20), "time has passed");
        await clients.AwaitRowsAsync(20, notBy: 0, Seconds(10));
        Assert.DoesNotContain(clients.Rows.Select(row => row.Node).Distinct(), node => node != 1);
    }
}
