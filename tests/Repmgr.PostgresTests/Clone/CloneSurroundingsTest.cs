using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>What a clone takes from its environment, and what it must not.</summary>
public sealed class CloneSurroundingsTest : CloneTest
{
    [Theory]
    [InlineData("direct")]
    [InlineData("basebackup")]
    [InlineData("rsync")]
    public async Task The_home_directory_of_whoever_became_this_user_is_not_ours(string method)
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        await source.ExecuteAsync("set password_encryption = 'scram-sha-256'; alter role repmgr password 'right'");
        File.WriteAllText(Path.Combine(source.DataDirectory, "pg_hba.conf"), "local all all trust\nhost all all all scram-sha-256\nhost replication all all scram-sha-256\n");
        await source.ReloadAsync();
        string own = target.Host!.Seen("/var/lib/postgresql");
        await target.Host.MountAsync("/var/lib/postgresql", "1m", target.User);
        await WritePasswordsAsync(own, "right", target.User);

        // As runuser and setpriv leave it: the home of an account that is there, and could be read.
        string other = await Lab.SubdirectoryAsync("prime");
        await WritePasswordsAsync(other, "wrong", target.User);
        await Lab.SubdirectoryAsync(Path.Combine("prime", ".postgresql"));
        File.WriteAllText(Path.Combine(other, ".postgresql", "root.crt"), "no certificate");
        var launch = new Launch(Programs.Repmgr, ["-f", target.ConfPath, .. Clone(source, $"--method={method}")])
        {
            User = target.User,
            Host = target.Host,
            WorkingDirectory = target.Directory,
            Environment = new Dictionary<string, string?>(target.Surroundings) { ["HOME"] = other },
            Within = TimeSpan.FromMinutes(4),
        };
        (await Lab.RunAsync(launch)).ShouldSucceed();
        await target.PersonaliseAsync();
        await target.StartAsync();
    }

    [Fact]
    public async Task What_a_service_and_the_environment_say_of_the_source_is_written_out_for_the_server()
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        File.WriteAllText(
            Path.Combine(target.Directory, ".pg_service.conf"),
            $"[prod]\nhost=127.0.0.1\nport={source.Port}\nuser=repmgr\ndbname=repmgr\nsslmode=disable\nkeepalives_idle=7\n");
        File.WriteAllText(target.ConfPath, $"node_id=2\nnode_name='node2'\nconninfo='{target.Conninfo}'\ndata_directory='{target.DataDirectory}'\npg_bindir='{target.Major.BinDirectory}'\n");
        var launch = new Launch(Programs.Repmgr, "-f", target.ConfPath, "-d", "service=prod", "standby", "clone")
        {
            User = target.User,
            WorkingDirectory = target.Directory,
            Environment = new Dictionary<string, string?>(target.Surroundings) { ["PGGSSENCMODE"] = "disable" },
            Within = TimeSpan.FromMinutes(4),
        };
        (await Lab.RunAsync(launch)).ShouldSucceed();
        string auto = File.ReadAllText(Path.Combine(target.DataDirectory, "postgresql.auto.conf"));
        foreach (string said in new[] { "sslmode=disable", "keepalives_idle=7", "gssencmode=disable", "host=127.0.0.1" })
            Assert.Contains(said, auto, StringComparison.Ordinal);
        Assert.DoesNotContain("service", auto, StringComparison.Ordinal);
        await StartsAndStreamsAsync(target, source);
    }

    private static async Task WritePasswordsAsync(string directory, string password, string user)
    {
        string file = Path.Combine(directory, ".pgpass");
        File.WriteAllText(file, $"*:*:*:repmgr:{password}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await TestUser.GiveAsync(file, user);
    }
}
