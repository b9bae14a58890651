using System.Globalization;
using Repmgr.Core.Checks;
using Repmgr.Engine.Postgres;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Connections;

/// <summary>A standby's kind of connection goes by the same rules as every other, and asks what only it may.</summary>
public sealed class ReplicationLoginTest : TlsServerTest
{
    private const string Everybody = "host replication all all trust";

    [Theory, EveryMajor]
    public async Task A_role_that_may_only_replicate_learns_identity_position_and_history(int major)
    {
        await StartAsync(major, hba: Everybody);
        await Server.ExecuteAsync("create role copier login replication");
        var first = Assert.IsType<ReplicationAnswer.Identified>(await IdentifyAsync($"{Base} user=copier"));
        Assert.Equal(1, first.Timeline);
        Assert.Equal(await Server.QueryAsync<string>("select system_identifier::text from pg_control_system()"), first.SystemIdentifier.ToString(CultureInfo.InvariantCulture));

        // Two timelines on.
        foreach (int timeline in new[] { 2, 3 })
        {
            await Server.StopAsync();
            string signal = Path.Combine(Server.DataDirectory, "standby.signal");
            await File.WriteAllTextAsync(signal, "", TestContext.Current.CancellationToken);
            await TestUser.GiveAsync(signal, Server.User);
            await Server.StartAsync();
            Assert.True(await Server.QueryAsync<bool>("select pg_promote()"));
            await Server.ExecuteAsync("checkpoint");
            var seen = Assert.IsType<ReplicationAnswer.Identified>(await IdentifyAsync($"{Base} user=copier"));
            Assert.Equal(timeline, seen.Timeline);
            Assert.Equal(timeline - 1, seen.History.Ancestors.Count);
            Assert.True(seen.End > first.End);
        }
    }

    [Theory, EveryMajor]
    public async Task The_certificate_of_the_server_is_verified(int major)
    {
        await StartAsync(major, hba: Everybody);
        string verify = $"sslmode=verify-full sslrootcert={Certificates.Root}";
        Assert.IsType<ReplicationAnswer.Identified>(await IdentifyAsync($"{Base} {verify}"));
        Assert.Contains("certificate verify failed", await RefusalAsync($"{Base} sslmode=verify-ca sslrootcert={Certificates.OtherRoot}"), StringComparison.Ordinal);
        Assert.Contains("does not match host name \"other.example\"", await RefusalAsync($"{Base} host=other.example {verify}"), StringComparison.Ordinal);
        Assert.Contains("root certificate file \"/nowhere\" does not exist", await RefusalAsync($"{Base} sslmode=verify-full sslrootcert=/nowhere"), StringComparison.Ordinal);
        WriteHome(".postgresql/root.crt", await File.ReadAllTextAsync(Certificates.OtherRoot, TestContext.Current.CancellationToken));
        Assert.Contains("verify failed", await RefusalAsync($"{Base} sslmode=require"), StringComparison.Ordinal);
        Variables["PGSSLMODE"] = "verify-full";
        Variables["PGSSLROOTCERT"] = Certificates.Root;
        Assert.IsType<ReplicationAnswer.Identified>(await IdentifyAsync(Base));
    }

    [Theory, EveryMajor]
    public async Task A_client_certificate_is_shown_from_where_it_is_named_or_from_home(int major)
    {
        await StartAsync(major, hba: "hostssl replication all all cert");
        string named = $"sslcert={Certificates.ClientCertificate} sslkey={Certificates.ClientKey}";
        Assert.IsType<ReplicationAnswer.Identified>(await IdentifyAsync($"{Base} sslmode=require {named}"));
        Assert.IsType<ReplicationAnswer.Identified>(await IdentifyAsync($"{Base} sslmode=allow {named}"));
        Assert.IsType<ReplicationAnswer.Identified>(await IdentifyAsync(
            $"{Base} sslcert={Certificates.ClientCertificate} sslkey={Certificates.EncryptedClientKey} sslpassword={TestCertificates.ClientKeyPassword}"));
        Assert.NotEmpty(await RefusalAsync($"{Base} sslmode=require"));
        Assert.NotEmpty(await RefusalAsync($"{Base} sslmode=require {named} sslcertmode=disable"));

        WriteHome(".postgresql/postgresql.crt", await File.ReadAllTextAsync(Certificates.ClientCertificate, TestContext.Current.CancellationToken));
        WriteHome(".postgresql/postgresql.key", await File.ReadAllTextAsync(Certificates.ClientKey, TestContext.Current.CancellationToken));
        Assert.IsType<ReplicationAnswer.Identified>(await IdentifyAsync(Base));
    }

