using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;
using Repmgr.Engine.Daemon;
using Repmgr.Engine.Processes;
using Repmgr.Tests.Daemon.Simulation;

namespace Repmgr.Tests.Daemon;

/// <summary>What the keys of <c>repmgr.conf</c> come to in the daemon.</summary>
public sealed class DaemonSettingsTests
{
    [Fact]
    public void How_long_a_server_may_be_gone_is_attempts_times_interval() =>
        Assert.Equal(TimeSpan.FromSeconds(21), Policy(("reconnect_attempts", "3"), ("reconnect_interval", "7")).GiveUpAfter);

    [Fact]
    public void A_node_that_is_marked_inactive_ends_the_daemon_only_where_that_is_wanted()
    {
        Assert.False(Policy().ExitOnInactive);
        Assert.True(Policy(("repmgrd_exit_on_inactive_node", "yes")).ExitOnInactive);
    }

    [Fact]
    public void History_is_kept_where_it_is_asked_for_and_for_1x()
    {
        Assert.False(Policy().KeepsHistory);
        Assert.True(Policy(("monitoring_history", "on")).KeepsHistory);
        Assert.True(Policy(("cluster_name", "test")).KeepsHistory);
        Assert.False(Policy(("cluster", "test"), ("monitoring_history", "off")).KeepsHistory);
    }

    [Theory]
    [InlineData("2", "-1", 2)]
    [InlineData("-1", "2", 3)] // With two of four gone the command is run, so that three are needed.
    [InlineData("2", "1", 2)] // The first one wins.
    [InlineData("-1", "-1", 1)]
    public void How_many_children_are_needed(string connected, string disconnected, int needed) => Assert.Equal(
        needed,
        Policy(("child_nodes_connected_min_count", connected), ("child_nodes_disconnect_min_count", disconnected)).Children.Needed(children: 4));

    [Fact]
    public async Task How_a_server_is_looked_at()
    {
        Assert.Equal(new LookPolicy(ConnectionCheckType.Ping, WatchTurns.LongestQuery), await LookAsync());
        Assert.Equal(new LookPolicy(ConnectionCheckType.Connection, WatchTurns.LongestQuery), await LookAsync(("connection_check_type", "connection")));

        // The default query asks less than the look itself; one of the operator's own is run before it, with that type only.
        Assert.Equal(new LookPolicy(ConnectionCheckType.Query, WatchTurns.LongestQuery), await LookAsync(("connection_check_type", "query")));
        Assert.Equal("SELECT 2", (await LookAsync(("connection_check_type", "query"), ("connection_check_query", "SELECT 2"))).CheckQuery);
        Assert.Null((await LookAsync(("connection_check_query", "SELECT 2"))).CheckQuery);
    }

    [Theory]
    [InlineData("async_query_timeout", "4", 4)]
    [InlineData("master_response_timeout", "4", 4)]
    [InlineData("master_reponse_timeout", "4", 4)]
    [InlineData("async_query_timeout", "600", 10)] // No longer than a turn may be held up.
    public async Task How_long_a_query_may_take(string key, string seconds, int within) =>
        Assert.Equal(TimeSpan.FromSeconds(within), (await LookAsync((key, seconds))).QueryWithin);

    private static Settings Read(params (string Key, string Value)[] lines)
    {
        SettingsRead read = SettingsReader.Read(
            [.. lines.Append(("node_id", "2")).Append(("conninfo", "host=node2 user=repmgr")).Select((line, index) => new Assigned(line.Item1, line.Item2, new ConfPlace("repmgr.conf", index + 1)))]);
        Assert.Empty(read.Problems);
        return read.Settings;
    }

    private static WatchPolicy Policy(params (string Key, string Value)[] lines) => WatchPolicy.From(Read(lines), "/etc/repmgr.conf", _ => null);

    private static async Task<LookPolicy> LookAsync(params (string Key, string Value)[] lines)
    {
        var servers = new NoServers();
        var log = new CapturedLog();
        var announcer = new Announcer((_, _, _, _) => Task.CompletedTask, log);
        var turns = new WatchTurns(
            servers, new Recorder(new SimulatedCluster(1), announcer, log, new SimulatedClock()),
            (_, _, _) => Task.FromResult<ProgramResult>(new ProgramResult.Ended(0, "", "")), log, new SimulatedClock());
        turns.Use(Read(lines), "/etc/repmgr.conf", _ => null);
        await turns.TakeAsync(TestContext.Current.CancellationToken);
        return servers.Asked!;
    }

    /// <summary>Remembers how it was asked; nobody answers.</summary>
    private sealed class NoServers : IServers
    {
        public LookPolicy? Asked { get; private set; }

        public Task<Sight> LookAsync(NodeId node, Conninfo conninfo, LookPolicy policy)
        {
            Asked = policy;
            return Task.FromResult(Unanswered(node));
        }

        public Sight Unanswered(NodeId node) => new(node, new NodeProbe.Silent("nobody"), null);

        public void KeepOnly(IReadOnlyCollection<NodeId> nodes) { }
    }
}
