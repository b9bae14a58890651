using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Cluster;

/// <summary><c>cluster show</c>, <c>cluster event</c> and <c>cluster cleanup</c> against servers that run, stop and change sides.</summary>
public sealed class ClusterShowTest : LabTest
{
    [Theory, EveryMajor]
    public async Task The_cluster_is_shown_as_repmgr_5_shows_it_through_all_that_happens(int major)
    {
        var cluster = await RegisteredAsync(major, standbys: 2);
        TestServer first = cluster.Primary, second = cluster.Standbys[0], third = cluster.Standbys[1];

        Assert.Equal(Full(cluster, "primary | * running |         ", "standby |   running | node1   ", "standby |   running | node1   ", status: 9),
            await ShowAsync(second, 0));
        Assert.Equal(
            """
             ID | Name  | Role    | Status    | Upstream | Location | Prio. | TLI
            ----+-------+---------+-----------+----------+----------+-------+-----
             1  | node1 | primary | * running |          | default  | 100   | 1  $
             2  | node2 | standby |   running | node1    | default  | 100   | 1  $
             3  | node3 | standby |   running | node1    | default  | 100   | 1  $

            """.ReplaceLineEndings("\n").Replace("$", "", StringComparison.Ordinal),
            await ShowAsync(second, 0, "--compact"));
        Assert.Equal("1,0,0\n2,0,1\n3,0,1\n", await ShowAsync(second, 0, "--csv"));

        await third.StopAsync();
        Assert.Equal("1,0,0\n2,0,1\n3,-1,-1\n", await ShowAsync(second, 25, "--csv"));
        var shown = (await second.RepmgrAsync("cluster", "show", "--compact")).ShouldExit(ExitCode.NodeStatus)
            .ShouldSay(" 3  | node3 | standby | ? unreachable | ? node1  | default  | 100   |    \n")
            .ShouldSay("WARNING: following issues were detected\n  - node \"node3\" (ID: 3) is registered as an active standby but is unreachable: ");
        Assert.EndsWith("\n\n", shown.Stdout, StringComparison.Ordinal);

        // The node that is asked is down itself: its upstream, known from its data directory, is asked instead.
        (await third.RepmgrAsync("cluster", "show")).ShouldExit(ExitCode.NodeStatus).ShouldSay("showing what its upstream knows")
            .ShouldSay(" 1  | node1 | primary | * running     |");
        await third.StartAsync();
        await third.StreamsFromAsync(first);

        await first.StopAsync();
        (await second.RepmgrAsync("cluster", "show", "--compact")).ShouldExit(ExitCode.NodeStatus)
            .ShouldSay(" 1  | node1 | primary | ? unreachable | ?        | default  | 100   |    \n")
            .ShouldSay(" 2  | node2 | standby |   running     | ? node1  | default  | 100   | 1  \n");
        (await first.RepmgrAsync("cluster", "show")).ShouldExit(ExitCode.DbConnection).ShouldSay("node \"node1\" cannot be reached");

        await second.QueryAsync<bool>("select pg_promote()");
        await first.StartAsync();
        (await third.RepmgrAsync("cluster", "show", "--compact")).ShouldExit(ExitCode.NodeStatus)
            .ShouldSay(" 2  | node2 | standby | ! running as primary | ! node1  | default  | 100   | 2  \n")
            .ShouldSay("node \"node2\" (ID: 2) is registered as standby but running as primary")
            .ShouldSay("2 nodes accept writes at the same time: node \"node1\" (ID: 1), node \"node2\" (ID: 2)");
    }

    [Theory, EveryMajor]
    public async Task A_standby_that_streams_without_its_name_is_shown_with_what_mends_it(int major)
    {
        var cluster = await RegisteredAsync(major, standbys: 2);
        TestServer primary = cluster.Primary, standby = cluster.Standbys[0];
        await standby.ExecuteAsync($"alter system set primary_conninfo = 'host={primary.Address} port={primary.Port} user=repmgr'");
        await standby.ReloadAsync();
        await Eventually.TrueAsync(
            () => primary.QueryAsync<bool>("select exists (select from pg_stat_replication where application_name = 'walreceiver' and state = 'streaming')"),
            Seconds(20), "the standby streams without its name");

        (await cluster.Standbys[1].RepmgrAsync("cluster", "show", "--compact")).ShouldExit(ExitCode.NodeStatus)
            .ShouldSay(" 2  | node2 | standby |   running | node1    |")
            .ShouldSay("streams from its upstream node \"node1\" (ID: 1) as \"walreceiver\", not under its own name; \"repmgr standby follow\" on it sets application_name=node2");

        (await standby.RepmgrAsync("standby", "follow")).ShouldSucceed();
        (await cluster.Standbys[1].RepmgrAsync("cluster", "show")).ShouldSucceed();
    }

