using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Promote;

/// <summary><c>standby promote</c> on real servers.</summary>
public sealed class PromoteTest : LabTest
{
    /// <summary>The advisory lock under which the metadata is changed: who holds it stops a command right there.</summary>
    private const string HoldMetadata = "select pg_advisory_lock(x'7265706D6772'::bigint)";

    [Theory, EveryMajor]
    public async Task A_promoted_standby_is_writable_and_all_metadata_says_so(int major)
    {
        var cluster = await RegisteredAsync(major, standbys: 2);
        var node2 = cluster.Standbys[0];
        await cluster.Primary.KillAsync();

        (await node2.RepmgrAsync("standby", "promote")).ShouldSucceed()
            .ShouldSay("promote node \"node2\" (ID: 2) to primary")
            .ShouldSay("node \"node3\" (ID: 3)"); // Left behind, with what to run.

        Assert.False(await node2.InRecoveryAsync());
        await node2.ExecuteAsync("create table written as select 1");
        Assert.Equal(
            ["1 primary f", "2 primary t", "3 standby t"],
            await NodesAsync(node2));
        Assert.Equal("2 t", await node2.QueryAsync<string>(
            "select node_id || case when successful then ' t' else ' f' end from repmgr.events where event = 'standby_promote'"));
    }

    [Fact]
    public async Task A_dry_run_says_the_steps_and_does_none()
    {
        var cluster = await RegisteredAsync(PostgresMajor.Default, standbys: 1);
        await cluster.Primary.KillAsync();
        var result = (await cluster.Standbys[0].RepmgrAsync("standby", "promote", "--dry-run")).ShouldSucceed();
        Assert.Contains("1. promote node \"node2\" (ID: 2) to primary", result.Stdout);
        Assert.Contains("2. record node \"node2\" (ID: 2) as primary, and mark as inactive: node 1", result.Stdout);
        Assert.True(await cluster.Standbys[0].InRecoveryAsync());
    }

    [Theory, EveryMajor]
    public async Task Another_live_primary_forbids_it_whatever_is_forced(int major)
    {
        var cluster = await RegisteredAsync(major, standbys: 1);
        foreach (string[] options in (string[][])[[], ["-F"]])
        {
            (await cluster.Standbys[0].RepmgrAsync(["standby", "promote", .. options])).ShouldExit(ExitCode.BadConfig)
                .ShouldSay("node \"node1\" (ID: 1) is a running primary");
        }

        Assert.True(await cluster.Standbys[0].InRecoveryAsync());
    }

    [Fact]
    public async Task A_primary_that_turns_us_away_is_doubted()
    {
        var cluster = await RegisteredAsync(PostgresMajor.Default, standbys: 1);
        string hba = Path.Combine(cluster.Primary.DataDirectory, "pg_hba.conf");
        await File.WriteAllTextAsync(hba, $"local all postgres trust\nhost replication all samenet trust\nhost all all all reject\n", TestContext.Current.CancellationToken);
        await cluster.Primary.ReloadAsync();

        await Eventually.TrueAsync(
            async () => (await cluster.Standbys[0].RepmgrAsync("standby", "promote")).ShouldExit(ExitCode.BadConfig).Stderr.Contains("may be a primary"),
            Seconds(10), "the primary is doubted");
        Assert.True(await cluster.Standbys[0].InRecoveryAsync());
    }

    [Theory, EveryMajor]
    public async Task A_role_that_is_no_superuser_promotes_with_the_rights_that_are_named(int major)
    {
        var cluster = await RegisteredAsync(major, standbys: 1);
        var (primary, standby) = (cluster.Primary, cluster.Standbys[0]);
        await primary.ExecuteAsync("alter role repmgr nosuperuser");
        await NarrowedAsync(standby);

        // Not on the server's own host, as it seems from here: pg_ctl would promote somebody else's server.
        await standby.WriteConfAsync($"data_directory='{primary.DataDirectory}'");

        // A live primary is in the way too: everything is said at once.
        string grant = "GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO \"repmgr\";";
        (await standby.RepmgrAsync("standby", "promote")).ShouldExit(ExitCode.BadConfig)
            .ShouldSay("is a running primary").ShouldSay(grant).ShouldSay("in database \"repmgr\" of the primary")
            .ShouldSay($"the server behind conninfo does not run in \"{primary.DataDirectory}\" on this host");

        await primary.ExecuteAsync(grant);
        await Eventually.TrueAsync(
            () => standby.QueryAsync<bool>("select has_function_privilege('repmgr', 'pg_catalog.pg_promote(boolean, integer)', 'execute')"),
            Seconds(10), "the grant has arrived");
        await primary.KillAsync();
        (await standby.RepmgrAsync("standby", "promote")).ShouldSucceed();
        Assert.False(await standby.InRecoveryAsync());
        Assert.Equal(["1 primary f", "2 primary t"], await NodesAsync(standby));
    }

