using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Rejoin;

/// <summary><c>node rejoin</c>: a stopped node comes back with the data that it has, or it is said why it cannot.</summary>
public sealed class RejoinTest : LabTest
{
    [Theory, EveryMajor]
    public async Task A_primary_that_was_stopped_in_good_order_comes_back_as_a_standby(int major)
    {
        (TestServer one, TestServer two) = await PairAsync(major);
        (await one.RepmgrAsync("node", "rejoin", "-h", two.Address, "-p", Port(two))).ShouldExit(ExitCode.RejoinFailed).ShouldSay("node \"node1\" (ID: 1) is the primary");
        await one.StopAsync();
        (await two.RepmgrAsync("standby", "promote")).ShouldSucceed();
        await two.ExecuteAsync("create table later as select 1 as x");

        (await one.RepmgrAsync("node", "rejoin")).ShouldExit(ExitCode.DbConnection).ShouldSay("-h HOST");
        (await one.RepmgrAsync("node", "rejoin", "-h", two.Address, "-p", Port(two), "--dry-run")).ShouldSucceed()
            .ShouldSay("its data can follow node \"node2\" (ID: 2) as they are").ShouldSay("write standby.signal");
        Assert.False(File.Exists(Path.Combine(one.DataDirectory, "standby.signal")));

        (await one.RepmgrAsync("node", "rejoin", "-d", two.Conninfo)).ShouldSucceed().ShouldSay("node \"node1\" (ID: 1) is back, as a standby of node \"node2\" (ID: 2)");
        await one.StreamsFromAsync(two, Seconds(5));
        await Eventually.EqualAsync(1, () => one.QueryAsync<int>("select x from later"), Seconds(20), "the row that came later");
        Assert.Equal([["standby", "2", "t"]], await two.RowsAsync("select type, upstream_node_id, active from repmgr.nodes where node_id = 1"));
        Assert.Equal([["1", "t"]], await two.RowsAsync("select node_id, successful from repmgr.events where event = 'node_rejoin'"));

        // Done is done, and by its own configuration it knows whom to ask when it is stopped again.
        (await one.RepmgrAsync("node", "rejoin")).ShouldExit(ExitCode.RejoinFailed).ShouldSay("the server of node \"node1\" (ID: 1) is running");
        await one.StopAsync();
        (await one.RepmgrAsync("node", "rejoin")).ShouldSucceed();
        await one.StreamsFromAsync(two, Seconds(5));
    }

    [Fact]
    public async Task A_primary_that_crashed_comes_back_when_the_other_has_all_that_it_had()
    {
        (TestServer one, TestServer two) = await PairAsync(PostgresMajor.Default);
        // These write WAL by themselves.
        foreach (string title in (string[])["background writer", "checkpointer"])
            _ = Leftovers.Send(ProcessOf(one, title), Leftovers.SigStop);
        await one.ExecuteAsync("create table made as select 1 as x");
        string end = await one.QueryAsync<string>("select pg_current_wal_insert_lsn()::text");
        await Eventually.TrueAsync(() => two.QueryAsync<bool>($"select pg_last_wal_receive_lsn() >= '{end}'"), Seconds(20), "the standby has all");
        await one.KillAsync();
        (await two.RepmgrAsync("standby", "promote")).ShouldSucceed();

        (await one.RepmgrAsync("node", "rejoin", "-d", two.Conninfo)).ShouldSucceed().ShouldSay("was not stopped in good order, and replays what it has first");
        await one.StreamsFromAsync(two, Seconds(5));
        Assert.Equal(1, await one.QueryAsync<int>("select x from made"));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task What_the_primary_does_not_have_is_counted_and_nothing_is_changed(bool inGoodOrder)
    {
        (TestServer one, TestServer two) = await PairAsync(PostgresMajor.Default);
        await two.StopAsync();
        await one.ExecuteAsync("create table lost as select generate_series(1, 1000)");
        await (inGoodOrder ? one.StopAsync() : one.KillAsync());
        await two.StartAsync();
        (await two.RepmgrAsync("standby", "promote")).ShouldSucceed();

        string[] rejoin = ["node", "rejoin", "-d", two.Conninfo];
        ProgramResult refused = (await one.RepmgrAsync(rejoin)).ShouldExit(ExitCode.RejoinFailed);
        Assert.Matches("has replayed up to [0-9A-F/]+, [1-9][0-9]{4,} bytes past that point", refused.Stderr);
        refused.ShouldSay("repmgr standby clone --force");
        (await one.RepmgrAsync([.. rejoin, "--dry-run"])).ShouldExit(ExitCode.RejoinFailed);
        Assert.False(File.Exists(Path.Combine(one.DataDirectory, "standby.signal")));
        Assert.False(one.IsRunning);
    }

    private async Task<(TestServer One, TestServer Two)> PairAsync(int major)
    {
        TestCluster cluster = await Lab.ClusterAsync(major, standbys: 1);
        await cluster.RegisterAsync();
        return (cluster.Primary, cluster.Standbys[0]);
    }

    private static string Port(TestServer server) => server.Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static int ProcessOf(TestServer server, string title) => Leftovers.OfServer(server.DataDirectory)
        .First(pid => File.ReadAllText($"/proc/{pid}/cmdline").Contains(title, StringComparison.Ordinal));
}
