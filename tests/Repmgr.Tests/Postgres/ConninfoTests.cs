using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Postgres;

public sealed class ConninfoTests
{
    [Fact]
    public void Keywords_and_values_are_read_as_libpq_does()
    {
        Conninfo conninfo = Parse(@"host = node1  port=5433 dbname='it\'s' user=a\ b application_name='' password=x host=node2");

        Assert.Equal("node2", conninfo["host"]);
        Assert.Equal("5433", conninfo["port"]);
        Assert.Equal("it's", conninfo["dbname"]);
        Assert.Equal("a b", conninfo["user"]);
        Assert.Equal("", conninfo["application_name"]);
        Assert.Null(conninfo["sslmode"]);
    }

    [Fact]
    public void A_uri_is_read_as_libpq_does()
    {
        Conninfo conninfo = Parse("postgresql://re%40pl:p%2Fw@h1:1,[::1]:2,h3/db%20x?sslmode=verify-full&ssl=true&connect_timeout=3");

        Assert.Equal("re@pl", conninfo["user"]);
        Assert.Equal("p/w", conninfo["password"]);
        Assert.Equal("h1,::1,h3", conninfo["host"]);
        Assert.Equal("1,2,", conninfo["port"]);
        Assert.Equal("db x", conninfo["dbname"]);
        Assert.Equal("require", conninfo["sslmode"]);
        Assert.Equal("3", conninfo["connect_timeout"]);
    }

    [Fact]
    public void Secrets_are_hidden_unless_revealed()
    {
        Conninfo conninfo = Parse("host=h password='s e' sslpassword=t");

        Assert.Equal("host=h password=******** sslpassword=********", conninfo.ToString());
        Assert.Equal("host=h password='s e' sslpassword=t", conninfo.Reveal());
        Assert.Equal("host=h", conninfo.WithoutSecrets().Reveal());
    }

    private static Conninfo Parse(string text)
    {
        Assert.True(Conninfo.TryParse(text, out Conninfo? conninfo, out var problem), problem?.Message);
        return conninfo;
    }
}
