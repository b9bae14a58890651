using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Repmgr.Engine.Postgres;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Connections;

/// <summary>Several hosts, sockets, what a session must be, and how long it may take.</summary>
public sealed class HostsTest : ConnectionTest
{
    private const string InRecovery = "SELECT pg_catalog.pg_is_in_recovery()";

    [Fact]
    public async Task The_hosts_are_tried_in_turn()
    {
        TestServer server = await StartAsync();
        int dead = Lab.FreePort();
        Assert.Equal(server.Port, await AskAsync<int>(
            $"host=127.0.0.1,127.0.0.1 port={dead},{server.Port} user=repmgr dbname=repmgr", "SELECT current_setting('port')::int"));
        Assert.Equal(server.Port, await AskAsync<int>(
            $"postgresql://repmgr@127.0.0.1:{dead},localhost:{server.Port}/repmgr", "SELECT current_setting('port')::int"));

        var silent = Assert.IsType<ConnectResult.Silent>(await TryAsync($"host=127.0.0.1,localhost port={dead} user=repmgr"));
        Assert.Equal(
            $"connection to server at \"127.0.0.1\", port {dead} failed: Connection refused; connection to server at \"localhost\", port {dead} failed: Connection refused",
            silent.Reason);
    }

    [Fact]
    public async Task A_refused_login_is_final_but_a_server_that_starts_up_is_not()
    {
        TestServer server = await StartAsync();
        TestServer refusing = await Lab.ServerAsync(PostgresMajor.Default, 2);
        await File.WriteAllLinesAsync(Path.Combine(refusing.DataDirectory, "pg_hba.conf"), ["local all all trust", "host all all all reject"], TestContext.Current.CancellationToken);
        await refusing.StartAsync();
        ConnectResult.Rejected rejected = await RejectionAsync($"host=127.0.0.1,127.0.0.1 port={refusing.Port},{server.Port} user=repmgr dbname=repmgr");
        Assert.Equal("28000", rejected.SqlState);
        Assert.DoesNotContain($"{server.Port}", rejected.Reason, StringComparison.Ordinal);

        // A standby that has not replayed enough to be consistent answers 57P03 for as long as it takes.
        TestServer starting = await Lab.ServerAsync(PostgresMajor.Default, 3);
        await starting.ConfigureAsync("hot_standby = off");
        await starting.MakeStandbyAsync(server);
        await starting.RunAsync(starting.Major.Program("pg_ctl"), "-D", starting.DataDirectory, "-l", starting.LogPath, "-W", "start");
        await Eventually.TrueAsync(async () => await TryAsync(Single(starting)) is ConnectResult.Rejected { SqlState: "57P03" }, Seconds(20), "57P03");
        Assert.Equal(server.Port, await AskAsync<int>(
            $"host=127.0.0.1,127.0.0.1 port={starting.Port},{server.Port} user=repmgr dbname=repmgr", "SELECT current_setting('port')::int"));
    }

