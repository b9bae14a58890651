using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>Two nodes whose lease lies in etcd (docs/adr/0116). Each test takes about a minute, most of it waiting for leases to end.</summary>
public sealed class EtcdTest : LabTest
{
    private const string User = "repmgr", Password = "not-to-be-seen";

    [Fact]
    public async Task Two_nodes_and_an_etcd_survive_the_servers_end_a_silent_host_and_without_etcd_nobody_writes()
    {
        IReadOnlyList<TestHost> hosts = await Lab.HostsAsync("one", "two", "three");
        EtcdServer etcd = await EtcdServer.StartAsync(Lab, hosts[2]);
        AgentCluster cluster = await AgentCluster.StartOnAsync(Lab, [hosts[0], hosts[1]], PostgresMajor.Default, "lease_store = etcd", $"etcd_endpoints = 'http://127.0.0.1:1,{etcd.Url}'");
        await cluster.AllStreamFromAsync(1, Seconds(40));
        await using WritingClients clients = await cluster.UnderLoadAsync(whenAllVote: true);
        Assert.Contains("lease store: etcd, at /repmgr/", (await cluster.Node(2).RepmgrAsync("cluster", "show")).Stdout, StringComparison.Ordinal);

        TimeSpan killed = WritingClients.Now;
        _ = Leftovers.Send(cluster.PostmasterOf(1), Leftovers.SigKill);
        Assert.Equal(2, await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30)));
        AgentCluster.Say("etcd, SIGKILL of the postmaster, without an acknowledgement", clients.LongestGap(killed));
        await cluster.AllStreamFromAsync(2, Seconds(60));
        await NothingIsLostAsync(clients, cluster.Node(2));

        TimeSpan cut = WritingClients.Now;
        await cluster.Node(2).Host!.IsolateAsync();
        Assert.Equal(1, await clients.AwaitRowsAsync(50, notBy: 2, Seconds(30)));
        AgentCluster.Say("etcd, a silent host, without an acknowledgement", clients.LongestGap(cut));
        await cluster.Agents[2].SaysAsync("the lease ends, and the server is taken out of service", Seconds(20));
        await cluster.Node(2).Host!.RejoinAsync();
        await cluster.AllStreamFromAsync(1, Seconds(90));

        await etcd.KillAsync();
        await cluster.Agents[1].SaysAsync("etcd does not answer", Seconds(20));
        await cluster.Agents[1].SaysAsync("the lease ends, and the server is taken out of service", Seconds(20));
        string show = (await cluster.Node(2).RepmgrAsync("cluster", "show")).Stdout;
        Assert.Contains("NOBODY holds term", show, StringComparison.Ordinal);
        Assert.Contains("WHICH DOES NOT ANSWER", show, StringComparison.Ordinal);
        await etcd.StartAsync();
        int primary = await clients.AwaitRowsAsync(50, notBy: 0, Seconds(40));
        await cluster.EndsOnOneAsync(clients, primary);
    }

    /// <summary>While clients go on.</summary>
    private static async Task NothingIsLostAsync(WritingClients clients, TestServer server)
    {
        IReadOnlyList<Acknowledged> rows = clients.Rows;
        HashSet<string?> there = [.. (await server.RowsAsync("select id from written")).Select(row => row[0])];
        Assert.DoesNotContain(rows, row => !there.Contains(row.Row.ToString(System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task In_a_synchronous_mode_the_primary_goes_on_without_etcd_which_asks_for_certificates_and_passwords()
    {
        IReadOnlyList<TestHost> hosts = await Lab.HostsAsync("one", "two", "three");
        EtcdServer etcd = await EtcdServer.StartAsync(Lab, hosts[2], isSecured: true);
        await etcd.AskForPasswordsAsync(User, Password, "/databases/");
        string file = etcd.File("password");
        await File.WriteAllTextAsync(file, Password + "\n", TestContext.Current.CancellationToken);
        await TestUser.GiveAsync(etcd.Directory, TestUser.Name);
        AgentCluster cluster = await AgentCluster.StartOnAsync(
            Lab, [hosts[0], hosts[1]], PostgresMajor.Default,
            "synchronous = quorum", "lease_store = etcd", $"etcd_endpoints = '{etcd.Url}'", "etcd_prefix = '/databases/'", $"etcd_user = '{User}'", $"etcd_password_file = '{file}'",
            $"etcd_ca_file = '{etcd.File("ca.crt")}'", $"etcd_cert_file = '{etcd.File("client.crt")}'", $"etcd_key_file = '{etcd.File("client.key")}'");
        await cluster.AllStreamFromAsync(1, Seconds(40));
        await new SynchronousCluster(cluster).AwaitSetAsync(1, 1, 2);
        await using WritingClients clients = await cluster.UnderLoadAsync(whenAllVote: true);

        await etcd.KillAsync();
        await cluster.Agents[1].SaysAsync("etcd does not answer", Seconds(20));
        TimeSpan gone = WritingClients.Now;
        await Eventually.TrueAsync(() => Task.FromResult(WritingClients.Now - gone > Seconds(9)), Seconds(20), "three leases would have ended");
        Assert.Equal(1, await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20)));
        Assert.DoesNotContain("the server is taken out of service", cluster.Agents[1].Log(), StringComparison.Ordinal);

        await etcd.StartAsync();
        await cluster.Agents[1].SaysAsync("etcd answers", Seconds(20));
        await cluster.Agents[2].SaysAsync("etcd answers", Seconds(20));
        await AgentCluster.AllVoteAsync();
        await cluster.KillHostAsync(1);
        Assert.Equal(2, await clients.AwaitRowsAsync(50, notBy: 1, Seconds(40)));
        cluster.StartAgent(1);
        await cluster.EndsWellAsync(clients, 2);
        foreach (RepmgrdProcess agent in cluster.Agents.Values)
            Assert.DoesNotContain(Password, agent.Log(), StringComparison.Ordinal);
    }
}
