using System.Globalization;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>Two of three hosts are lost for good, and an operator lets the third go on (R18, docs/adr/0125), on real servers.</summary>
public sealed class WithoutMajorityTest : LabTest
{
    [Theory, EveryMajor]
    public async Task What_is_left_goes_on_on_an_operators_word_and_a_lost_host_that_comes_back_follows(int major)
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, major, "cluster = 'north'");
        await using WritingClients clients = await cluster.UnderLoadAsync(whenAllVote: true);
        await RefusedAsync(cluster, "south", "does not name this cluster", "It is called \"north\"");
        await RefusedAsync(cluster, "north", "a majority of the agents answers", "node1");

        await cluster.KillHostAsync(2);
        await RefusedAsync(cluster, "north", "a majority of the agents answers", "node1");

        // The primary goes without its agent for as long as its grace: its host is not lost, whatever the operator believes.
        await cluster.Agents[1].StopAsync();
        await RefusedAsync(cluster, "north", "node1 (ID: 1) is not seen to be lost", "Its server answers from here");

        await clients.AwaitRowsAsync(20, notBy: 0, Seconds(20));
        await cluster.KillHostAsync(1);
        ProgramResult plan = await Eventually.SatisfiesAsync(
            () => AskAsync(cluster, "north", "--dry-run"), result => result.ExitCode == 0, Seconds(60), "nothing speaks against it any more");
        Assert.Contains("to go on with 1 of 3 voters, in a term above 1000, on your word that node1 (ID: 1), node2 (ID: 2) are lost for good", plan.Stdout, StringComparison.Ordinal);
        Assert.Contains("what is lost was acknowledged to clients", plan.Stderr, StringComparison.Ordinal);
        Assert.True(await cluster.Node(3).InRecoveryAsync());

        TimeSpan asked = WritingClients.Now;
        (await AskAsync(cluster, "north")).ShouldSucceed();
        Assert.False(await cluster.Node(3).InRecoveryAsync());
        await clients.AwaitRowsAsync(50, notBy: 1, Seconds(20));
        Assert.All(clients.RowsSince(asked), row => Assert.Equal(3, row.Node));

        foreach (int lost in new[] { 2, 1 })
        {
            await cluster.Node(lost).StartAsync();
            cluster.StartAgent(lost);
            await Eventually.TrueAsync(() => StreamsFromThreeAsync(cluster, lost), Seconds(120), $"node {lost} is admitted and follows");
        }

        await cluster.AllStreamFromAsync(3, Seconds(60));
        string voters = string.Create(CultureInfo.InvariantCulture, $"voters: {3} of {3} answer");
        await Eventually.TrueAsync(
            async () => (await cluster.Node(1).RepmgrAsync("service", "status")).Stdout.Contains(voters, StringComparison.Ordinal), Seconds(60), "all vote again");
        await clients.StopAsync();
        clients.ShouldHaveHadOnePrimaryAtATime(3);
    }

    private static async Task<bool> StreamsFromThreeAsync(AgentCluster cluster, int node) => await cluster.Node(3).QueryAsync<bool>(string.Create(CultureInfo.InvariantCulture, $"""
        select exists (select from pg_stat_replication r join pg_replication_slots s on s.active_pid = r.pid
                        where r.state = 'streaming' and s.slot_name like 'repmgr_t%_h3_n{node}')
        """));

    private static Task<ProgramResult> AskAsync(AgentCluster cluster, string name, params IReadOnlyList<string> options) =>
        cluster.Node(3).RepmgrAsync(["standby", "promote", $"--without-majority={name}", .. options]);

    private static async Task RefusedAsync(AgentCluster cluster, string name, string error, string detail)
    {
        ProgramResult refused = (await AskAsync(cluster, name)).ShouldExit(ExitCode.BadConfig);
        Assert.Contains(refused.Stderr.Split('\n'), line => line.StartsWith("ERROR: ", StringComparison.Ordinal) && line.Contains(error, StringComparison.Ordinal));
        Assert.Contains(refused.Stderr.Split('\n'), line => line.StartsWith("DETAIL: ", StringComparison.Ordinal) && line.Contains(detail, StringComparison.Ordinal));
        Assert.Contains(refused.Stderr.Split('\n'), line => line.StartsWith("HINT: ", StringComparison.Ordinal));
        Assert.True(await cluster.Node(3).InRecoveryAsync());
    }
}
