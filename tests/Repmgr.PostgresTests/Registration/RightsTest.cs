using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Registration;

/// <summary>The metadata belongs to somebody else: every command lists the rights it lacks, and works when they are granted.</summary>
public sealed class RightsTest : LabTest
{
    private const string ReadNodes = "GRANT SELECT ON TABLE repmgr.nodes TO \"repmgr\";";
    private const string UseSchema = "GRANT USAGE ON SCHEMA repmgr TO \"repmgr\";";
    private const string WriteAll = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA repmgr TO \"repmgr\";";

    [Theory, EveryMajor]
    public async Task Every_command_lists_what_it_lacks_and_works_with_just_that(int major)
    {
        var (primary, standby) = await StrangersAsync(major);

        (string[] Command, string[] Statements)[] refused =
        [
            (["cluster", "show"], [UseSchema, ReadNodes]),
            (["cluster", "event"], [UseSchema, "GRANT SELECT ON TABLE repmgr.events, repmgr.nodes TO \"repmgr\";"]),
            (["cluster", "cleanup"], [UseSchema, WriteAll]),
            (["standby", "unregister"], [UseSchema, WriteAll]),
            (["standby", "register", "--force"], [UseSchema, WriteAll]),
            (["standby", "follow"], [UseSchema, WriteAll]),
        ];
        foreach ((string[] command, string[] statements) in refused)
        {
            var result = (await standby.RepmgrAsync([.. command, .. command[1] is "show" or "event" ? (string[])[] : ["--dry-run"]]))
                .ShouldExit(ExitCode.BadConfig).ShouldSay("in database \"repmgr\" of the primary");
            Assert.Equal(statements, Statements(result).Take(2));
        }

        (await primary.RepmgrAsync("primary", "unregister", "--force")).ShouldExit(ExitCode.BadConfig).ShouldSay(UseSchema).ShouldSay(WriteAll);
        (await primary.RepmgrAsync("primary", "register", "--force")).ShouldExit(ExitCode.BadConfig)
            .ShouldSay("GRANT USAGE, CREATE ON SCHEMA repmgr TO \"repmgr\";").ShouldSay(WriteAll);

        await GrantAsync(primary, standby, UseSchema, ReadNodes);
        (await standby.RepmgrAsync("cluster", "show")).ShouldSucceed();
        (await standby.RepmgrAsync("cluster", "cleanup")).ShouldExit(ExitCode.BadConfig)
            .ShouldSay("ON TABLE repmgr.events, repmgr.monitoring_history, repmgr.schema_version, repmgr.voting_term TO \"repmgr\";")
            .ShouldSay("GRANT INSERT, UPDATE, DELETE ON TABLE repmgr.nodes TO \"repmgr\";");

        await GrantAsync(primary, standby, WriteAll);
        foreach (string[] command in (string[][])
            [["cluster", "event"], ["cluster", "cleanup"], ["standby", "register", "--force"], ["standby", "follow"], ["standby", "unregister"]])
            Assert.DoesNotContain("in schema repmgr", (await standby.RepmgrAsync(command)).ShouldSucceed().Stderr, StringComparison.OrdinalIgnoreCase);
        (await primary.RepmgrAsync("primary", "register", "--force")).ShouldSucceed();
    }

    [Fact]
    public async Task A_right_on_one_table_stops_only_the_command_that_needs_it()
    {
        var (primary, standby) = await StrangersAsync(PostgresMajor.Default);
        await primary.ExecuteAsync($"{UseSchema} {WriteAll} revoke delete on repmgr.monitoring_history from repmgr; revoke insert on repmgr.events from repmgr");
        await ArrivedAsync(standby, "not has_table_privilege('repmgr', 'repmgr.events', 'insert')");

        var cleanup = (await standby.RepmgrAsync("cluster", "cleanup")).ShouldExit(ExitCode.BadConfig);
        Assert.Equal(["GRANT INSERT ON TABLE repmgr.events TO \"repmgr\";", "GRANT DELETE ON TABLE repmgr.monitoring_history TO \"repmgr\";"], Statements(cleanup));

        // The record is what the command is about; its event is not, so that it is only warned of.
        (await standby.RepmgrAsync("standby", "unregister")).ShouldSucceed()
            .ShouldSay("event \"standby_unregister\" could not be recorded").ShouldSay("GRANT INSERT ON TABLE repmgr.events TO \"repmgr\";");
        (await standby.RepmgrAsync("standby", "register")).ShouldExit(ExitCode.BadConfig).ShouldSay("GRANT DELETE ON TABLE repmgr.monitoring_history TO \"repmgr\";");
    }

