using System.Text.Json;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Failover;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Nodes;

/// <summary><c>node service</c> and <c>node control</c> on real servers.</summary>
public sealed class NodeServiceTest : LabTest
{
    [Theory, EveryMajor]
    public async Task A_server_is_started_reloaded_restarted_and_stopped_and_seen_to_be(int major)
    {
        TestServer server = await Lab.ServerAsync(major);
        (await server.RepmgrAsync("node", "service", "--action=start", "--dry-run")).ShouldSucceed().ShouldSay($"1. start the local server with \"{PostgresMajor.Of(major).BinDirectory}/pg_ctl -w");
        Assert.False(server.IsRunning);

        (await server.RepmgrAsync("node", "service", "--action=start")).ShouldSucceed();
        Assert.False(await server.InRecoveryAsync());
        (await server.RepmgrAsync("node", "service", "--action=start")).ShouldSucceed().ShouldSay("the server is running");

        await server.ConfigureAsync("work_mem = '7MB'");
        (await server.RepmgrAsync("node", "service", "--action=reload")).ShouldSucceed();
        await Eventually.EqualAsync("7MB", () => server.QueryAsync<string>("show work_mem"), Seconds(10), "work_mem");

        DateTime before = await server.QueryAsync<DateTime>("select pg_postmaster_start_time()");
        (await server.RepmgrAsync("node", "service", "--action=restart", "--checkpoint")).ShouldSucceed();
        Assert.True(await server.QueryAsync<DateTime>("select pg_postmaster_start_time()") > before);

        (await server.RepmgrAsync("node", "service", "--action=stop")).ShouldSucceed();
        Assert.False(server.IsRunning);
        (await server.RepmgrAsync("node", "status", "--is-shutdown-cleanly")).ShouldSucceed().ShouldSay("--state=SHUTDOWN ");
        (await server.RepmgrAsync("node", "service", "--action=stop")).ShouldSucceed().ShouldSay("the server is not running");
        (await server.RepmgrAsync("node", "service", "--action=reload")).ShouldExit(ExitCode.LocalCommand).ShouldSay("could not reload the server's configuration");
    }

    [Theory, EveryMajor]
    public async Task A_standby_is_promoted(int major)
    {
        TestCluster cluster = await Lab.ClusterAsync(major, standbys: 1);
        TestServer standby = cluster.Standbys[0];
        (await standby.RepmgrAsync("node", "service", "--action=promote")).ShouldSucceed();
        Assert.False(await standby.InRecoveryAsync());
    }

    [Fact]
    public async Task The_configured_commands_are_run_listed_and_their_failure_has_one_exit_code()
    {
        TestServer server = await Lab.ServerAsync(PostgresMajor.Default);
        string pgCtl = $"{PostgresMajor.Of(PostgresMajor.Default).BinDirectory}/pg_ctl -D {server.DataDirectory}";
        await server.WriteConfAsync(
            $"service_start_command='touch {server.Directory}/began && {pgCtl} -w start'", $"service_stop_command='{pgCtl} -m fast -w stop'", "service_restart_command='false'",
            "service_reload_command='echo no such thing >&2; exit 7'", "service_promote_command='promote it'");
        string listed = (await server.RepmgrAsync("node", "service", "--list-actions")).ShouldSucceed().Stdout;
        Assert.Equal(
            $"""
            Following commands would be executed for each action:

                start: "touch {server.Directory}/began && {pgCtl} -w start"
                stop: "{pgCtl} -m fast -w stop"
                restart: "false"
                reload: "echo no such thing >&2; exit 7"
                promote: "promote it"

            """.ReplaceLineEndings("\n"),
            listed);
        JsonElement json = JsonDocument.Parse((await server.RepmgrAsync("node", "service", "--list-actions", "--json")).ShouldSucceed().Stdout).RootElement;
        Assert.Equal("promote it", json.GetProperty("actions").GetProperty("promote").GetString());

        (await server.RepmgrAsync("node", "service", "--action=start")).ShouldSucceed();
        Assert.True(File.Exists(Path.Combine(server.Directory, "began")));
        (await server.RepmgrAsync("node", "service", "--action=reload")).ShouldExit(ExitCode.LocalCommand).ShouldSay("no such thing");
        (await server.RepmgrAsync("node", "service", "--action=restart")).ShouldExit(ExitCode.LocalCommand).ShouldSay("could not restart the server");
        (await server.RepmgrAsync("node", "service", "--action=stop")).ShouldSucceed();
        (await server.RepmgrAsync("node", "service")).ShouldExit(ExitCode.BadConfig).ShouldSay("no action is named");
    }