    [Theory, EveryMajor]
    public async Task Each_node_says_its_role_timeline_position_lag_and_state(int major)
    {
        var cluster = await RegisteredAsync(major, standbys: 1);
        TestServer standby = cluster.Standbys[0];
        await standby.ExecuteAsync("select pg_wal_replay_pause()");
        await cluster.Primary.ExecuteAsync("create table t as select generate_series(1, 1000)");
        await Eventually.TrueAsync(
            () => standby.QueryAsync<bool>("select pg_last_wal_receive_lsn() > pg_last_wal_replay_lsn()"), Seconds(10), "WAL waits to be replayed");

        JsonElement shown = await JsonAsync(standby, "cluster", "show", "--json");
        JsonElement seen = shown.GetProperty("nodes")[1].GetProperty("seen");
        Assert.Equal("standby", seen.GetProperty("role").GetString());
        Assert.Equal(1, seen.GetProperty("timeline").GetInt32());
        Assert.Matches("^[0-9A-F]+/[0-9A-F]+$", seen.GetProperty("position").GetString());
        Assert.True(seen.GetProperty("replay_lag_bytes").GetInt64() > 10_000);
        Assert.True(seen.GetProperty("lag_seconds").GetDouble() >= 0);
        Assert.Equal("streaming", seen.GetProperty("replication_state").GetString());
        Assert.Equal("node1", seen.GetProperty("attached_to").GetString());
        Assert.Equal("async", seen.GetProperty("sync_state").GetString());
        Assert.Contains("has paused replay with", Assert.Single(shown.GetProperty("issues").EnumerateArray()).GetString(), StringComparison.Ordinal);

        await standby.ExecuteAsync("select pg_wal_replay_resume()");
        await Eventually.EqualAsync(
            0L,
            async () => (await JsonAsync(standby, "cluster", "show", "--json")).GetProperty("nodes")[1].GetProperty("seen").GetProperty("replay_lag_bytes").GetInt64(),
            Seconds(10), "the lag");
        (await standby.RepmgrAsync("cluster", "show", "--detail")).ShouldSucceed()
            .ShouldSay("| Running as | Timeline | Position ")
            .ShouldSay("| 0         | 0.0         | node1       | streaming | async");
    }

    [Fact]
    public async Task A_role_without_pg_monitor_sees_who_is_attached_all_the_same()
    {
        var cluster = await RegisteredAsync(PostgresMajor.Default, standbys: 1);
        await cluster.Primary.ExecuteAsync("create role watcher login; grant usage on schema repmgr to watcher; grant select on repmgr.nodes to watcher");
        (await cluster.Primary.RepmgrAsync("cluster", "show", "-U", "watcher")).ShouldSucceed().ShouldSay("|   running | node1    |");
    }

    // Sockets whose queue is full swallow what comes: to a client they are hosts behind a dead link.
    [Fact]
    public async Task Two_of_five_hosts_that_swallow_everything_cost_one_timeout()
    {
        var cluster = await RegisteredAsync(PostgresMajor.Default, standbys: 2);
        using var one = BlackHole.Open();
        using var two = BlackHole.Open();
        foreach ((int id, BlackHole hole) in ((int, BlackHole)[])[(4, one), (5, two)])
        {
            await cluster.Primary.ExecuteAsync(
                $"""
                insert into repmgr.nodes (node_id, upstream_node_id, node_name, type, conninfo, repluser, config_file)
                values ({id}, 1, 'node{id}', 'standby', 'host=127.0.0.1 port={hole.Port} user=repmgr dbname=repmgr connect_timeout=2', 'repmgr', '')
                """);
        }

        var shown = (await cluster.Primary.RepmgrAsync("cluster", "show", "--csv")).ShouldExit(ExitCode.NodeStatus);
        Assert.Equal("1,0,0\n2,0,1\n3,0,1\n4,-1,-1\n5,-1,-1\n", shown.Stdout);
        Assert.InRange(shown.Took, Seconds(1.5), Seconds(3));
    }

