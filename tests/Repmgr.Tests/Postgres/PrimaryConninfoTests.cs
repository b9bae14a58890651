using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Postgres;

public class PrimaryConninfoTests
{
    private static readonly PostgresVersion V16 = new(160004);
    private static readonly PostgresVersion V17 = new(170002);

    private static string Build(string upstream, PostgresVersion version, string? user = null, string? passfile = null, string? password = null)
    {
        Assert.True(Conninfo.TryParse(upstream, out Conninfo? conninfo, out _));
        return PrimaryConninfo.Build(conninfo, "node 2", new ReplicationCredentials(user, passfile, password), version).Reveal();
    }

    [Fact]
    public void What_is_about_reaching_the_upstream_stays_and_what_is_about_a_session_goes() => Assert.Equal(
        "host=node1 port=5433 user=repmgr connect_timeout=5 sslmode=verify-full sslrootcert=/ca.pem application_name='node 2'",
        Build("host=node1 port=5433 user=repmgr dbname=repmgr connect_timeout=5 sslmode=verify-full sslrootcert=/ca.pem application_name=x fallback_application_name=y passfile=/p target_session_attrs=read-write options=-csearch_path=", V16));

    [Fact]
    public void From_17_on_the_database_stays_for_the_synchronisation_of_slots() =>
        Assert.Equal("host=node1 dbname=repmgr application_name='node 2'", Build("host=node1 dbname=repmgr", V17));

    [Fact]
    public void The_replication_user_logs_in_and_finds_its_password_in_the_passfile() =>
        Assert.Equal(
            "host=node1 user=replicator passfile='/my pass' application_name='node 2'",
            Build("host=node1 user=repmgr", V16, user: "replicator", passfile: "/my pass"));

    [Fact]
    public void A_password_is_written_only_when_it_is_handed_over()
    {
        Assert.Equal("host=node1 application_name='node 2'", Build("host=node1 password=secret", V16));
        Assert.Equal("host=node1 password='it\\'s' application_name='node 2'", Build("host=node1", V16, password: "it's"));
        Assert.DoesNotContain("secret", new ReplicationCredentials("u", null, "secret").ToString());
    }

    [Fact]
    public void A_URI_becomes_keywords() =>
        Assert.Equal("user=repmgr host=a,b port=1,2 application_name='node 2'", Build("postgresql://repmgr@a:1,b:2/db", V16));
}
