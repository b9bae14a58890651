using System.Globalization;
using System.Text.Json;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary><c>standby switchover</c> through agents, on three hosts with real servers and clients that keep every acknowledged row.</summary>
public sealed class SwitchoverTest : LabTest
{
    [Theory, EveryMajor]
    public async Task Roles_are_exchanged_from_any_node_under_load_and_no_acknowledged_row_is_lost(int major)
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, major);
        await using WritingClients clients = await cluster.UnderLoadAsync(whenAllVote: true);

        // On the candidate.
        TimeSpan asked = WritingClients.Now;
        ProgramResult first = (await cluster.Node(2).RepmgrAsync("standby", "switchover")).ShouldSucceed();
        AgentCluster.Say($"PostgreSQL {major}, standby switchover, without an acknowledgement", clients.LongestGap(asked));
        first.ShouldSay("takes writes, in term 2; no server did for ").ShouldSay("node \"node2\" (ID: 2) is the primary now, and all others stream from it");
        await cluster.AllStreamFromAsync(2, Seconds(5));

        // On the primary, for another node, and at a time.
        string at = DateTimeOffset.UtcNow.AddSeconds(3).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        ProgramResult second = (await cluster.Node(2).RepmgrAsync("standby", "switchover", "--node-name=node3", $"--at={at}")).ShouldSucceed();
        second.ShouldSay("everything is ready: waiting until");
        await cluster.AllStreamFromAsync(3, Seconds(5));

        // On a third one.
        using (JsonDocument report = JsonDocument.Parse((await cluster.Node(2).RepmgrAsync("standby", "switchover", "--node-id=1", "--json", "--siblings-follow")).ShouldSucceed().Stdout))
            Assert.All(report.RootElement.GetProperty("steps").EnumerateArray(), step => Assert.Equal("done", step.GetProperty("outcome").GetString()));
        await cluster.EndsWellAsync(clients, 1);

        Assert.Equal(
            [["2", "t", "node \"node2\" (ID: 2) has taken the role of the primary from node \"node1\" (ID: 1)"], ["3", "t", "node \"node3\" (ID: 3) has taken the role of the primary from node \"node2\" (ID: 2)"], ["1", "t", "node \"node1\" (ID: 1) has taken the role of the primary from node \"node3\" (ID: 3)"]],
            await cluster.Node(1).RowsAsync("select node_id, successful, details from repmgr.events where event = 'standby_switchover' order by event_timestamp"));
        // Again, it has nothing to do.
        (await cluster.Node(3).RepmgrAsync("standby", "switchover", "--node-id=1")).ShouldSucceed().ShouldSay("is the primary already");
    }

    [Fact]
    public async Task What_speaks_against_it_is_said_before_and_nothing_moves()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default, "wal_receive_check_timeout = 2");
        int postmaster = cluster.PostmasterOf(1);
        TestServer standby = cluster.Node(2);
        (await standby.RepmgrAsync("standby", "switchover", "--dry-run")).ShouldSucceed().ShouldSay("3. ask the agent of node \"node1\" (ID: 1) to stop its server and hand over to node \"node2\" (ID: 2)");
        (await standby.RepmgrAsync("standby", "switchover", "--node-id=7")).ShouldExit(ExitCode.BadConfig).ShouldSay("node 7 is not registered");
        (await standby.RepmgrAsync("standby", "switchover", "--node-name=nobody")).ShouldExit(ExitCode.BadConfig).ShouldSay("no node \"nobody\" is registered");
        (await standby.RepmgrAsync("standby", "switchover", "--at=2020-01-01 03:30")).ShouldExit(ExitCode.BadConfig).ShouldSay("the time given with --at is over");

        await standby.ExecuteAsync("select pg_wal_replay_pause()");
        (await standby.RepmgrAsync("standby", "switchover")).ShouldExit(ExitCode.BadConfig).ShouldSay("replay is paused on node \"node2\" (ID: 2)");
        await standby.ExecuteAsync("select pg_wal_replay_resume()");

        // It receives, and replays nothing.
        int startup = cluster.ProcessOf(2, "startup");
        _ = Leftovers.Send(startup, Leftovers.SigStop);
        await cluster.Node(1).ExecuteAsync("create table much as select * from generate_series(1, 500000)");
        (await standby.RepmgrAsync("standby", "switchover")).ShouldExit(ExitCode.SwitchoverFailed).ShouldSay("has not come near enough to node \"node1\" (ID: 1)").ShouldSay("Nothing has been changed.");
        _ = Leftovers.Send(startup, Leftovers.SigCont);

        (await standby.RepmgrAsync("service", "pause")).ShouldSucceed();
        (await standby.RepmgrAsync("standby", "switchover")).ShouldExit(ExitCode.BadConfig).ShouldSay("failover is paused");
        Assert.Equal(postmaster, cluster.PostmasterOf(1));
        await cluster.AllStreamFromAsync(1, Seconds(20));
    }

    [Fact]
    public async Task A_client_that_keeps_the_primary_from_stopping_does_not_hold_it_up_and_no_row_is_lost()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await using WritingClients clients = await cluster.UnderLoadAsync(whenAllVote: true);
        await using (var held = await cluster.Node(1).ConnectAsync())
        {
            // A process that is stopped does not end when it is asked to, but when it is killed.
            _ = Leftovers.Send(cluster.ProcessOf(1, "idle"), Leftovers.SigStop);
            (await cluster.Node(3).RepmgrAsync("standby", "switchover")).ShouldSucceed();
        }

        await cluster.EndsWellAsync(clients, 3);
    }

    [Fact]
    public async Task Killed_at_any_step_it_is_finished_by_running_it_again()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await using WritingClients clients = await cluster.UnderLoadAsync(whenAllVote: true);
        (int To, string At)[] kills =
        [
            (2, "write a checkpoint on"), (3, "is within 16 MB of"), (2, "to stop its server and hand over to"), (1, "wait until node \"node2\" (ID: 2) streams from"), (2, "wait until node \"node3\" (ID: 3) streams from"),
        ];
        foreach ((int to, string at) in kills)
        {
            await KillAtAsync(cluster.OthersThan(to).First(), at, $"--node-id={to}");
            // Agents that are electing somebody may still be about to elect another than was named.
            _ = await Eventually.SatisfiesAsync(
                () => cluster.OthersThan(to).Last().RepmgrAsync("standby", "switchover", $"--node-id={to}"), result => result.ExitCode == 0, Seconds(120), "it is finished");
            await cluster.AllStreamFromAsync(to, Seconds(5));
            await clients.AwaitRowsAsync(20, notBy: 0, Seconds(20));
        }

        await cluster.EndsWellAsync(clients, 2);
    }

    /// <summary>Runs it, and sends SIGKILL to it when it says that it begins with this step.</summary>
    private static async Task KillAtAsync(TestServer node, string step, string target)
    {
        string says = Path.Combine(node.Directory, "says");
        File.Delete(says);
        Task<ProgramResult> run = node.RunAsync("sh", "-c", "exec \"$0\" -f \"$1\" standby switchover \"$2\" 2> says", Programs.Repmgr, node.ConfPath, target);
        await Eventually.TrueAsync(
            () => Task.FromResult(run.IsCompleted || (File.Exists(says) && File.ReadAllText(says).Contains(step, StringComparison.Ordinal))), Seconds(60), $"it says «{step}»");
        foreach (int pid in Leftovers.In(node.Directory).Where(pid => IsRepmgr(pid)))
            _ = Leftovers.Send(pid, Leftovers.SigKill);
        _ = await run;
        Assert.Contains(step, File.ReadAllText(says), StringComparison.Ordinal);
    }

    private static bool IsRepmgr(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/comm").Trim() == "repmgr";
        }
        catch (IOException)
        {
            return false;
        }
    }
}
