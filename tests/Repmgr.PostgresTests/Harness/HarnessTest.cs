namespace Repmgr.PostgresTests.Harness;

/// <summary>What the other tests stand on: that servers start and die, that hosts are apart, that nothing stays behind.</summary>
public sealed class HarnessTest : LabTest
{
    [Theory, EveryMajor]
    public async Task A_cluster_replicates_and_survives_a_power_cut(int major)
    {
        var cluster = await Lab.ClusterAsync(major, standbys: 1);
        await cluster.Primary.ExecuteAsync("create table t as select 7 as x");
        await Eventually.EqualAsync(7, () => cluster.Standbys[0].QueryAsync<int>("select x from t"), Seconds(10), "the row on the standby");
        await cluster.Primary.KillAsync();
        Assert.False(cluster.Primary.IsRunning);
        await cluster.Primary.StartAsync();
        await cluster.Standbys[0].StreamsFromAsync(cluster.Primary);
        Assert.True(await cluster.Standbys[0].InRecoveryAsync());
    }

    [Fact]
    public async Task A_frozen_server_is_there_and_does_not_answer()
    {
        var server = await Lab.ServerAsync(PostgresMajor.Default);
        await server.StartAsync();
        server.Freeze();
        Assert.True(server.IsRunning);
        var asked = await server.RunAsync(server.Major.Program("pg_isready"), "-h", "127.0.0.1", "-p", $"{server.Port}", "-t", "1");
        Assert.NotEqual(0, asked.ExitCode);
        server.Thaw();
        await Eventually.EqualAsync(1, () => server.QueryAsync<int>("select 1"), Seconds(10), "the answer");
    }

    [Fact]
    public async Task Hosts_reach_each_other_by_name_with_ssh_and_links_are_cut_one_way()
    {
        var hosts = await Lab.HostsAsync("node1", "node2");
        var one = await Lab.ServerAsync(PostgresMajor.Default, 1, hosts[0]);
        var two = await Lab.EmptyServerAsync(PostgresMajor.Default, 2, hosts[1]);
        await one.StartAsync();
        (await two.RunAsync("ssh", "node1", "hostname")).ShouldSucceed().ShouldSay("node1");
        (await two.RunAsync(two.Major.Program("psql"), "-h", "node1", "-U", "repmgr", "-Atc", "select 1")).ShouldSucceed();
        await hosts[0].CutAsync(hosts[1]);
        Assert.NotEqual(0, (await two.RunAsync(two.Major.Program("pg_isready"), "-h", "node1", "-t", "1")).ExitCode);
        await hosts[0].HealAsync(hosts[1]);
        await Eventually.TrueAsync(
            async () => (await two.RunAsync(two.Major.Program("pg_isready"), "-h", "node1", "-t", "1")).ExitCode == 0,
            Seconds(10), "node1 answers again");
        await one.KillAsync();
        await one.StartAsync();
    }

    [Fact]
    public async Task Nothing_stays_behind()
    {
        var lab = await Lab.OpenAsync();
        var server = await lab.ServerAsync(PostgresMajor.Default);
        await server.StartAsync();
        Assert.NotEmpty(Leftovers.In(lab.Directory));
        await lab.DisposeAsync();
        Assert.Empty(Leftovers.In(lab.Directory));
        Assert.False(Directory.Exists(lab.Directory));
    }
}
