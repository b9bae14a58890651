using Repmgr.Core.Cloning;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Planning;
using Repmgr.Core.Settings;
using static Repmgr.Tests.Cloning.CloneWorld;

namespace Repmgr.Tests.Cloning;

public sealed class DirectPlannerTests
{
    private static readonly CloneRequest Direct = Request with { Method = CloneMethod.Direct };

    [Fact]
    public void The_copy_is_made_in_place_and_the_control_file_comes_last() => Assert.Equal(
        [nameof(Step.ReserveSlot), nameof(Step.BeginClone), nameof(Step.CopyDirectly), nameof(Step.ConfigureStandby), nameof(Step.FinishClone)],
        Names(Plan(Direct with { SlotName = "repmgr_slot_2" })));

    [Fact]
    public void It_is_verified_when_it_is_whole() =>
        Assert.Equal([nameof(Step.FinishClone), nameof(Step.VerifyCopy)], Names(Plan(Direct with { VerifyBackup = true })).TakeLast(2));

    [Fact]
    public void What_is_here_is_compared()
    {
        Assert.False(Copy(Plan(Direct)).OntoExisting);
        Assert.True(Copy(Plan(Direct with { Force = true }, target: Target with { Content = OldCopy })).OntoExisting);
        Assert.True(Copy(Plan(Direct, target: Target with { Content = new TargetContent.Unfinished(new UnfinishedClone(CloneWorld.System, 15, CloneMethod.BaseBackup, []), false) })).OntoExisting);
    }

    [Fact]
    public void The_standbys_slot_holds_the_wal_or_else_a_passing_one_or_it_is_fetched_as_it_is_written()
    {
        Assert.Equal(WalGuard.StandbySlot, Copy(Plan(Direct with { SlotName = "repmgr_slot_2" })).Guard);
        Assert.Equal(WalGuard.TemporarySlot, Copy(Plan(Direct)).Guard);
        Assert.Equal(WalGuard.TemporarySlot, Copy(Plan(Direct with { SlotName = "repmgr_slot_2" }, servers: Servers with { UpstreamIsSource = false })).Guard);
        Assert.Equal(WalGuard.Streamed, Copy(Plan(Direct with { MinimumWalSegments = 0 })).Guard);
        Assert.Equal(WalGuard.Streamed, Copy(Plan(Direct, source: Source with { MaxReplicationSlots = 0 })).Guard);
    }

    [Fact]
    public void No_program_is_needed_here_but_those_that_are_here_must_fit()
    {
        Assert.IsType<Planned.Ready>(Plan(Direct, tools: new CloneTools(null, null, false, null)));
        Assert.Equal(
            ["the PostgreSQL programs here are of another major version than the source"],
            Refusals(Plan(Direct, tools: Tools with { Server = new Core.Postgres.PostgresVersion(170002) })));
    }

    [Fact]
    public void The_rights_that_are_missing_are_told_as_grants()
    {
        CloneRights narrow = new("narrow", false, true, true, false, "narrow", true) { MissingFileFunctions = CloneRights.FileFunctions };
        var refused = Assert.IsType<Planned.Refused>(Plan(Direct, Source with { Rights = narrow }));
        Core.Problems.Problem problem = Assert.Single(refused.Problems);
        Assert.Equal(
            """
            Run as a superuser in database "metadata" of the primary: GRANT EXECUTE ON FUNCTION pg_backup_start(text, boolean) TO "narrow"; GRANT EXECUTE ON FUNCTION pg_backup_stop(boolean) TO "narrow"; GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean) TO "narrow"; GRANT EXECUTE ON FUNCTION pg_stat_file(text, boolean) TO "narrow"; GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint, boolean) TO "narrow";
            """,
            problem.Hint);
        Assert.IsType<Planned.Ready>(Plan(Request, Source with { Rights = narrow }));
    }

    [Fact]
    public void A_directory_for_wal_that_holds_something_is_refused() =>
        Assert.Equal(["the directory for WAL \"/wal\" is not empty"], Refusals(Plan(Direct with { WalDirectory = "/wal" }, target: Target with { IsWalDirectoryInUse = true })));

    [Fact]
    public void Options_for_pg_basebackup_that_mean_nothing_here_are_told()
    {
        var ready = Assert.IsType<Planned.Ready>(Plan(Direct with { BaseBackupOptions = ["--wal-method=fetch", "-r", "10M", "--waldir=/wal", "-z"] }));
        Assert.Contains(ready.Notices, notice => notice.Detail?.EndsWith("ignored: --wal-method=fetch -z.", StringComparison.Ordinal) == true);
        Assert.DoesNotContain(Assert.IsType<Planned.Ready>(Plan(Direct with { BaseBackupOptions = ["--max-rate=10M"] })).Notices, notice => notice.Message.Contains("pg_basebackup", StringComparison.Ordinal));
    }

    [Fact]
    public void Tablespaces_go_where_they_are_mapped()
    {
        DirectCopy copy = Copy(Plan(Direct with { TablespaceMappings = [new TablespaceMapping("/fast", "/slow/")] }));
        Assert.Equal("/slow", copy.Destination("/fast/"));
        Assert.Equal("/other", copy.Destination("/other"));
    }

    private static DirectCopy Copy(Planned planned) => Steps(planned).OfType<Step.CopyDirectly>().Single().Copy;
}
