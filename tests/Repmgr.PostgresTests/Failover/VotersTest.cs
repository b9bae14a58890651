using System.Globalization;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>Voters come and go (R13), on real servers; and one that has no server.</summary>
public sealed class VotersTest : LabTest
{
    [Theory, EveryMajor]
    public async Task With_a_witness_the_second_of_two_servers_takes_over_when_the_primarys_host_is_lost(int major)
    {
        IReadOnlyList<TestHost> hosts = await Lab.HostsAsync("one", "two", "three");
        AgentCluster cluster = await AgentCluster.StartOnAsync(Lab, [hosts[0], hosts[1]], major);
        await cluster.Agents[1].SaysAsync("2 nodes are registered, and it takes 3", Seconds(20));

        (TestServer place, RepmgrdProcess witness) = await WitnessAsync(hosts[2], major);
        await cluster.AllStreamFromAsync(1, Seconds(40));
        await witness.SaysAsync("3 voters, term 1", Seconds(20));
        await using WritingClients clients = await cluster.UnderLoadAsync(whenAllVote: true);

        TimeSpan killed = WritingClients.Now;
        await cluster.KillHostAsync(1);
        await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));
        AgentCluster.Say($"PostgreSQL {major}, a lost host and a witness, without an acknowledgement", clients.LongestGap(killed));
        ProgramResult show = await cluster.Node(2).RepmgrAsync("cluster", "show");
        Assert.Contains(show.Stdout.Split('\n'), line => line.Contains("witness", StringComparison.Ordinal) && line.Contains("* running", StringComparison.Ordinal));
        AgentCluster.Say("memory of the witness in MB, as seconds", Seconds(MegabytesOf(witness)));

        // The agent starts the server, as a standby, and lets it follow.
        cluster.StartAgent(1);
        await cluster.EndsOnOneAsync(clients, 2);

        ProgramResult gone = (await place.RepmgrAsync("witness", "unregister")).ShouldSucceed();
        Assert.Contains("registered no more", gone.Stderr, StringComparison.Ordinal);
        await cluster.Agents[2].SaysAsync("there is no failover with two voters", Seconds(10));
        Assert.Equal(0, await witness.StopAsync());
    }

    [Fact]
    public async Task A_fourth_node_is_admitted_under_writers_votes_and_is_removed()
    {
        IReadOnlyList<TestHost> hosts = await Lab.HostsAsync("one", "two", "three", "four");
        AgentCluster cluster = await AgentCluster.StartOnAsync(Lab, [.. hosts.Take(3)], PostgresMajor.Default);
        await using WritingClients clients = await cluster.UnderLoadAsync();

        TestServer fourth = await Lab.EmptyServerAsync(PostgresMajor.Default, 4, hosts[3]);
        await fourth.WriteConfAsync("failover = automatic");
        (await fourth.RepmgrAsync("-h", cluster.Node(1).Address, "-U", "repmgr", "-d", "repmgr", "standby", "clone")).ShouldSucceed();
        await fourth.PersonaliseAsync();
        await fourth.ConfigureAsync("unix_socket_directories = '..'");
        await fourth.StartAsync();
        (await fourth.RepmgrAsync("standby", "register")).ShouldSucceed();
        cluster.Nodes.Add(fourth);
        cluster.StartAgent(4);
        await cluster.Agents[1].SaysAsync("the voters are now node 1, node 2, node 3, node 4", Seconds(30));
        await cluster.AllStreamFromAsync(1, Seconds(30));
        Assert.Contains("Its data are a copy of that node's", cluster.Agents[4].Log(), StringComparison.Ordinal);
        Assert.DoesNotContain("make the data anew", cluster.Agents[4].Log(), StringComparison.Ordinal);

        // A majority of four is three: without the primary all of the others.
        await AgentCluster.AllVoteAsync();
        await cluster.KillHostAsync(1);
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));
        cluster.StartAgent(1);
        await cluster.AllStreamFromAsync(primary, Seconds(60));

        int removed = primary == 4 ? 3 : 4;
        (await cluster.Node(primary).RepmgrAsync("standby", "unregister", $"--node-id={removed}")).ShouldSucceed();
        string left = string.Join(", ", new[] { 1, 2, 3, 4 }.Where(id => id != removed).Select(id => $"node {id}"));
        await cluster.Agents[primary].SaysAsync($"the voters are now {left}\n", Seconds(10));
        Assert.Equal(0L, await cluster.Node(primary).QueryAsync<long>($"select count(*) from repmgr.agents where node_id = {removed}"));
        await clients.StopAsync();
        clients.ShouldHaveHadOnePrimaryAtATime(primary);
    }

    [Fact]
    public async Task An_agent_whose_state_directory_is_lost_is_admitted_anew_and_its_data_stay_where_they_agree()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await using WritingClients clients = await cluster.UnderLoadAsync();
        await cluster.Agents[3].StopAsync();
        Directory.Delete(cluster.Node(3).DataDirectory + ".repmgr", recursive: true);
        cluster.StartAgent(3);
        await cluster.Agents[1].SaysAsync("the voters are now node 1, node 2\n", Seconds(30));
        await cluster.Agents[1].SaysAsync("the voters are now node 1, node 2, node 3\n", Seconds(30));
        await cluster.AllStreamFromAsync(1, Seconds(30));
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));
        await clients.StopAsync();
        clients.ShouldHaveHadOnePrimaryAtATime(1);
    }

    private async Task<(TestServer Place, RepmgrdProcess Agent)> WitnessAsync(TestHost host, int major)
    {
        TestServer place = await Lab.EmptyServerAsync(major, 3, host);
        await File.WriteAllTextAsync(place.ConfPath, """
            node_id = 3
            node_name = witness
            conninfo = 'host=one,two user=repmgr dbname=repmgr connect_timeout=2'
            """);
        (await place.RepmgrAsync("witness", "register")).ShouldSucceed();
        return (place, place.StartRepmgrd());
    }

    private static double MegabytesOf(RepmgrdProcess process) => double.Parse(
        File.ReadLines($"/proc/{process.ProcessId}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1024;
}
