using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>Synchronous sets (R9): what was acknowledged is never lost, whatever becomes of the primary's host.</summary>
public sealed class SynchronousTest : LabTest
{
    [Theory, EveryMajor]
    public async Task A_host_that_is_lost_takes_no_acknowledged_row_along(int major)
    {
        SynchronousCluster cluster = await SynchronousCluster.StartAsync(Lab, major, "quorum", 1);
        await using WritingClients clients = await cluster.UnderLoadAsync();
        await cluster.AwaitSetAsync(holder: 1, count: 1, 2, 3);
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));

        // One standby falls behind: what is acknowledged from here on is on the other alone.
        await cluster.FreezeReceiverAsync(2);
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));
        cluster.LoseHost(1);
        cluster.ThawReceiver(2);
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(40));
        await clients.StopAsync();
        await clients.ShouldAllBeOnAsync(cluster.Node(primary));
    }

    [Theory, EveryMajor]
    public async Task Strict_waits_for_the_standby_that_is_missing_and_loses_nothing_either(int major)
    {
        SynchronousCluster cluster = await SynchronousCluster.StartAsync(Lab, major, "strict", 2);
        await using WritingClients clients = await cluster.UnderLoadAsync();
        await cluster.AwaitSetAsync(holder: 1, count: 2, 2, 3);
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));

        cluster.LoseHost(3);
        await Eventually.TrueAsync(async () => await cluster.WaitingCommitsAsync(1) > 1, Seconds(20), "commits wait");
        TimeSpan waits = WritingClients.Now;
        await Eventually.TrueAsync(() => Task.FromResult(WritingClients.Now - waits > Seconds(6)), Seconds(20), "long enough to be dropped, if it were a quorum");
        Assert.DoesNotContain(clients.Rows, row => row.At > waits);
        await cluster.BringBackAsync(3);
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(60));
        await cluster.AwaitSetAsync(holder: 1, count: 2, 2, 3);

        cluster.LoseHost(1);
        await Eventually.TrueAsync(async () => !await cluster.Node(2).InRecoveryAsync() || !await cluster.Node(3).InRecoveryAsync(), Seconds(40), "another is promoted");
        await cluster.BringBackAsync(1);
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(90));
        await clients.StopAsync();
        await clients.ShouldAllBeOnAsync(cluster.Node(primary));
    }

    [Fact]
    public async Task A_set_shrinks_when_a_standby_is_lost_and_grows_when_it_has_caught_up()
    {
        SynchronousCluster cluster = await SynchronousCluster.StartAsync(Lab, PostgresMajor.Default, "quorum", 2);
        await using WritingClients clients = await cluster.UnderLoadAsync();
        await cluster.AwaitSetAsync(holder: 1, count: 2, 2, 3);
        Assert.Equal("off", await cluster.Node(1).QueryAsync<string>("select setting from pg_settings where name = 'restart_after_crash'"));
        foreach (int standby in (int[])[2, 3])
        {
            Assert.Equal("ANY 1 (\"nobody@0\")", await cluster.Node(standby).QueryAsync<string>("select current_setting('synchronous_standby_names')"));
            // A standby hears of it with the next renewal.
            await Eventually.EqualAsync(200, async () => (await cluster.AskAsync(standby, "/synchronous")).Status, Seconds(10), $"node {standby} knows that commits wait for it");
            Assert.Equal(503, (await cluster.AskAsync(standby, "/asynchronous")).Status);
        }

        cluster.LoseHost(3);
        TimeSpan lost = WritingClients.Now;
        await cluster.AwaitSetAsync(holder: 1, count: 1, 2);
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));
        AgentCluster.Say("a synchronous standby lost, longest time without an acknowledgement", clients.LongestGap(lost));

        await cluster.BringBackAsync(3);
        await cluster.AwaitSetAsync(holder: 1, count: 2, 2, 3);
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));
        await clients.StopAsync();
        Assert.All(clients.Rows, row => Assert.Equal(1, row.Node));
    }

    [Fact]
    public async Task A_holder_that_is_cut_off_acknowledges_nothing_and_is_made_anew_when_it_is_back()
    {
        SynchronousCluster cluster = await SynchronousCluster.StartAsync(Lab, PostgresMajor.Default, "quorum", 1);
        await using WritingClients clients = await cluster.UnderLoadAsync();
        await cluster.AwaitSetAsync(holder: 1, count: 1, 2, 3);
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));
        ulong before = cluster.IdentityOf(1);

        await cluster.Node(1).Host!.IsolateAsync();
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));
        clients.ShouldHaveHadOnePrimaryAtATime(primary);
        await clients.ShouldAllBeOnAsync(cluster.Node(primary));

        await cluster.Node(1).Host!.RejoinAsync();
        await cluster.AllStreamFromAsync(primary, Seconds(90));
        await cluster.AwaitSetAsync(primary, count: 1, [.. cluster.OthersThan(primary).Select(node => node.NodeId)]);
        await clients.AwaitRowsAsync(50, notBy: 1, Seconds(20));
        await clients.StopAsync();
        clients.ShouldHaveHadOnePrimaryAtATime(primary);
        await clients.ShouldAllBeOnAsync(cluster.Node(primary));
        Assert.NotEqual(before, cluster.IdentityOf(1));
    }

    [Fact]
    public async Task A_holder_without_a_majority_of_agents_goes_on_while_its_commits_are_acknowledged()
    {
        SynchronousCluster cluster = await SynchronousCluster.StartAsync(Lab, PostgresMajor.Default, "quorum", 1);
        await using WritingClients clients = await cluster.UnderLoadAsync();
        await cluster.AwaitSetAsync(holder: 1, count: 1, 2, 3);
        cluster.Agents[2].Freeze();
        cluster.Agents[3].Freeze();
        TimeSpan frozen = WritingClients.Now;
        await Eventually.TrueAsync(() => Task.FromResult(WritingClients.Now - frozen > Seconds(8)), Seconds(20), "two leases have passed");
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(10));
        Assert.True(clients.LongestGap(frozen) < Seconds(2));

        cluster.Agents[2].Thaw();
        cluster.Agents[3].Thaw();
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));
        await clients.StopAsync();
        Assert.All(clients.Rows, row => Assert.Equal(1, row.Node));
    }

    [Fact]
    public async Task A_frozen_postmaster_is_replaced_by_a_node_that_has_every_acknowledged_row()
    {
        SynchronousCluster cluster = await SynchronousCluster.StartAsync(Lab, PostgresMajor.Default, "quorum", 1);
        await using WritingClients clients = await cluster.UnderLoadAsync();
        await cluster.AwaitSetAsync(holder: 1, count: 1, 2, 3);
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));
        _ = Leftovers.Send(cluster.PostmasterOf(1), Leftovers.SigStop);
        int primary = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));
        await cluster.EndsWellAsync(clients, primary);
    }

    [Fact]
    public async Task An_agent_that_is_killed_in_the_middle_of_a_change_finishes_it_when_it_is_back()
    {
        SynchronousCluster cluster = await SynchronousCluster.StartAsync(Lab, PostgresMajor.Default, "quorum", 2);
        await using WritingClients clients = await cluster.UnderLoadAsync();
        await cluster.AwaitSetAsync(holder: 1, count: 2, 2, 3);
        cluster.LoseHost(3);
        // A WAL sender that does not end keeps the next set from being in force.
        int sender = await cluster.FreezeAsync(1, "walsender");
        await cluster.Agents[1].SaysAsync("does not end, and may acknowledge by the former value of synchronous_standby_names", Seconds(30));
        cluster.Agents[1].Kill();
        await cluster.Agents[1].ExitAsync(Seconds(10));
        cluster.StartAgent(1);
        _ = Leftovers.Send(sender, Leftovers.SigCont);

        int primary = await clients.AwaitRowsAsync(50, notBy: 0, Seconds(60));
        await cluster.AwaitSetAsync(primary, count: 1, [.. cluster.OthersThan(primary).Select(node => node.NodeId).Where(node => node != 3)]);
        await cluster.BringBackAsync(3);
        await cluster.AwaitSetAsync(primary, count: 2, [.. cluster.OthersThan(primary).Select(node => node.NodeId)]);
        await clients.StopAsync();
        await clients.ShouldAllBeOnAsync(cluster.Node(primary));
    }

    [Fact]
    public async Task A_set_that_was_empty_counts_only_once_the_checkpointer_has_read_the_new_value()
    {
        SynchronousCluster cluster = await SynchronousCluster.StartAsync(Lab, PostgresMajor.Default, "quorum", 1);
        await using WritingClients clients = await cluster.UnderLoadAsync();
        await cluster.AwaitSetAsync(holder: 1, count: 1, 2, 3);
        await cluster.FreezeReceiverAsync(2);
        await cluster.FreezeReceiverAsync(3);
        await cluster.AwaitSetAsync(holder: 1, count: 0);
        await clients.AwaitRowsAsync(20, notBy: 0, Seconds(20));
        int checkpointer = await cluster.FreezeAsync(1, "checkpointer");
        cluster.ThawReceiver(2);
        cluster.ThawReceiver(3);
        await cluster.Agents[1].SaysAsync("the checkpointer has not read the new value of synchronous_standby_names yet", Seconds(40));
        Assert.Equal(0, cluster.RememberedCount(1));
        _ = Leftovers.Send(checkpointer, Leftovers.SigCont);
        await cluster.AwaitSetAsync(holder: 1, count: 1, 2, 3);
        await clients.StopAsync();
    }

    [Fact]
    public async Task A_standby_that_is_cloned_anew_is_another_member()
    {
        SynchronousCluster cluster = await SynchronousCluster.StartAsync(Lab, PostgresMajor.Default, "quorum", 2);
        await using WritingClients clients = await cluster.UnderLoadAsync();
        await cluster.AwaitSetAsync(holder: 1, count: 2, 2, 3);
        ulong before = cluster.IdentityOf(3);
        cluster.LoseHost(3);
        await cluster.AwaitSetAsync(holder: 1, count: 1, 2);
        TestServer first = cluster.Node(1);
        (await cluster.Node(3).RepmgrAsync("-h", first.Address, "-p", $"{first.Port}", "-U", "repmgr", "-d", "repmgr", "standby", "clone", "--force", "--fast-checkpoint")).ShouldSucceed();
        ulong after = cluster.IdentityOf(3);
        Assert.NotEqual(before, after);
        await cluster.BringBackAsync(3);
        await cluster.AwaitSetAsync(holder: 1, count: 2, 2, 3);
        Assert.Contains(after, cluster.RememberedIdentities(1));
        Assert.DoesNotContain(before, cluster.RememberedIdentities(1));
        await clients.StopAsync();
    }

    [Fact]
    public async Task What_keeps_commits_from_being_protected_is_said_and_a_set_that_was_changed_is_put_back()
    {
        SynchronousCluster cluster = await SynchronousCluster.StartAsync(Lab, PostgresMajor.Default, "quorum", 1);
        await cluster.AwaitSetAsync(holder: 1, count: 1, 2, 3);
        string names = await cluster.Node(1).QueryAsync<string>("select current_setting('synchronous_standby_names')");
        Assert.True(await cluster.IsProtectedAsync(1));

        await cluster.Node(1).ExecuteAsync("alter system set synchronous_standby_names = ''");
        await cluster.Node(1).ReloadAsync();
        await cluster.Agents[1].SaysAsync("synchronous_standby_names is '', and was not set by this agent", Seconds(20));
        await Eventually.TrueAsync(
            async () => await cluster.Node(1).QueryAsync<string>("select current_setting('synchronous_standby_names')") == names, Seconds(20), "the set is back in force");

        await cluster.Node(1).ExecuteAsync("create role careless; alter role careless set synchronous_commit = local");
        await cluster.Agents[1].SaysAsync("synchronous_commit=local is set for role careless", Seconds(20));
        await Eventually.TrueAsync(async () => !await cluster.IsProtectedAsync(1), Seconds(10), "it is shown as not protected");
        await cluster.Node(1).ExecuteAsync("drop role careless");
        await Eventually.TrueAsync(() => cluster.IsProtectedAsync(1), Seconds(10), "it is shown as protected");

        // R13: what the cluster remembers counts.
        await cluster.Node(2).WriteConfAsync("failover = automatic", "synchronous = strict");
        Assert.Equal(0, await cluster.Agents[2].StopAsync());
        cluster.StartAgent(2);
        await cluster.Agents[2].SaysAsync("synchronous = strict is not what the cluster has agreed on", Seconds(20));
    }
}