    [Fact]
    public async Task A_role_that_may_not_write_a_checkpoint_stops_the_server_all_the_same()
    {
        TestServer server = await Lab.ServerAsync(PostgresMajor.Default);
        await server.StartAsync();
        await server.ExecuteAsync("create role watcher login");
        await server.WriteConfAsync($"conninfo='{server.Conninfo.Replace("user=repmgr", "user=watcher", StringComparison.Ordinal)}'");
        (await server.RepmgrAsync("node", "service", "--action=stop", "--checkpoint")).ShouldSucceed().ShouldSay("no checkpoint was written");
        Assert.False(server.IsRunning);
    }

    [Theory, EveryMajor]
    public async Task The_receiver_is_kept_from_running_and_let_run_again(int major)
    {
        TestCluster cluster = await Lab.ClusterAsync(major, standbys: 1);
        TestServer standby = cluster.Standbys[0];
        const string Interval = "select setting::int from pg_settings where name = 'wal_retrieve_retry_interval'";
        int before = await standby.QueryAsync<int>(Interval);
        (await standby.RepmgrAsync("node", "control", "--disable-wal-receiver")).ShouldSucceed();
        Assert.False(await standby.QueryAsync<bool>("select exists (select from pg_stat_wal_receiver)"));
        Assert.Equal(before + 86_400_000, await standby.QueryAsync<int>(Interval));
        (await standby.RepmgrAsync("node", "control", "--disable-wal-receiver")).ShouldSucceed().ShouldSay("is kept from running already");

        (await standby.RepmgrAsync("node", "control", "--enable-wal-receiver")).ShouldSucceed();
        await standby.StreamsFromAsync(cluster.Primary);
        Assert.Equal(before, await standby.QueryAsync<int>(Interval));
        (await standby.RepmgrAsync("node", "control", "--enable-wal-receiver")).ShouldSucceed();
        (await cluster.Primary.RepmgrAsync("node", "control", "--disable-wal-receiver")).ShouldExit(ExitCode.BadConfig).ShouldSay("is no standby");
    }

    [Fact]
    public async Task Under_agents_it_is_said_what_would_come_of_it_and_done_only_when_forced()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await AgentCluster.AllVoteAsync();
        TestServer primary = cluster.Node(1), standby = cluster.Node(2);

        (await primary.RepmgrAsync("node", "service", "--action=stop")).ShouldExit(ExitCode.BadConfig)
            .ShouldSay("is the primary, and failover is automatic: to stop its server is a failover").ShouldSay(" would be the primary, ").ShouldSay("run \"repmgr standby promote\"");
        (await primary.RepmgrAsync("node", "service", "--action=restart")).ShouldExit(ExitCode.BadConfig);
        (await standby.RepmgrAsync("node", "service", "--action=stop")).ShouldExit(ExitCode.BadConfig).ShouldSay("would start its server again");
        (await standby.RepmgrAsync("node", "service", "--action=promote")).ShouldExit(ExitCode.BadConfig).ShouldSay("taken out of service by its agent");
        (await standby.RepmgrAsync("node", "control", "--disable-wal-receiver")).ShouldExit(ExitCode.BadConfig).ShouldSay("failover is automatic");
        await cluster.AllStreamFromAsync(1, Seconds(10));

        // A failover at once, since the server's end is seen; and the agent starts it again as a standby.
        (await primary.RepmgrAsync("node", "service", "--action=stop", "--force")).ShouldSucceed().ShouldSay("NOTICE: node \"node1\" (ID: 1) is the primary");
        int next = 1;
        await Eventually.TrueAsync(async () => (next = await cluster.AllStreamAsync(Seconds(60))) != 1, Seconds(90), "another node is the primary, and node 1 follows it");
        Assert.NotEqual(1, next);

        // What the refusal named is what does it.
        TestServer follower = cluster.Nodes.First(node => node.NodeId != next);
        cluster.Agents[follower.NodeId].Terminate();
        await Eventually.TrueAsync(() => Task.FromResult(cluster.Agents[follower.NodeId].HasExited), Seconds(20), "its agent has ended");
        (await follower.RepmgrAsync("node", "service", "--action=stop")).ShouldSucceed();
        Assert.False(follower.IsRunning);
    }
}
