using System.Net.Sockets;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Postgres;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Connections;

/// <summary>What a session is like: its parameters, its socket, and where they come from.</summary>
public sealed class SessionTest : ConnectionTest
{
    private TestServer _server = null!;

    private string Base => $"host=127.0.0.1 port={_server.Port} user=repmgr dbname=repmgr";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        _server = await Lab.ServerAsync(PostgresMajor.Default);
        await _server.StartAsync();
    }

    [Theory]
    [InlineData("", "search_path", "")]
    [InlineData("", "synchronous_commit", "local")]
    [InlineData("", "application_name", "repmgr")]
    [InlineData("fallback_application_name=other", "application_name", "other")]
    [InlineData("application_name='mine too' fallback_application_name=other", "application_name", "mine too")]
    [InlineData("options='-c work_mem=1234kB'", "work_mem", "1234kB")]
    [InlineData("options='-c search_path=public'", "search_path", "public")]
    [InlineData("client_encoding=LATIN1", "client_encoding", "UTF8")]
    [InlineData("keepalives=0", "tcp_keepalives_idle", "7200")]
    [InlineData("max_protocol_version=latest min_protocol_version=3.0 sslcompression=0 gssencmode=prefer replication=false", "port", null)]
    public async Task The_server_sees(string given, string parameter, string? value)
    {
        string? seen = await AskAsync<string>($"{Base} {given}", $"SELECT current_setting('{parameter}')");
        Assert.Equal(value ?? Number(_server.Port), seen is "\"\"" ? "" : seen);
    }

    [Theory]
    [InlineData("PGAPPNAME", "from the environment", "SELECT current_setting('application_name')", "from the environment")]
    [InlineData("PGOPTIONS", "-c work_mem=2345kB", "SELECT current_setting('work_mem')", "2345kB")]
    [InlineData("PGDATABASE", "postgres", "SELECT current_database()::text", "postgres")]
    [InlineData("PGCLIENTENCODING", "LATIN1", "SELECT 'ä€'", "ä€")]
    public async Task The_environment_gives_what_the_string_does_not_say(string variable, string value, string sql, string expected)
    {
        Variables["PGHOST"] = "127.0.0.1";
        Variables["PGPORT"] = Number(_server.Port);
        Variables["PGUSER"] = "repmgr";
        Variables["PGDATABASE"] = "repmgr";
        Variables[variable] = value;
        Assert.Equal(expected, await AskAsync<string>("", sql));
    }

    [Fact]
    public async Task The_database_is_named_like_the_user_and_the_user_like_the_operating_systems()
    {
        await _server.ExecuteAsync("create role nobody login");
        await _server.ExecuteAsync("create database nobody owner nobody");
        Assert.Equal("nobody nobody", await AskAsync<string>(
            $"host=127.0.0.1 port={_server.Port}", "SELECT concat(current_user, ' ', current_database())"));
        Variables["PGHOSTADDR"] = "127.0.0.1";
        Assert.Equal("nobody repmgr", await AskAsync<string>(
            $"host=nowhere.example port={_server.Port} dbname=repmgr", "SELECT concat(current_user, ' ', current_database())"));
    }

    [Fact]
    public async Task Keepalives_and_the_user_timeout_are_set_on_the_socket()
    {
        const int userTimeout = 18; // TCP_USER_TIMEOUT
        string keepalives = "keepalives=1 keepalives_idle=11 keepalives_interval=7 keepalives_count=4 tcp_user_timeout=9000";
        await using PostgresSession session = await OpenAsync($"{Base} {keepalives}");
        Socket socket = SocketOptions.Of(session.Connection);
        Assert.NotEqual(0, (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!);
        Assert.Equal(11, socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime));
        Assert.Equal(7, socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval));
        Assert.Equal(4, socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount));
        byte[] timeout = new byte[4];
        socket.GetRawSocketOption((int)SocketOptionLevel.Tcp, userTimeout, timeout);
        Assert.Equal(9000, BitConverter.ToInt32(timeout));

        await using PostgresSession without = await OpenAsync($"{Base} keepalives=0");
        Assert.Equal(0, (int)SocketOptions.Of(without.Connection).GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!);
    }

    [Theory, EveryMajor]
    public async Task The_session_knows_the_version_of_the_server(int major)
    {
        TestServer server = await Lab.ServerAsync(major, 2);
        await server.StartAsync();
        await using PostgresSession session = await OpenAsync($"host=127.0.0.1 port={server.Port} user=repmgr dbname=repmgr");
        Answer<int> number = await session.ScalarAsync<int>("SELECT current_setting('server_version_num')::int", Seconds(5), TestContext.Current.CancellationToken);
        Assert.Equal(new PostgresVersion(Assert.IsType<Answer<int>.Got>(number).Value), session.Version);
    }

    /// <summary>Every keyword of the table appears in a test of this folder or cannot be honoured; here are those that cannot.</summary>
    [Theory]
    [InlineData("sslcompression=1", "sslcompression")]
    [InlineData("sslcrl=/x", "sslcrl")]
    [InlineData("sslcrldir=/x", "sslcrldir")]
    [InlineData("sslkeylogfile=/x", "sslkeylogfile")]
    [InlineData("requirepeer=postgres", "requirepeer")]
    [InlineData("min_protocol_version=3.2", "min_protocol_version")]
    [InlineData("gssencmode=require", "gssencmode")]
    [InlineData("krbsrvname=other", "krbsrvname")]
    [InlineData("gsslib=gssapi", "gsslib")]
    [InlineData("gssdelegation=1", "gssdelegation")]
    [InlineData("replication=database", "replication")]
    [InlineData("scram_client_key=abc", "scram_client_key")]
    [InlineData("scram_server_key=abc", "scram_server_key")]
    [InlineData("oauth_issuer=x", "oauth_issuer")]
    [InlineData("oauth_client_id=x", "oauth_client_id")]
    [InlineData("oauth_client_secret=x", "oauth_client_secret")]
    [InlineData("oauth_scope=x", "oauth_scope")]
    [InlineData("oauth_ca_file=/x", "oauth_ca_file")]
    public async Task What_cannot_be_honoured_is_refused_by_name(string given, string keyword) =>
        Assert.Contains($"connection parameter \"{keyword}\" cannot be honoured", (await RejectionAsync($"{Base} {given}")).Reason, StringComparison.Ordinal);

    [Fact]
    public async Task What_cannot_be_honoured_is_refused_also_when_the_environment_says_it()
    {
        Variables["PGREQUIREPEER"] = "postgres";
        Assert.Contains("\"requirepeer\" cannot be honoured", (await RejectionAsync(Base)).Reason, StringComparison.Ordinal);
    }
}
