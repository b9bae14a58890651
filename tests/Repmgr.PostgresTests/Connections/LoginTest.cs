using Repmgr.Engine.Postgres;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Connections;

/// <summary>Where passwords come from, and that they never show.</summary>
public sealed class LoginTest : ConnectionTest
{
    private const string Secret = "S3cr3t'p%w\\:d";
    private TestServer _server = null!;

    private string Base => $"host=127.0.0.1 port={_server.Port} user=repmgr dbname=repmgr";

    private string PassLine => $"127.0.0.1:{_server.Port}:repmgr:repmgr:{Secret.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(":", "\\:", StringComparison.Ordinal)}\n";

    [Theory, EveryMajor]
    public async Task A_password_in_the_string_logs_in_with_scram(int major)
    {
        await StartAsync(major);
        Assert.Equal("repmgr", await AskAsync<string>($"{Base} password='S3cr3t\\'p%w\\\\:d'", "SELECT current_user::text"));
        Assert.Equal("repmgr", await AskAsync<string>(
            $"postgresql://repmgr:S3cr3t%27p%25w%5C%3Ad@127.0.0.1:{_server.Port}/repmgr", "SELECT current_user::text"));
    }

    [Fact]
    public async Task A_wrong_password_is_refused_with_its_code_and_does_not_show()
    {
        await StartAsync();
        ConnectResult.Rejected rejected = await RejectionAsync($"{Base} password=not-the-one");
        Assert.Equal("28P01", rejected.SqlState);
        Assert.Contains("password authentication failed for user \"repmgr\"", rejected.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("not-the-one", rejected.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_any_password_the_reason_says_so()
    {
        await StartAsync();
        ConnectResult.Rejected rejected = await RejectionAsync(Base);
        Assert.Equal("28P01", rejected.SqlState);
        Assert.Contains("no password supplied", rejected.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_environment_gives_a_password()
    {
        await StartAsync();
        Variables["PGPASSWORD"] = Secret;
        Assert.Equal(1, await AskAsync<int>(Base, "SELECT 1"));
    }

    [Fact]
    public async Task The_password_file_is_the_one_of_the_string_of_the_environment_or_of_the_home_directory()
    {
        await StartAsync();
        string file = WriteHome("elsewhere", "# comment\nother:1:a:b:c\n" + PassLine);
        Assert.Equal(1, await AskAsync<int>($"{Base} passfile={file}", "SELECT 1"));
        Variables["PGPASSFILE"] = file;
        Assert.Equal(1, await AskAsync<int>(Base, "SELECT 1"));
        Variables.Clear();
        WriteHome(".pgpass", PassLine);
        Assert.Equal(1, await AskAsync<int>(Base, "SELECT 1"));
        WriteHome(".pgpass", PassLine.Replace("127.0.0.1", "*", StringComparison.Ordinal).Replace("repmgr:repmgr", "*:*", StringComparison.Ordinal));
        Assert.Equal(1, await AskAsync<int>(Base, "SELECT 1"));
    }

    [Theory]
    [InlineData("640")]
    [InlineData("604")]
    [InlineData("644")]
    public async Task A_password_file_that_others_can_read_is_not_used_and_the_reason_says_so(string mode)
    {
        await StartAsync();
        string file = WriteHome(".pgpass", PassLine, mode);
        string reason = (await RejectionAsync(Base)).Reason;
        Assert.Contains($"The password file \"{file}\" is not used, because group or others have access to it", reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_of_the_password_file_for_localhost_serves_the_default_socket()
    {
        await StartAsync();
        await File.WriteAllLinesAsync(Path.Combine(_server.DataDirectory, "pg_hba.conf"), ["local all postgres trust", "local all all scram-sha-256"], TestContext.Current.CancellationToken);
        await _server.RestartAsync();
        WriteHome(".pgpass", PassLine.Replace("127.0.0.1", "localhost", StringComparison.Ordinal));
        SocketDirectories.Add(_server.Directory);
        Assert.Equal(1, await AskAsync<int>($"port={_server.Port} user=repmgr dbname=repmgr", "SELECT 1"));
        Assert.Equal(1, await AskAsync<int>($"host={_server.Directory} port={_server.Port} user=repmgr dbname=repmgr", "SELECT 1"));
    }

    [Theory]
    [InlineData("scram-sha-256", true)]
    [InlineData("scram-sha-256,md5", true)]
    [InlineData("!password,!md5", true)]
    [InlineData("md5", false)]
    [InlineData("none", false)]
    [InlineData("!scram-sha-256", false)]
    public async Task Ways_to_log_in_can_be_limited(string methods, bool reached)
    {
        await StartAsync();
        Variables["PGPASSWORD"] = Secret;
        if (reached)
            Assert.Equal(1, await AskAsync<int>($"{Base} require_auth={methods}", "SELECT 1"));
        else
            Assert.NotEmpty((await RejectionAsync($"{Base} require_auth={methods}")).Reason);
    }

    [Fact]
    public async Task The_older_way_to_log_in_with_md5_works()
    {
        await StartAsync(encryption: "md5");
        Variables["PGPASSWORD"] = Secret;
        Assert.Equal(1, await AskAsync<int>(Base, "SELECT 1"));
        Assert.NotEmpty((await RejectionAsync($"{Base} require_auth=scram-sha-256")).Reason);
    }

    [Fact]
    public async Task A_service_gives_what_the_string_does_not_say()
    {
        await StartAsync();
        string service = $"[other]\nhost=nowhere\n\n[main]\nhost=127.0.0.1\nport={_server.Port}\nuser=repmgr\ndbname=postgres\npassword={Secret}\n";
        string file = WriteHome("services", service);
        Assert.Equal("repmgr", await AskAsync<string>($"service=main servicefile={file} dbname=repmgr", "SELECT current_database()::text"));
        Variables["PGSERVICEFILE"] = file;
        Variables["PGSERVICE"] = "main";
        Variables["PGDATABASE"] = "not-used";
        Assert.Equal("postgres", await AskAsync<string>("", "SELECT current_database()::text"));
        Assert.Contains("definition of service \"none\" not found", (await RejectionAsync("service=none")).Reason, StringComparison.Ordinal);
        Variables["PGSERVICEFILE"] = "/nowhere";
        Assert.Contains("service file \"/nowhere\" not found", (await RejectionAsync("")).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Services_are_looked_for_in_the_home_directory_and_then_in_the_systems()
    {
        await StartAsync();
        string service = $"[main]\nhost=127.0.0.1\nport={_server.Port}\nuser=repmgr\ndbname=repmgr\npassword={Secret}\n";
        string system = await Lab.SubdirectoryAsync("sysconf");
        await File.WriteAllTextAsync(Path.Combine(system, "pg_service.conf"), service, TestContext.Current.CancellationToken);
        WriteHome(".pg_service.conf", "[elsewhere]\nhost=nowhere\n");
        Variables["PGSYSCONFDIR"] = system;
        Assert.Equal(1, await AskAsync<int>("service=main", "SELECT 1"));
        WriteHome(".pg_service.conf", service.Replace("dbname=repmgr", "dbname=postgres", StringComparison.Ordinal));
        Assert.Equal("postgres", await AskAsync<string>("service=main", "SELECT current_database()::text"));
    }

    private async Task StartAsync(int? major = null, string encryption = "scram-sha-256")
    {
        _server = await Lab.ServerAsync(major ?? PostgresMajor.Default);
        await File.WriteAllLinesAsync(
            Path.Combine(_server.DataDirectory, "pg_hba.conf"), ["local all all trust", $"host all all all {encryption}"], TestContext.Current.CancellationToken);
        await _server.StartAsync();
        await _server.ExecuteAsync($"set password_encryption = '{encryption}'; alter role repmgr password '{Secret.Replace("'", "''", StringComparison.Ordinal)}'");
    }
}
