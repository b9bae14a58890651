using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Connections;

/// <summary>Every <c>ssl…</c> keyword against a real server.</summary>
public sealed class TlsTest : TlsServerTest
{
    private const string Encrypted = "SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()";
    private const string Version = "SELECT version FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()";

    [Theory]
    [InlineData("disable", false)]
    [InlineData("allow", false)]
    [InlineData("prefer", true)]
    [InlineData("require", true)]
    public async Task AServer_with_tls_is_reached_as_sslmode_says(string mode, bool encrypted)
    {
        await StartAsync(PostgresMajor.Default);
        Assert.Equal(encrypted, await AskAsync<bool>($"{Base} sslmode={mode}", Encrypted));
    }

    [Theory]
    [InlineData("disable", true)]
    [InlineData("allow", true)]
    [InlineData("prefer", true)]
    [InlineData("require", false)]
    public async Task AServer_without_tls_is_reached_unless_it_is_required(string mode, bool reached)
    {
        await StartAsync(PostgresMajor.Default, tls: false);
        if (reached)
            Assert.False(await AskAsync<bool>($"{Base} sslmode={mode}", Encrypted));
        else
            Assert.Contains("SSL", (await RejectionAsync($"{Base} sslmode={mode}")).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prefer_and_allow_use_the_other_way_when_theServer_wants_it()
    {
        await StartAsync(PostgresMajor.Default, hba: "hostnossl all all all trust");
        Assert.False(await AskAsync<bool>($"{Base} sslmode=prefer", Encrypted));
        await WriteHbaAsync("hostssl all all all trust");
        Assert.True(await AskAsync<bool>($"{Base} sslmode=allow", Encrypted));
    }

    [Theory, EveryMajor]
    public async Task The_chain_is_verified_against_sslrootcert_alone(int major)
    {
        await StartAsync(major);
        Assert.True(await AskAsync<bool>($"{Base} sslmode=verify-ca sslrootcert={Certificates.Root}", Encrypted));
        Assert.Contains(
            "certificate verify failed", (await RejectionAsync($"{Base} sslmode=verify-ca sslrootcert={Certificates.OtherRoot}")).Reason, StringComparison.Ordinal);
        Assert.Contains(
            "root certificate file \"/nowhere\" does not exist", (await RejectionAsync($"{Base} sslmode=verify-ca sslrootcert=/nowhere")).Reason, StringComparison.Ordinal);
        Assert.Contains("verify failed", (await RejectionAsync($"{Base} sslrootcert=system")).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_root_certificate_in_the_home_directory_is_enough_to_verify_the_chain()
    {
        await StartAsync(PostgresMajor.Default);
        WriteHome(".postgresql/root.crt", await File.ReadAllTextAsync(Certificates.Root, TestContext.Current.CancellationToken));
        Assert.True(await AskAsync<bool>($"{Base} sslmode=require", Encrypted));
        Assert.True(await AskAsync<bool>($"{Base} sslmode=verify-full", Encrypted));

        WriteHome(".postgresql/root.crt", await File.ReadAllTextAsync(Certificates.OtherRoot, TestContext.Current.CancellationToken));
        Assert.Contains("verify failed", (await RejectionAsync($"{Base} sslmode=require")).Reason, StringComparison.Ordinal);
        Assert.False(await AskAsync<bool>($"{Base} sslmode=prefer", Encrypted));
    }

    [Theory, EveryMajor]
    public async Task Verify_full_compares_the_name_in_the_certificate_with_host_and_not_with_hostaddr(int major)
    {
        await StartAsync(major);
        string verify = $"sslmode=verify-full sslrootcert={Certificates.Root}";
        Assert.True(await AskAsync<bool>($"{Base} {verify}", Encrypted));
        Assert.True(await AskAsync<bool>($"{Base} {verify} sslsni=0", Encrypted));
        string other = $"host=other.example hostaddr=127.0.0.1 port={Server.Port} user=repmgr dbname=repmgr";
        Assert.Contains("does not match host name \"other.example\"", (await RejectionAsync($"{other} {verify}")).Reason, StringComparison.Ordinal);
        Assert.Contains("does not match host name \"other.example\"", (await RejectionAsync($"{other} {verify} sslsni=0")).Reason, StringComparison.Ordinal);
        Assert.True(await AskAsync<bool>($"{other} sslmode=verify-ca sslrootcert={Certificates.Root}", Encrypted));
    }

    [Fact]
    public async Task A_revocation_list_in_the_home_directory_is_not_passed_over_in_silence()
    {
        await StartAsync(PostgresMajor.Default);
        WriteHome(".postgresql/root.crl", "");
        Assert.Contains("root.crl", (await RejectionAsync($"{Base} sslmode=verify-ca sslrootcert={Certificates.Root}")).Reason, StringComparison.Ordinal);
    }

    [Theory, EveryMajor]
    public async Task A_client_certificate_is_shown_with_its_chain(int major)
    {
        await StartAsync(major, hba: "hostssl all all all cert");
        string with = $"{Base} sslmode=require sslcert={Certificates.ClientCertificate}";
        Assert.True(await AskAsync<bool>($"{with} sslkey={Certificates.ClientKey}", Encrypted));
        Assert.True(await AskAsync<bool>(
            $"{with} sslkey={Certificates.EncryptedClientKey} sslpassword={TestCertificates.ClientKeyPassword}", Encrypted));
        Assert.NotNull((await RejectionAsync($"{Base} sslmode=require")).Reason);
        Assert.NotNull((await RejectionAsync($"{with} sslkey={Certificates.ClientKey} sslcertmode=disable")).Reason);
        string wrong = (await RejectionAsync($"{with} sslkey={Certificates.EncryptedClientKey} sslpassword=not-the-secret")).Reason;
        Assert.DoesNotContain("not-the-secret", wrong, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_certificate_is_found_in_the_home_directory_and_its_key_must_be_ones_own()
    {
        await StartAsync(PostgresMajor.Default, hba: "hostssl all all all cert");
        WriteHome(".postgresql/postgresql.crt", await File.ReadAllTextAsync(Certificates.ClientCertificate, TestContext.Current.CancellationToken));
        string key = await File.ReadAllTextAsync(Certificates.ClientKey, TestContext.Current.CancellationToken);
        WriteHome(".postgresql/postgresql.key", key);
        Assert.True(await AskAsync<bool>($"{Base} sslmode=require", Encrypted));

        WriteHome(".postgresql/postgresql.key", key, mode: "644");
        Assert.Contains("has group or world access", (await RejectionAsync($"{Base} sslmode=require")).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ssl_min_protocol_version=TLSv1.3", "TLSv1.3")]
    [InlineData("ssl_max_protocol_version=tlsv1.2", "TLSv1.2")]
    [InlineData("ssl_min_protocol_version=TLSv1", "TLSv1.3")]
    public async Task The_version_of_tls_is_kept_within_limits(string limit, string version)
    {
        await StartAsync(PostgresMajor.Default);
        Assert.Equal(version, await AskAsync<string>($"{Base} sslmode=require {limit}", Version));
    }

    [Fact]
    public async Task Tls_from_the_first_byte_needs_aServer_that_knows_it()
    {
        Assert.SkipUnless(PostgresMajor.Wanted.Contains(17), "PostgreSQL 17, the first that knows sslnegotiation=direct, is not among the majors of this run");
        await StartAsync(17);
        Assert.True(await AskAsync<bool>($"{Base} sslmode=require sslnegotiation=direct", Encrypted));
    }

    [Fact]
    public async Task Channel_binding_is_used_and_can_be_required()
    {
        await StartAsync(PostgresMajor.Default, hba: "host all all all scram-sha-256");
        await Server.ExecuteAsync("set password_encryption = 'scram-sha-256'; alter role repmgr password 'secret'");
        Assert.True(await AskAsync<bool>($"{Base} password=secret sslmode=require channel_binding=require", Encrypted));
        Assert.True(await AskAsync<bool>($"{Base} password=secret sslmode=require channel_binding=disable", Encrypted));
        Assert.NotNull((await RejectionAsync($"{Base} password=secret sslmode=disable channel_binding=require")).Reason);
    }

    [Fact]
    public async Task The_modes_can_come_from_the_environment()
    {
        await StartAsync(PostgresMajor.Default);
        Variables["PGSSLMODE"] = "verify-full";
        Variables["PGSSLROOTCERT"] = Certificates.Root;
        Assert.True(await AskAsync<bool>(Base, Encrypted));
        Variables["PGSSLROOTCERT"] = Certificates.OtherRoot;
        Assert.Contains("verify failed", (await RejectionAsync(Base)).Reason, StringComparison.Ordinal);
    }
}
