using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>Automatic failover: three hosts, real servers, clients that keep every acknowledged row.</summary>
public sealed class FailoverTest : LabTest
{
    [Theory, EveryMajor]
    public async Task A_killed_postmaster_is_replaced_no_acknowledged_row_is_lost_and_its_node_comes_back_by_itself(int major)
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, major);
        await using WritingClients clients = await cluster.UnderLoadAsync(whenAllVote: true);

        TimeSpan killed = WritingClients.Now;
        _ = Leftovers.Send(cluster.PostmasterOf(1), Leftovers.SigKill);
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));
        await cluster.AllStreamFromAsync(primary, Seconds(60));
        await clients.AwaitRowsAsync(20, notBy: 0, Seconds(20));
        AgentCluster.Say($"PostgreSQL {major}, SIGKILL of the postmaster, without an acknowledgement", clients.LongestGap(killed));
        await clients.StopAsync();

        clients.ShouldHaveHadOnePrimaryAtATime(primary);
        await clients.ShouldAllBeOnAsync(cluster.Node(primary));
    }

    [Fact]
    public async Task A_primary_that_is_cut_off_is_out_of_service_before_another_takes_over_and_is_made_anew_when_it_is_back()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await using WritingClients clients = await cluster.UnderLoadAsync();

        TimeSpan cut = WritingClients.Now;
        await cluster.Node(1).Host!.IsolateAsync();
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));
        AgentCluster.Say("a silent host, without an acknowledgement", clients.LongestGap(cut));
        clients.ShouldHaveHadOnePrimaryAtATime(primary);
        await cluster.Agents[1].SaysAsync("the lease ends, and the server is taken out of service", Seconds(20));

        await cluster.Node(1).Host!.RejoinAsync();
        await cluster.EndsOnOneAsync(clients, primary);
        // What it had acknowledged alone, and the others never received, is kept.
        await cluster.Agents[1].SaysAsync("this node has WAL that the primary does not have", Seconds(5));
        string details = await cluster.Node(primary).QueryAsync<string>("select details from repmgr.events where event = 'node_rejoin' and node_id = 1");
        Assert.Matches("node 1 had WAL that the primary does not have: [0-9A-F/]+ to [0-9A-F/]+; in it lie [1-9][0-9]* transactions", details);
        Assert.NotEmpty(Directory.GetFiles(cluster.Node(1).DataDirectory + ".repmgr/diverged", "*", SearchOption.AllDirectories));
        await SameRowsAsync(cluster);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_frozen_server_is_replaced(bool wholly)
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await using WritingClients clients = await cluster.UnderLoadAsync();

        TimeSpan frozen = WritingClients.Now;
        if (wholly)
            cluster.Node(1).Freeze();
        else
            _ = Leftovers.Send(cluster.PostmasterOf(1), Leftovers.SigStop);
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));
        AgentCluster.Say(wholly ? "a frozen server" : "a frozen postmaster: until another takes writes", clients.Rows.First(row => row.Node == primary).At - frozen);
        await cluster.EndsWellAsync(clients, primary);
    }

    [Fact]
    public async Task A_frozen_agent_is_outlived_by_its_guard_which_takes_the_server_out_of_service()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await using WritingClients clients = await cluster.UnderLoadAsync();

        TimeSpan frozen = WritingClients.Now;
        cluster.Agents[1].Freeze();
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));
        AgentCluster.Say("a frozen agent, without an acknowledgement", clients.LongestGap(frozen));
        clients.ShouldHaveHadOnePrimaryAtATime(primary);
        Assert.False(cluster.Node(1).IsRunning);

        cluster.Agents[1].Thaw();
        await cluster.EndsOnOneAsync(clients, primary);
        await SameRowsAsync(cluster);
    }

    [Fact]
    public async Task Agents_that_are_restarted_move_nothing()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await using WritingClients clients = await cluster.UnderLoadAsync();
        int postmaster = cluster.PostmasterOf(1);
        TimeSpan began = WritingClients.Now;
        foreach (int id in (int[])[1, 2, 3])
        {
            Assert.Equal(0, await cluster.Agents[id].StopAsync());
            cluster.StartAgent(id);
            await cluster.Agents[id].SaysAsync($"the agent of node {id} runs: 3 voters, term 1", Seconds(20));
            await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));
        }

        // One that had no time to say so, too: its guard still has a deadline when the new one is there.
        cluster.Agents[2].Kill();
        await cluster.Agents[2].ExitAsync(Seconds(10));
        cluster.StartAgent(2);
        await cluster.AllStreamFromAsync(1, Seconds(30));
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));
        AgentCluster.Say("agents restarted, longest time without an acknowledgement", clients.LongestGap(began));
        await clients.StopAsync();
        Assert.All(clients.Rows, row => Assert.Equal(1, row.Node));
        Assert.Equal(postmaster, cluster.PostmasterOf(1));
    }

    [Fact]
    public async Task Commands_that_would_decide_by_hand_are_refused_and_nothing_moves()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        foreach (string[] command in new string[][] { ["standby", "follow"], ["standby", "follow", "--dry-run"] })
        {
            ProgramResult refused = (await cluster.Node(2).RepmgrAsync(command)).ShouldExit(ExitCode.BadConfig);
            Assert.Contains("failover is automatic: the agents decide", refused.Stderr, StringComparison.Ordinal);
        }

        Assert.True(await cluster.Node(2).InRecoveryAsync());
        await cluster.AllStreamFromAsync(1, Seconds(5));
        // Who decides by hand says so in the configuration first.
        await cluster.Node(2).WriteConfAsync("failover = manual");
        (await cluster.Node(2).RepmgrAsync("standby", "follow", "--dry-run")).ShouldSucceed();
    }

    [Fact]
    public async Task A_former_primary_that_is_started_by_hand_comes_up_read_only()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await using WritingClients clients = await cluster.UnderLoadAsync();

        // The host is silent and its agent is gone: nobody there knows of the new primary.
        await cluster.Node(1).Host!.IsolateAsync();
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));
        cluster.Agents[1].Kill();
        await cluster.Agents[1].ExitAsync(Seconds(10));
        if (!cluster.Node(1).IsRunning)
            await cluster.Node(1).StartAsync();
        await Eventually.TrueAsync(() => cluster.Node(1).InRecoveryAsync(), Seconds(20), "the former primary is in recovery");
        await clients.AwaitRowsAsync(50, notBy: 1, Seconds(20));
        clients.ShouldHaveHadOnePrimaryAtATime(primary);

        await cluster.Node(1).Host!.RejoinAsync();
        cluster.StartAgent(1);
        await cluster.EndsOnOneAsync(clients, primary);
        await SameRowsAsync(cluster);
    }

    private static async Task SameRowsAsync(AgentCluster cluster)
    {
        const string Sum = "select count(*) || ' ' || coalesce(sum(id), 0) from written";
        string[] sums = [];
        await Eventually.TrueAsync(
            async () =>
            {
                sums = await Task.WhenAll(cluster.Nodes.Select(node => node.QueryAsync<string>(Sum)));
                return sums.Distinct().Count() == 1;
            },
            Seconds(30), "all nodes have the same rows");
    }
}
