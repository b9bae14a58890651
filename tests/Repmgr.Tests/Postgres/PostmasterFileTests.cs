using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Postgres;

public class PostmasterFileTests
{
    [Fact]
    public void Reads_all_lines() => Assert.Equal(
        new PostmasterFile(
            4711, "/data/15", DateTimeOffset.FromUnixTimeSeconds(1795500000), 5433, "/run/postgresql", "*", PostmasterStatus.Standby),
        PostmasterFile.Parse("4711\n/data/15\n1795500000\n5433\n/run/postgresql\n*\n  5433001         7\nstandby \n"));

    [Fact]
    public void A_server_that_has_just_begun_has_no_port_yet() => Assert.Equal(
        new PostmasterFile(4711, "/data/15", DateTimeOffset.FromUnixTimeSeconds(1795500000), null, null, null, PostmasterStatus.Unknown),
        PostmasterFile.Parse("4711\n/data/15\n1795500000\n"));

    [Fact]
    public void A_standalone_backend_is_not_a_postmaster() =>
        Assert.Equal(0, PostmasterFile.Parse("-4711\n/data/15\n1795500000\n0\n\n\n")!.Pid);

    [Theory]
    [InlineData("")]
    [InlineData("4711\n")]
    [InlineData("what\n/data\n17955\n")]
    public void Half_a_file_is_none(string text) => Assert.Null(PostmasterFile.Parse(text));
}