    [Fact]
    public async Task Prefer_and_allow_use_the_other_way_when_the_server_wants_it()
    {
        await StartAsync(PostgresMajor.Default, hba: "hostnossl replication all all trust");
        Assert.IsType<ReplicationAnswer.Identified>(await IdentifyAsync($"{Base} sslmode=prefer"));
        Assert.Contains("pg_hba.conf", await RefusalAsync($"{Base} sslmode=require"), StringComparison.Ordinal);
        await WriteHbaAsync("hostssl replication all all trust");
        await EventuallyAsync($"{Base} sslmode=allow", answer => answer is ReplicationAnswer.Identified);
        Assert.Contains("pg_hba.conf", await RefusalAsync($"{Base} sslmode=disable"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Hosts_are_tried_in_turn_and_what_is_about_sql_does_not_count()
    {
        await StartAsync(PostgresMajor.Default, hba: Everybody);
        string hosts = $"host=127.0.0.1,127.0.0.1 port={Lab.FreePort()},{Server.Port} user=repmgr";
        Assert.IsType<ReplicationAnswer.Identified>(await IdentifyAsync(hosts));
        Assert.IsType<ReplicationAnswer.Identified>(await IdentifyAsync($"{hosts} target_session_attrs=standby options='-c search_path=nowhere' client_encoding=LATIN1"));
        Assert.Contains("Connection refused", await RefusalAsync($"host=127.0.0.1 port={Lab.FreePort()} user=repmgr"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_password_is_that_of_database_replication_and_a_refusal_keeps_its_code()
    {
        await StartAsync(PostgresMajor.Default, hba: "host replication all all scram-sha-256");
        await Server.ExecuteAsync("set password_encryption = 'scram-sha-256'; alter role repmgr password 'secret'");
        WriteHome(".pgpass", $"*:*:repmgr:repmgr:wrong\n*:*:replication:repmgr:secret\n");
        Assert.IsType<ReplicationAnswer.Identified>(await IdentifyAsync(Base));
        var wrong = Assert.IsType<ReplicationAnswer.Refused>(await IdentifyAsync($"{Base} password=guess"));
        Assert.Equal("28P01", wrong.Why.SqlState);
        Assert.DoesNotContain("guess", wrong.Why.Reason, StringComparison.Ordinal);

        await WriteHbaAsync("hostssl all all all trust");
        await EventuallyAsync(Base, answer => answer is ReplicationAnswer.Refused { Why.SqlState: "28000" });
        await Server.ExecuteAsync("create role reader login");
        await WriteHbaAsync(Everybody);
        ReplicationAnswer reader = await EventuallyAsync($"{Base} user=reader", answer => answer is ReplicationAnswer.Refused { Why.SqlState: "42501" });
        Assert.Contains("ALTER ROLE \"reader\" REPLICATION", ((ReplicationAnswer.Refused)reader).Why.Hint("the source", "reader"), StringComparison.Ordinal);
    }

    /// <summary>The server reads its new rules in its own time.</summary>
    private Task<ReplicationAnswer> EventuallyAsync(string conninfo, Func<ReplicationAnswer, bool> satisfies) =>
        Eventually.SatisfiesAsync(() => IdentifyAsync(conninfo), satisfies, Seconds(10), "the new pg_hba.conf is in force");

    private async Task<string> RefusalAsync(string conninfo)
    {
        ReplicationRefusal why = Assert.IsType<ReplicationAnswer.Refused>(await IdentifyAsync(conninfo)).Why;
        return why.Reason;
    }
}