    [Fact]
    public async Task The_schema_of_1x_may_belong_to_somebody_else_too()
    {
        var server = await Lab.ServerAsync(PostgresMajor.Default);
        await server.StartAsync();
        await server.WriteConfAsync("cluster=test");
        await server.ExecuteAsync("alter role repmgr nosuperuser; alter database repmgr owner to postgres; grant create on database repmgr to repmgr; create schema repmgr_test authorization postgres");

        string[] statements = Statements((await server.RepmgrAsync("primary", "register")).ShouldExit(ExitCode.BadConfig));
        Assert.Equal("GRANT USAGE, CREATE ON SCHEMA \"repmgr_test\" TO \"repmgr\";", statements[0]);
        await server.ExecuteAsync(statements[0]);
        (await server.RepmgrAsync("primary", "register")).ShouldSucceed();
        Assert.Equal([["1", "test"]], await server.RowsAsync("select id, cluster from repmgr_test.repl_nodes"));

        // Once the views are there nothing is made any more, and no right to make things is asked for.
        await server.ExecuteAsync("alter schema repmgr_test owner to postgres; revoke all on schema repmgr_test from repmgr; revoke create on database repmgr from repmgr");
        (await server.RepmgrAsync("primary", "register", "--force")).ShouldSucceed();
    }

    [Fact]
    public async Task A_superuser_who_is_named_makes_the_role_the_owner()
    {
        var (primary, _) = await StrangersAsync(PostgresMajor.Default);
        (await primary.RepmgrAsync("primary", "register", "--force", "--superuser=postgres")).ShouldSucceed();
        Assert.Equal("repmgr", await primary.QueryAsync<string>("select nspowner::regrole::text from pg_namespace where nspname = 'repmgr'"));
        (await primary.RepmgrAsync("primary", "register", "--force")).ShouldSucceed();
    }

    [Fact]
    public async Task A_clone_says_which_nodes_it_could_not_see()
    {
        var (primary, _) = await StrangersAsync(PostgresMajor.Default);
        var third = await Lab.EmptyServerAsync(PostgresMajor.Default, nodeId: 3);
        await third.WriteConfAsync();
        string[] source = ["-h", primary.Address, "-p", $"{primary.Port}", "standby", "clone", "--method=basebackup"];

        (await third.RepmgrAsync([.. source, "--upstream-node-id=2"])).ShouldExit(ExitCode.BadConfig)
            .ShouldSay("upstream node 2 is not registered").ShouldSay(UseSchema).ShouldSay(ReadNodes);
        (await third.RepmgrAsync([.. source, "--dry-run"])).ShouldSucceed().ShouldSay("cannot be seen: role \"repmgr\" lacks rights").ShouldSay(ReadNodes);
    }

    [Fact]
    public async Task The_daemon_lists_them_in_its_log_and_goes_on_when_they_are_granted()
    {
        var (primary, standby) = await StrangersAsync(PostgresMajor.Default);
        await standby.WriteConfAsync("monitor_interval_secs=1", "monitoring_history=yes");
        var daemon = standby.StartRepmgrd();
        await daemon.SaysAsync(UseSchema, Seconds(20));
        await daemon.SaysAsync(WriteAll, Seconds(20));

        await GrantAsync(primary, standby, UseSchema, WriteAll);
        await Eventually.TrueAsync(
            () => primary.QueryAsync<bool>("select exists (select from repmgr.monitoring_history)"), Seconds(20), "monitoring rows come");
        Assert.Equal(0, await daemon.StopAsync());
    }

    /// <summary>A registered cluster whose metadata belongs to the superuser, while repmgr's role has become an ordinary one.</summary>
    private async Task<(TestServer Primary, TestServer Standby)> StrangersAsync(int major)
    {
        var cluster = await Lab.ClusterAsync(major, standbys: 1);
        await cluster.RegisterAsync();
        await cluster.Primary.ExecuteAsync(
            "alter role repmgr nosuperuser replication; grant pg_monitor to repmgr; reassign owned by repmgr to postgres; "
            + "revoke all on schema repmgr from repmgr; revoke all on all tables in schema repmgr from repmgr");
        await ArrivedAsync(cluster.Standbys[0], "not has_schema_privilege('repmgr', 'repmgr', 'usage')");
        return (cluster.Primary, cluster.Standbys[0]);
    }

    private static async Task GrantAsync(TestServer primary, TestServer standby, params string[] statements)
    {
        await primary.ExecuteAsync(string.Join(' ', statements));
        string end = await primary.QueryAsync<string>("select pg_current_wal_insert_lsn()::text");
        await ArrivedAsync(standby, $"pg_last_wal_replay_lsn() >= '{end}'");
    }

    private static Task ArrivedAsync(TestServer standby, string condition) => Eventually.TrueAsync(
        () => standby.QueryAsync<bool>($"select {condition}"), Seconds(10), $"on {standby.Name}: {condition}");

    private static string[] Statements(ProgramResult refused) =>
        [.. refused.Stderr.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("GRANT", StringComparison.Ordinal))];
}
