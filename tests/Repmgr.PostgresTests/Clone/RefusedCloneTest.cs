using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>What stands in the way is said before anything is touched, all of it, with a hint for each.</summary>
public sealed class RefusedCloneTest : CloneTest
{
    [Fact]
    public async Task Everything_is_said_at_once_and_nothing_is_touched()
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        await source.ConfigureAsync("wal_level = minimal", "max_wal_senders = 0", "max_replication_slots = 0", "hot_standby = off");
        await source.RestartAsync();
        await source.ExecuteAsync("create role narrow login");
        string held = Directory.CreateDirectory(target.DataDirectory).FullName;
        File.WriteAllText(Path.Combine(held, "thesis.tex"), "precious");
        await TestUser.GiveAsync(held, target.User);
        await target.WriteConfAsync("ssh_options='-o ConnectTimeout=2 -p 1'", "use_replication_slots=yes");

        var result = await target.RepmgrAsync(
            "-h", source.Address, "-p", $"{source.Port}", "-U", "narrow", "-d", "repmgr", "standby", "clone", "--method=rsync", "--force");
        result.ShouldExit(ExitCode.BadConfig);
        foreach (string said in new[]
        {
            "\"wal_level\" on the source is too low for replication",
            "\"hot_standby\" is off on the source",
            "the source has too few free WAL senders",
            "has no free replication slot",
            "lacks rights on the source",
            "is not empty and holds no PostgreSQL cluster",
            "cannot be reached with ssh",
        })
            result.ShouldSay(said);
        Assert.Equal(result.Stderr.Split('\n').Count(line => line.StartsWith("ERROR:", StringComparison.Ordinal)), result.Stderr.Split('\n').Count(line => line.StartsWith("HINT:", StringComparison.Ordinal)));
        Assert.Equal("precious", File.ReadAllText(Path.Combine(held, "thesis.tex")));
        Assert.Single(Directory.EnumerateFileSystemEntries(held));
    }

    [Fact]
    public async Task A_running_server_a_foreign_cluster_and_another_version_are_left_alone()
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        foreach (string method in new[] { "direct", "basebackup", "rsync" })
        {
            var running = await Lab.ServerAsync(PostgresMajor.Default, 3);
            await running.StartAsync();
            (await CloneAsync(running, Clone(source, $"--method={method}", "--force"))).ShouldExit(ExitCode.BadConfig).ShouldSay("a PostgreSQL server runs in");
            Assert.Equal(1, await running.QueryAsync<int>("select 1"));

            var foreign = await Lab.ServerAsync(PostgresMajor.Default, 4, foreign: true);
            (await CloneAsync(foreign, Clone(source, $"--method={method}", "--force"))).ShouldSay("holds another cluster");
            await foreign.StartAsync();
        }

        var older = await Lab.ServerAsync(PostgresMajor.Default, 6);
        File.WriteAllText(Path.Combine(older.DataDirectory, "PG_VERSION"), "9\n");
        (await CloneAsync(older, Clone(source, "--force"))).ShouldExit(ExitCode.BadConfig).ShouldSay("holds a cluster of PostgreSQL 9");
        Assert.False(Directory.Exists(target.DataDirectory));
    }

    [Fact]
    public async Task Programs_of_another_version_or_none_are_named()
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        string empty = await Lab.SubdirectoryAsync("no programs");
        (await target.RepmgrAsync(["-b", empty, .. BaseBackup(source)])).ShouldExit(ExitCode.BadConfig).ShouldSay("pg_basebackup was not found");
        int other = PostgresMajor.Default == 15 ? 17 : 15;
        if (PostgresMajor.Find(other) is { } wrong)
            (await target.RepmgrAsync(["-b", wrong.BinDirectory, .. BaseBackup(source)])).ShouldExit(ExitCode.BadConfig).ShouldSay("is of another major version than the source");
        var noRsync = new Launch(Programs.Repmgr, ["-f", target.ConfPath, .. Clone(source, "--method=rsync")])
        {
            User = target.User,
            Environment = new Dictionary<string, string?>(target.Surroundings) { ["PATH"] = empty },
        };
        (await Lab.RunAsync(noRsync)).ShouldExit(ExitCode.BadRsync).ShouldSay("rsync was not found on this host");
        Assert.False(Directory.Exists(target.DataDirectory));
    }

    [Fact]
    public async Task Ssh_that_does_not_answer_or_leads_elsewhere_has_its_exit_code()
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        await target.WriteConfAsync("ssh_options='-p 1'");
        (await CloneAsync(target, Clone(source, "--method=rsync"))).ShouldExit(ExitCode.BadSsh).ShouldSay("\"node1\" cannot be reached with ssh");
        await target.WriteConfAsync();
        (await CloneAsync(target, Clone(source, "--method=rsync", "-R", "nobody"))).ShouldExit(ExitCode.BadSsh);
        Assert.False(Directory.Exists(target.DataDirectory));
    }

    [Fact]
    public async Task No_server_and_a_wrong_password_have_their_exit_codes()
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        await source.ExecuteAsync("create role locked superuser login password 'right'");
        string hba = Path.Combine(source.DataDirectory, "pg_hba.conf");
        File.WriteAllText(hba, "host all locked 127.0.0.1/32 scram-sha-256\n" + File.ReadAllText(hba));
        await source.ReloadAsync();
        string conninfo = $"host=127.0.0.1 port={source.Port} dbname=repmgr user=locked";
        var wrong = await target.RepmgrAsync("-d", conninfo + " password=wrong", "standby", "clone");
        wrong.ShouldExit(ExitCode.MonitoringTimeoutOrBadPassword);
        Assert.DoesNotContain("password=wrong", wrong.Stderr, StringComparison.Ordinal);
        (await target.RepmgrAsync("-h", "127.0.0.1", "-p", $"{Lab.FreePort()}", "standby", "clone")).ShouldExit(ExitCode.DbConnection);
        (await target.RepmgrAsync("standby", "clone")).ShouldExit(ExitCode.BadConfig).ShouldSay("the node to clone is not named");
        Assert.False(Directory.Exists(target.DataDirectory));
    }

    [Theory, EveryMajor]
    public Task A_role_that_is_no_superuser_is_told_its_grants_and_then_clones(int major) => ToldItsGrantsAsync(major);

    [Theory, EveryMajor]
    public Task A_role_that_is_no_superuser_is_told_its_grants_and_then_clones_by_rsync(int major) => ToldItsGrantsAsync(major, "--method=rsync", "-I");

    private async Task ToldItsGrantsAsync(int major, params string[] method)
    {
        var (source, target) = await OnHostsAsync(major);
        await source.ExecuteAsync("create role narrow login");
        string[] clone = ["-h", "node1", "-U", "narrow", "-d", "repmgr", "standby", "clone", .. method];
        var refused = (await CloneAsync(target, clone)).ShouldExit(ExitCode.BadConfig);
        string grants = refused.Stderr.Split('\n').Single(line => line.Contains("Run as a superuser in database \"repmgr\" of the primary: ", StringComparison.Ordinal));
        await source.ExecuteAsync(grants[(grants.IndexOf("primary: ", StringComparison.Ordinal) + "primary: ".Length)..]);
        (await CloneAsync(target, clone)).ShouldSucceed();
        await StartsAndStreamsAsync(target, source);
    }
}