    [Theory, EveryMajor]
    public async Task On_its_own_host_a_standby_is_promoted_without_the_right_on_pg_promote(int major)
    {
        var cluster = await RegisteredAsync(major, standbys: 1);
        var (primary, standby) = (cluster.Primary, cluster.Standbys[0]);
        await primary.ExecuteAsync("alter role repmgr nosuperuser");
        await NarrowedAsync(standby);
        await primary.KillAsync();

        (await standby.RepmgrAsync("standby", "promote", "--dry-run")).ShouldSucceed()
            .ShouldSay($"1. promote node \"node2\" (ID: 2) to primary with \"{standby.Major.Program("pg_ctl")} -W -s -D {standby.DataDirectory} promote\"");
        Assert.True(await standby.InRecoveryAsync());
        (await standby.RepmgrAsync("standby", "promote")).ShouldSucceed()
            .ShouldSay("role \"repmgr\" may not execute pg_promote, so pg_ctl promotes the server")
            .ShouldSay("GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO \"repmgr\";")
            .ShouldSay("in database \"repmgr\" of the primary");
        Assert.False(await standby.InRecoveryAsync());
        Assert.Equal(["1 primary f", "2 primary t"], await NodesAsync(standby));
    }

    [Fact]
    public async Task Another_user_of_the_host_may_not_promote_with_pg_ctl()
    {
        Assert.SkipUnless(TestUser.IsRoot, "another user is needed to run as, which only root can");
        var cluster = await RegisteredAsync(PostgresMajor.Default, standbys: 1);
        var standby = cluster.Standbys[0];
        await cluster.Primary.ExecuteAsync("alter role repmgr nosuperuser");
        await NarrowedAsync(standby);
        await cluster.Primary.KillAsync();

        string conf = Path.Combine(Path.GetTempPath(), $"repmgr-{Guid.NewGuid():N}.conf"); // The lab's directories are closed to others.
        File.Copy(standby.ConfPath, conf);
        File.SetUnixFileMode(conf, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        try
        {
            var launch = new Launch(Programs.Repmgr, "-f", conf, "standby", "promote")
            {
                User = "daemon",
                WorkingDirectory = "/",
                Environment = standby.Surroundings,
            };
            (await Lab.RunAsync(launch)).ShouldExit(ExitCode.BadConfig)
                .ShouldSay("GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO \"repmgr\";")
                .ShouldSay("Nor can pg_ctl be used from here");
        }
        finally
        {
            File.Delete(conf);
        }

        Assert.True(await standby.InRecoveryAsync());
    }

    [Theory, EveryMajor]
    public async Task Siblings_follow_without_ssh(int major)
    {
        var cluster = await RegisteredAsync(major, standbys: 3, slots: true);
        var node2 = cluster.Standbys[0];
        await cluster.Primary.KillAsync();

        (await node2.RepmgrAsync("standby", "promote", "--siblings-follow")).ShouldSucceed();

        await node2.ExecuteAsync("create table written as select 7 as x");
        foreach (var sibling in cluster.Standbys.Skip(1))
        {
            await sibling.StreamsFromAsync(node2);
            await Eventually.EqualAsync(7, () => sibling.QueryAsync<int>("select x from written"), Seconds(10), $"the row on {sibling.Name}");
        }

        Assert.Equal(["1 ", "2 ", "3 2", "4 2"], await UpstreamsAsync(node2));
        Assert.Equal(
            ["repmgr_slot_3 t", "repmgr_slot_4 t"],
            await TextAsync(node2, "select slot_name || case when active then ' t' else ' f' end from pg_replication_slots order by 1"));
    }

    [Fact]
    public async Task A_dead_sibling_does_not_keep_the_others_from_following()
    {
        var cluster = await RegisteredAsync(PostgresMajor.Default, standbys: 3);
        var node2 = cluster.Standbys[0];
        await cluster.Primary.KillAsync();
        await cluster.Standbys[1].KillAsync();

        (await node2.RepmgrAsync("standby", "promote", "--siblings-follow")).ShouldExit(ExitCode.BadConfig).ShouldSay("\"node3\" (ID: 3) cannot be reached");
        Assert.True(await node2.InRecoveryAsync());
        (await node2.RepmgrAsync("standby", "promote", "--siblings-follow", "-F")).ShouldSucceed();
        await cluster.Standbys[2].StreamsFromAsync(node2);
    }

    [Fact]
    public async Task The_operators_promote_command_is_used_and_may_not_be_repmgr_itself()
    {
        var cluster = await RegisteredAsync(PostgresMajor.Default, standbys: 1);
        var node2 = cluster.Standbys[0];
        await cluster.Primary.KillAsync();

        await node2.WriteConfAsync($"service_promote_command='{Programs.Repmgr} -f {node2.ConfPath} standby promote'", "promote_check_timeout=3");
        (await node2.RepmgrAsync("standby", "promote")).ShouldExit(ExitCode.PromotionFailed).ShouldSay("has called itself");
        Assert.True(await node2.InRecoveryAsync());

        string mark = Path.Combine(node2.Directory, "promoted-by-command");
        await node2.WriteConfAsync($"service_promote_command='touch {mark} && {node2.Major.Program("pg_ctl")} -D {node2.DataDirectory} promote'");
        (await node2.RepmgrAsync("standby", "promote")).ShouldSucceed();
        Assert.True(File.Exists(mark));
        Assert.False(await node2.InRecoveryAsync());
    }

    [Fact]
    public async Task A_command_that_promotes_nothing_is_a_failure_within_promote_check_timeout()
    {
        var cluster = await RegisteredAsync(PostgresMajor.Default, standbys: 1);
        var node2 = cluster.Standbys[0];
        await cluster.Primary.KillAsync();
        await node2.WriteConfAsync("service_promote_command='true'", "promote_check_timeout=2");
        (await node2.RepmgrAsync("standby", "promote")).ShouldExit(ExitCode.PromotionFailed).ShouldSay("still in recovery after 2 s");
    }

    [Theory, EveryMajor]
    public async Task Killed_between_promotion_and_metadata_it_is_finished_by_running_it_again(int major)
    {
        var cluster = await RegisteredAsync(major, standbys: 1);
        var node2 = cluster.Standbys[0];
        await cluster.Primary.KillAsync();
        await using (var holder = await node2.ConnectAsync())
        {
            await using (var hold = new Npgsql.NpgsqlCommand(HoldMetadata, holder))
                await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

            var killed = await node2.RunAsync("timeout", "--signal=KILL", "4", Programs.Repmgr, "-f", node2.ConfPath, "standby", "promote");
            Assert.Equal(137, killed.ExitCode);
            Assert.False(await node2.InRecoveryAsync());
            Assert.Equal(["1 primary t", "2 standby t"], await NodesAsync(node2));
        }

        (await node2.RepmgrAsync("standby", "promote")).ShouldSucceed().ShouldSay("accepts writes already");
        Assert.Equal(["1 primary f", "2 primary t"], await NodesAsync(node2));
        (await node2.RepmgrAsync("standby", "promote")).ShouldExit(ExitCode.BadConfig).ShouldSay("is the primary already");
    }

    private async Task<TestCluster> RegisteredAsync(int major, int standbys, bool slots = false)
    {
        var cluster = await Lab.ClusterAsync(major, standbys, slots);
        if (slots)
        {
            foreach (var server in cluster.All)
                await server.WriteConfAsync("use_replication_slots=yes");
        }

        await cluster.RegisterAsync();
        return cluster;
    }

    private static Task NarrowedAsync(TestServer server) => Eventually.EqualAsync(
        false, () => server.QueryAsync<bool>("select rolsuper from pg_roles where rolname = 'repmgr'"), TimeSpan.FromSeconds(10), $"superuser on {server.Name}");

    private static Task<IReadOnlyList<string>> NodesAsync(TestServer server) =>
        TextAsync(server, "select node_id || ' ' || type || case when active then ' t' else ' f' end from repmgr.nodes order by node_id");

    private static Task<IReadOnlyList<string>> UpstreamsAsync(TestServer server) =>
        TextAsync(server, "select node_id || ' ' || coalesce(upstream_node_id::text, '') from repmgr.nodes order by node_id");

    private static async Task<IReadOnlyList<string>> TextAsync(TestServer server, string sql) =>
        [.. (await server.RowsAsync(sql)).Select(row => row[0] ?? "")];
}