    [Fact]
    public async Task A_frozen_server_costs_no_more()
    {
        var cluster = await RegisteredAsync(PostgresMajor.Default, standbys: 1);
        cluster.Standbys[0].Freeze();
        var shown = (await cluster.Primary.RepmgrAsync("cluster", "show", "--csv")).ShouldExit(ExitCode.NodeStatus);
        cluster.Standbys[0].Thaw();
        Assert.Equal("1,0,0\n2,-1,-1\n", shown.Stdout);
        Assert.InRange(shown.Took, Seconds(1.5), Seconds(3.5));
    }

    [Fact]
    public async Task Events_are_filtered_and_nothing_found_is_no_error()
    {
        var cluster = await RegisteredAsync(PostgresMajor.Default, standbys: 1);
        TestServer node = cluster.Primary;

        string all = (await node.RepmgrAsync("cluster", "event", "--csv")).ShouldSucceed().Stdout;
        Assert.Matches(
            """
            ^2,node2,standby_register,t,\d{4}-\d\d-\d\d \d\d:\d\d:\d\d
            1,node1,primary_register,t,\d{4}-\d\d-\d\d \d\d:\d\d:\d\d
            1,node1,cluster_created,t,\d{4}-\d\d-\d\d \d\d:\d\d:\d\d
            $
            """.ReplaceLineEndings("\n"),
            all);
        string[] lines = all.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(lines[0] + "\n", (await node.RepmgrAsync("cluster", "event", "--csv", "--limit=1")).Stdout);
        Assert.Equal(lines[0] + "\n", (await node.RepmgrAsync("cluster", "events", "--csv", "--node-id=2")).Stdout);
        Assert.Equal(lines[1] + "\n" + lines[2] + "\n", (await node.RepmgrAsync("cluster", "event", "--csv", "--node-name=node1")).Stdout);
        Assert.Equal(lines[1] + "\n", (await node.RepmgrAsync("cluster", "event", "--csv", "--event=primary_register")).Stdout);
        (await node.RepmgrAsync("cluster", "event", "--event=none")).ShouldSucceed().ShouldSay("no such event has been recorded");
        (await node.RepmgrAsync("cluster", "event")).ShouldSucceed()
            .ShouldSay(" Node ID | Name  | Event            | OK | Timestamp           | Details              \n")
            .ShouldSay("| upstream node ID is 1\n");
        Assert.DoesNotContain("Details", (await node.RepmgrAsync("cluster", "event", "--compact")).Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Old_history_is_deleted_on_the_primary_from_any_node()
    {
        var cluster = await RegisteredAsync(PostgresMajor.Default, standbys: 1);
        await cluster.Primary.ExecuteAsync(
            """
            insert into repmgr.monitoring_history
            select 1, n, now() - make_interval(days => d), null, '0/1', '0/1', 0, 0 from generate_series(0, 9) d, generate_series(2, 3) n
            """);

        (await cluster.Standbys[0].RepmgrAsync("cluster", "cleanup", "-k", "5", "--node-id=2", "--dry-run")).ShouldSucceed()
            .ShouldSay("1. delete the monitoring history older than 5 days of node 2");
        Assert.Equal(20, await CountAsync(cluster.Primary));
        (await cluster.Standbys[0].RepmgrAsync("cluster", "cleanup", "-k", "5", "--node-id=2")).ShouldSucceed();
        Assert.Equal(15, await CountAsync(cluster.Primary));
        (await cluster.Standbys[0].RepmgrAsync("cluster", "cleanup", "--keep-history=5")).ShouldSucceed();
        Assert.Equal(10, await CountAsync(cluster.Primary));
        (await cluster.Standbys[0].RepmgrAsync("cluster", "cleanup")).ShouldSucceed();
        Assert.Equal(0, await CountAsync(cluster.Primary));
        Assert.Equal(3, await cluster.Primary.QueryAsync<int>("select count(*)::int from repmgr.events where event = 'cluster_cleanup' and successful"));
    }

    [Fact]
    public async Task The_notification_command_hears_of_failures_too_and_runs_no_text_of_theirs()
    {
        var server = await Lab.ServerAsync(PostgresMajor.Default);
        string heard = Path.Combine(server.Directory, "heard");
        await server.StartAsync();
        await server.WriteConfAsync("node_name='$(touch hacked) `touch hacked`'", $"event_notification_command='printf \"%%s|\" %n %e %s \"%a\" %d >> {heard}'");
        await server.WriteConfAsync($"event_notification_command='printf \"%%s|\" %n %e %s \"%p\" \"%d\" >> {heard}; echo >> {heard}'");
        (await server.RepmgrAsync("primary", "register")).ShouldSucceed();
        await server.ExecuteAsync(
            """
            create function refuse() returns trigger language plpgsql as $f$ begin raise exception '$(touch hacked) `touch hacked` "; touch hacked; "'; end $f$;
            create trigger refuse before update on repmgr.nodes for each row execute function refuse()
            """);
        await File.AppendAllTextAsync(server.ConfPath, "priority=50\n", TestContext.Current.CancellationToken);

        (await server.RepmgrAsync("primary", "register", "--force")).ShouldExit(ExitCode.DbQuery);

        string[] lines = await File.ReadAllLinesAsync(heard, TestContext.Current.CancellationToken);
        Assert.Equal("1|cluster_created|1|||", lines[0]);
        Assert.Equal("1|primary_register|1|||", lines[1]);
        Assert.Equal("1|primary_register|0||could not write the record of node 1|", lines[2]);
        Assert.False(File.Exists(Path.Combine(server.Directory, "hacked")));
        Assert.Equal(
            [["primary_register", "f", "could not write the record of node 1"]],
            await server.RowsAsync("select event, successful, details from repmgr.events where not successful"));
    }

    private async Task<TestCluster> RegisteredAsync(int major, int standbys)
    {
        TestCluster cluster = await Lab.ClusterAsync(major, standbys);
        await cluster.RegisterAsync();
        return cluster;
    }

    private static Task<int> CountAsync(TestServer server) => server.QueryAsync<int>("select count(*)::int from repmgr.monitoring_history");

    private static async Task<string> ShowAsync(TestServer node, int exitCode, params string[] options) =>
        (await node.RepmgrAsync(["cluster", "show", .. options])).ShouldExit(exitCode).Stdout;

    private static async Task<JsonElement> JsonAsync(TestServer node, params string[] arguments) =>
        JsonDocument.Parse((await node.RepmgrAsync(arguments)).Stdout).RootElement;

    private static string Full(TestCluster cluster, string first, string second, string third, int status)
    {
        int width = cluster.All.Max(server => server.Conninfo.Length);
        string Row(int index, string middle) =>
            $" {index + 1}  | node{index + 1} | {middle} | default  | 100      | 1        | {cluster.All[index].Conninfo.PadRight(width)}\n";
        return $" ID | Name  | Role    | {"Status".PadRight(status)} | Upstream | Location | Priority | Timeline | {"Connection string".PadRight(width)}\n"
            + $"----+-------+---------+-{new string('-', status)}-+----------+----------+----------+----------+-{new string('-', width)}-\n"
            + Row(0, first) + Row(1, second) + Row(2, third);
    }

    private sealed class BlackHole : IDisposable
    {
        private readonly List<Socket> _sockets = [];

        public int Port { get; private init; }

        public static BlackHole Open()
        {
            Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen(0);
            BlackHole hole = new() { Port = ((IPEndPoint)listener.LocalEndPoint!).Port };
            hole._sockets.Add(listener);

            // Nobody accepts: once the queue is full, the kernel answers no further connection.
            for (int index = 0; index < 4; index++)
            {
                Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
                hole._sockets.Add(client);
                try
                {
                    client.Connect(IPAddress.Loopback, hole.Port);
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
                {
                    continue;
                }
            }

            return hole;
        }

        public void Dispose() => _sockets.ForEach(socket => socket.Dispose());
    }
}