    [Theory, EveryMajor]
    public async Task The_session_is_what_target_session_attrs_asks_for(int major)
    {
        TestCluster cluster = await Lab.ClusterAsync(major, standbys: 1);
        string both = $"host=127.0.0.1,127.0.0.1 port={cluster.Primary.Port},{cluster.Standbys[0].Port} user=repmgr dbname=repmgr";
        string reversed = $"host=127.0.0.1,127.0.0.1 port={cluster.Standbys[0].Port},{cluster.Primary.Port} user=repmgr dbname=repmgr";
        foreach ((string wanted, bool standby) in new[] { ("read-write", false), ("primary", false), ("read-only", true), ("standby", true), ("prefer-standby", true) })
        {
            Assert.Equal(standby, await AskAsync<bool>($"{both} target_session_attrs={wanted}", InRecovery));
            Assert.Equal(standby, await AskAsync<bool>($"{reversed} target_session_attrs={wanted}", InRecovery));
        }

        Assert.True(await AskAsync<bool>($"{reversed} target_session_attrs=any", InRecovery));
        Variables["PGTARGETSESSIONATTRS"] = "primary";
        Assert.False(await AskAsync<bool>(reversed, InRecovery));
        string alone = $"host=127.0.0.1 port={cluster.Primary.Port} user=repmgr dbname=repmgr";
        Assert.False(await AskAsync<bool>($"{alone} target_session_attrs=prefer-standby", InRecovery));
        Assert.EndsWith("server is not in hot standby mode", (await RejectionAsync($"{alone} target_session_attrs=standby")).Reason, StringComparison.Ordinal);
        Assert.EndsWith("session is not read-only", (await RejectionAsync($"{alone} target_session_attrs=read-only")).Reason, StringComparison.Ordinal);
        Assert.EndsWith("session is read-only", (await RejectionAsync($"{alone} options='-c default_transaction_read_only=on' target_session_attrs=read-write")).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Random_order_reaches_every_host()
    {
        TestServer one = await StartAsync();
        TestServer two = await StartAsync(2);
        HashSet<int> reached = [];
        string either = $"host=127.0.0.1,127.0.0.1 port={one.Port},{two.Port} user=repmgr dbname=repmgr load_balance_hosts=random";
        await Eventually.TrueAsync(
            async () => reached.Add(await AskAsync<int>(either, "SELECT current_setting('port')::int")) && reached.Count == 2, Seconds(30), "both hosts");
        Assert.True(reached.SetEquals([one.Port, two.Port]));
    }

    [Fact]
    public async Task A_socket_is_reached_by_its_directory_and_the_default_directories_are_searched()
    {
        TestServer server = await StartAsync();
        Assert.Equal(1, await AskAsync<int>($"host={server.Directory} port={server.Port} user=repmgr dbname=repmgr", "SELECT 1"));
        Assert.Equal(1, await AskAsync<int>($"postgresql:///repmgr?host={Uri.EscapeDataString(server.Directory)}&port={server.Port}&user=repmgr", "SELECT 1"));
        Assert.Equal(1, await AskAsync<int>($"host={server.Directory} port={server.Port} user=repmgr dbname=repmgr sslmode=require", "SELECT 1"));
        SocketDirectories.AddRange(["/nowhere", server.Directory]);
        Assert.Equal(1, await AskAsync<int>($"port={server.Port} user=repmgr dbname=repmgr", "SELECT 1"));

        var silent = Assert.IsType<ConnectResult.Silent>(await TryAsync("port=5999"));
        Assert.StartsWith("connection to server on socket \"/nowhere/.s.PGSQL.5999\" failed: ", silent.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_abstract_socket_is_reached()
    {
        TestServer server = await Lab.ServerAsync(PostgresMajor.Default);
        string name = "@repmgr-test-" + Number(server.Port);
        await server.ConfigureAsync($"unix_socket_directories = '{server.Directory},{name}'");
        await server.StartAsync();
        Assert.Equal(1, await AskAsync<int>($"host={name} port={server.Port} user=repmgr dbname=repmgr", "SELECT 1"));
    }

    [Fact]
    public async Task A_frozen_server_costs_its_connect_timeout()
    {
        TestServer server = await StartAsync();
        server.Freeze();
        await CostsAsync(Single(server) + " connect_timeout=1", seconds: 1);
        server.Thaw();
    }

    [Fact]
    public async Task A_host_that_swallows_packets_costs_its_connect_timeout_and_the_next_one_is_reached()
    {
        TestServer server = await StartAsync();
        using BlackHole hole = new();
        await CostsAsync($"host=127.0.0.1 port={hole.Port} user=repmgr connect_timeout=1", seconds: 1);
        await CostsAsync($"host=127.0.0.1,127.0.0.1 port={hole.Port} user=repmgr connect_timeout=1", seconds: 2);
        Assert.Equal(1, await AskAsync<int>($"host=127.0.0.1,127.0.0.1 port={hole.Port},{server.Port} user=repmgr dbname=repmgr connect_timeout=1", "SELECT 1"));
        Variables["PGCONNECT_TIMEOUT"] = "1";
        await CostsAsync($"host=127.0.0.1 port={hole.Port} user=repmgr", seconds: 1);
    }

    [Fact]
    public async Task A_query_ends_at_its_deadline_also_on_a_server_that_does_not_answer_any_more()
    {
        TestServer server = await StartAsync();
        await using PostgresSession late = await OpenAsync(Single(server));
        Answer<string?> answer = await late.ScalarAsync<string>("SELECT pg_sleep(60)::text", Seconds(0.5), TestContext.Current.CancellationToken);
        Assert.Equal("no answer within 0.5 s", Assert.IsType<Answer<string?>.Failed>(answer).Reason);

        PostgresSession frozen = await OpenAsync(Single(server));
        server.Freeze();
        Stopwatch watch = Stopwatch.StartNew();
        answer = await frozen.ScalarAsync<string>("SELECT 'x'", Seconds(0.5), TestContext.Current.CancellationToken);
        Assert.IsType<Answer<string?>.Failed>(answer);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.4, 4);
        server.Thaw();
        await frozen.DisposeAsync();
    }

    [Fact]
    public async Task A_query_that_fails_and_a_server_that_dies_are_answers()
    {
        TestServer server = await StartAsync();
        await using PostgresSession session = await OpenAsync(Single(server));
        Answer<int> failed = await session.ExecuteAsync("SELECT nothing", Seconds(5), TestContext.Current.CancellationToken);
        Assert.Equal("42703", Assert.IsType<Answer<int>.Failed>(failed).SqlState);
        await server.KillAsync();
        Assert.IsType<Answer<int>.Failed>(await session.ExecuteAsync("SELECT 1", Seconds(5), TestContext.Current.CancellationToken));
    }

    private async Task<TestServer> StartAsync(int id = 1)
    {
        TestServer server = await Lab.ServerAsync(PostgresMajor.Default, id);
        await server.StartAsync();
        return server;
    }

    private static string Single(TestServer server) => $"host=127.0.0.1 port={server.Port} user=repmgr dbname=repmgr";

    private async Task CostsAsync(string conninfo, double seconds)
    {
        Stopwatch watch = Stopwatch.StartNew();
        ConnectResult result = await TryAsync(conninfo);
        Assert.Contains("timeout expired after 1 s", Assert.IsType<ConnectResult.Silent>(result).Reason, StringComparison.Ordinal);
        Assert.InRange(watch.Elapsed.TotalSeconds, seconds - 0.05, seconds + 0.9);
    }

    /// <summary>A port where nobody accepts: once the queue is full, the kernel drops what comes.</summary>
    private sealed class BlackHole : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly List<Socket> _queued = [];

        public BlackHole()
        {
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen(0);
            for (int i = 0; i < 3; i++)
            {
                Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
                _queued.Add(socket);
                try
                {
                    socket.Connect(_listener.LocalEndPoint!);
                }
                catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
                {
                    // On its way.
                }
            }
        }

        public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

        public void Dispose()
        {
            _queued.ForEach(socket => socket.Dispose());
            _listener.Dispose();
        }
    }
}
