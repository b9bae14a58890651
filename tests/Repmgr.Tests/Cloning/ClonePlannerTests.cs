using Repmgr.Core.Checks;
using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using static Repmgr.Tests.Cloning.CloneWorld;

namespace Repmgr.Tests.Cloning;

public sealed class ClonePlannerTests
{
    [Fact]
    public void An_empty_directory_is_marked_filled_beside_and_moved_into_place() => Assert.Equal(
        ["BeginClone", "CopyByBaseBackup", "ConfigureStandby", "FinishClone"], Names(Plan()));

    [Fact]
    public void The_slot_is_reserved_before_anything_else() => Assert.Equal(
        ["ReserveSlot", "BeginClone", "CopyByBaseBackup", "ConfigureStandby", "FinishClone"],
        Names(Plan(Request with { SlotName = "repmgr_slot_2" })));

    [Fact]
    public void The_copy_is_verified_before_an_old_one_is_deleted() => Assert.Equal(
        ["BeginClone", "CopyByBaseBackup", "VerifyCopy", "ConfigureStandby", "ClearTarget", "FinishClone"],
        Names(Plan(Request with { Force = true, VerifyBackup = true }, target: Target with { Content = OldCopy })));

    [Fact]
    public void Where_both_do_not_fit_the_old_copy_goes_first() => Assert.Equal(
        ["BeginClone", "ClearTarget", "CopyByBaseBackup", "ConfigureStandby", "FinishClone"],
        Names(Plan(
            Request with { Force = true },
            target: Target with { Content = OldCopy, Main = Target.Main with { FreeBytes = 200L << 20, HeldBytes = 1L << 30 } })));

    [Fact]
    public void Rsync_copies_in_place_and_the_control_file_comes_at_the_end() => Assert.Equal(
        ["BeginClone", "CopyByRsync", "ConfigureStandby", "FinishClone"], Names(Plan(Rsync)));

    [Fact]
    public void Rsync_onto_an_old_copy_moves_only_what_differs()
    {
        Step.CopyByRsync step = Assert.Single(Steps(Plan(Rsync with { Force = true }, target: Target with { Content = OldCopy })).OfType<Step.CopyByRsync>());
        Assert.True(step.Copy.OntoExisting);
        Assert.Equal(WalGuard.TemporarySlot, step.Copy.Guard);
    }

    [Fact]
    public void An_unfinished_clone_is_continued_without_force() => Assert.Equal(
        ["BeginClone", "CopyByRsync", "ConfigureStandby", "FinishClone"],
        Names(Plan(Rsync, target: Target with { Content = new TargetContent.Unfinished(new UnfinishedClone(CloneWorld.System, 15, CloneMethod.Rsync, []), false) })));

    [Fact]
    public void The_standby_slot_guards_the_wal_only_where_it_is_on_the_source()
    {
        CloneRequest request = Rsync with { SlotName = "repmgr_slot_2" };
        Assert.Equal(WalGuard.StandbySlot, Assert.Single(Steps(Plan(request)).OfType<Step.CopyByRsync>()).Copy.Guard);
        Assert.Equal(
            WalGuard.TemporarySlot,
            Assert.Single(Steps(Plan(request, servers: Servers with { UpstreamIsSource = false })).OfType<Step.CopyByRsync>()).Copy.Guard);
    }

    [Fact]
    public void Everything_that_stands_in_the_way_is_said_at_once()
    {
        Planned planned = Plan(
            Rsync with { NodeName = "node1", VerifyBackup = true },
            Source with
            {
                WalLevel = "minimal",
                HotStandby = false,
                UsedWalSenders = 10,
                MaxReplicationSlots = 0,
                RegisteredNodes = new Dictionary<int, string> { [1] = "node1" },
                Rights = new CloneRights("repmgr", false, false, false, false, "repmgr", false),
            },
            Target with
            {
                Content = new TargetContent.Cluster(15, CloneWorld.System, 4711),
                Unwritable = "It belongs to user root",
                Main = Target.Main with { FreeBytes = 1 << 20 },
            },
            Tools with { Rsync = null, Remote = null, Server = new PostgresVersion(170000) });
        Assert.Equal(
            [
                "\"wal_level\" on the source is too low for replication",
                "\"hot_standby\" is off on the source",
                "the source has too few free WAL senders",
                "node1 has no free replication slot",
                "another node is registered under the name \"node1\"",
                "role \"repmgr\" lacks rights on the source",
                "this user cannot write to \"/data/standby\"",
                "a PostgreSQL server runs in \"/data/standby\"",
                "not enough disk space under \"/\"",
                "the PostgreSQL programs here are of another major version than the source",
                "rsync was not found on this host",
                "--verify-backup does not go with --method=rsync",
            ],
            Refusals(planned));
        Assert.All(((Planned.Refused)planned).Problems, problem => Assert.False(string.IsNullOrEmpty(problem.Hint)));
        Assert.Equal(ExitCode.BadConfig, ((Planned.Refused)planned).ExitCode);
    }

    public static TheoryData<TargetContent, string> Unfit { get; } = new()
    {
        { new TargetContent.Cluster(15, CloneWorld.System, 4711), "a PostgreSQL server runs in \"/data/standby\"" },
        { new TargetContent.Cluster(14, CloneWorld.System, null), "\"/data/standby\" holds a cluster of PostgreSQL 14" },
        { new TargetContent.Cluster(15, 1, null), "\"/data/standby\" holds another cluster" },
        { new TargetContent.Cluster(15, null, null), "the cluster in \"/data/standby\" cannot be identified" },
        { new TargetContent.Foreign(["thesis.tex"]), "\"/data/standby\" is not empty and holds no PostgreSQL cluster" },
        { new TargetContent.Unreadable("Permission denied"), "\"/data/standby\" cannot be looked into" },
        { new TargetContent.Unfinished(new UnfinishedClone(1, 15, CloneMethod.Rsync, []), false), "\"/data/standby\" holds an unfinished clone of another cluster" },
        { new TargetContent.Unfinished(new UnfinishedClone(CloneWorld.System, 15, CloneMethod.Rsync, []), true), "another repmgr is cloning into \"/data/standby\"" },
    };

    [Theory]
    [MemberData(nameof(Unfit), DisableDiscoveryEnumeration = true)]
    public void Force_does_not_override_what_would_lose_something_else(TargetContent content, string message)
    {
        foreach (CloneRequest request in new[] { Request, Rsync })
            Assert.Equal([message], Refusals(Plan(request with { Force = true }, target: Target with { Content = content })));
    }

    [Fact]
    public void An_old_copy_needs_force() => Assert.Equal(
        ["\"/data/standby\" holds a copy of this cluster already"], Refusals(Plan(target: Target with { Content = OldCopy })));

    [Theory]
    [InlineData(ExitCode.BadSsh, "\"node1\" cannot be reached with ssh")]
    [InlineData(ExitCode.BadRsync, "rsync was not found on \"node1\"")]
    public void One_kind_of_failure_keeps_its_own_exit_code(ExitCode code, string message)
    {
        RemoteView remote = code == ExitCode.BadSsh ? new RemoteView.Unreachable("ssh node1", "refused") : new RemoteView.NoRsync("not found");
        Planned planned = Plan(Rsync, tools: Tools with { Remote = remote });
        Assert.Equal([message], Refusals(planned));
        Assert.Equal(code, ((Planned.Refused)planned).ExitCode);
    }

    [Theory]
    [InlineData(13, "pg_start_backup(text, boolean, boolean)", "pg_stop_backup(boolean, boolean)")]
    [InlineData(18, "pg_backup_start(text, boolean)", "pg_backup_stop(boolean)")]
    public void Missing_rights_are_said_as_the_statements_that_give_them(int major, string start, string stop)
    {
        CloneSource source = Source with
        {
            Version = new PostgresVersion(major * 10000),
            Rights = new CloneRights("repmgr", false, false, false, false, "repmgr", false),
        };
        CloneTools tools = Tools with { Server = source.Version, BaseBackup = source.Version };
        Problem problem = Assert.Single(Assert.IsType<Planned.Refused>(Plan(Rsync, source, tools: tools)).Problems);
        Assert.Equal(
            "Run as a superuser in database \"metadata\" of the primary: ALTER ROLE \"repmgr\" REPLICATION; GRANT pg_read_all_settings TO \"repmgr\"; "
            + $"GRANT EXECUTE ON FUNCTION {start} TO \"repmgr\"; GRANT EXECUTE ON FUNCTION {stop} TO \"repmgr\";",
            problem.Hint);
    }

    [Theory]
    [InlineData("28000", ExitCode.BadConfig, "pg_hba.conf on node1")]
    [InlineData("28P01", ExitCode.MonitoringTimeoutOrBadPassword, "a line for replication names the database")]
    [InlineData(null, ExitCode.BadConfig, "the log of node1")]
    public void A_refused_replication_connection_is_told_with_what_to_do(string? sqlState, ExitCode code, string hint)
    {
        var refused = Assert.IsType<Planned.Refused>(Plan(source: Source with { ReplicationRefused = new ReplicationRefusal(sqlState, "no entry.") }));
        Assert.Equal(code, refused.ExitCode);
        Problem problem = Assert.Single(refused.Problems);
        Assert.Equal("A replication connection as the standby would make it was tried: no entry.", problem.Detail);
        Assert.Contains(hint, problem.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sender_that_is_missing_is_not_said_a_second_time_as_a_refused_connection() => Assert.Equal(
        ["the source has too few free WAL senders"],
        Refusals(Plan(source: Source with { MaxWalSenders = 0, ReplicationRefused = new ReplicationRefusal("53300", "too many") })));

    [Theory]
    [InlineData("--waldir=/wal/two", "/wal/two", false)]
    [InlineData("--waldir /wal/two/", "/wal/two", false)]
    [InlineData("--waldir=/wal/two", "/wal/three", true)]
    [InlineData("--waldir /wal/two", null, true)]
    public void The_place_of_an_old_copys_wal_is_not_named_to_pg_basebackup_again(string option, string? link, bool named)
    {
        CloneRequest request = Request with { Force = true, BaseBackupOptions = [.. option.Split(' '), "--no-manifest"] };
        var step = Assert.Single(Steps(Plan(request, target: Target with { Content = OldCopy, WalLink = link })).OfType<Step.CopyByBaseBackup>());
        Assert.Equal(named, step.Copy.Arguments.Any(argument => argument.Contains("wal/two", StringComparison.Ordinal)));
        Assert.Equal("--no-manifest", step.Copy.Arguments[^1]);
    }

    [Fact]
    public void A_directory_inside_another_cluster_is_refused() => Assert.Equal(
        ["\"/data/standby\" lies inside the data directory \"/data\" of another cluster"],
        Refusals(Plan(target: Target with { Inside = "/data" })));

    [Fact]
    public void Sizes_that_are_not_known_are_said()
    {
        var ready = Assert.IsType<Planned.Ready>(Plan(source: Source with { MainBytes = null, Tablespaces = [new TablespaceView(16400, "apart", "/apart", null)] }));
        Assert.Contains(ready.Notices, notice => notice.Message == "whether there is room for the data directory, tablespace \"apart\" was not checked");
    }

    [Fact]
    public void The_minimum_of_kept_wal_is_compared_as_a_number()
    {
        CloneRequest request = Rsync with { MinimumWalSegments = 5000 };
        Assert.Equal(["the source keeps too little WAL"], Refusals(Plan(request, Source with { WalKeepBytes = 4999L * (16 << 20) })));
        Step.CopyByRsync step = Assert.Single(
            Steps(Plan(request, Source with { WalKeepBytes = 5000L * (16 << 20), MaxReplicationSlots = 0 })).OfType<Step.CopyByRsync>());
        Assert.Equal(WalGuard.KeptWal, step.Copy.Guard);
    }

    [Fact]
    public void A_slot_in_use_or_of_another_kind_is_not_taken()
    {
        CloneRequest request = Request with { SlotName = "repmgr_slot_2" };
        Assert.Equal(["replication slot \"repmgr_slot_2\" on node1 is in use"], Refusals(Plan(request, Source with { Slots = [new SlotView("repmgr_slot_2", true, 99, false)] })));
        Assert.Equal(["replication slot \"repmgr_slot_2\" on node1 is a logical one"], Refusals(Plan(request, Source with { Slots = [new SlotView("repmgr_slot_2", false, null, false)] })));
        Assert.IsType<Planned.Ready>(Plan(request, Source with { MaxReplicationSlots = 1, Slots = [new SlotView("repmgr_slot_2", true, null, false)] }));
    }

    [Fact]
    public void A_tablespace_goes_where_the_mapping_says_and_is_refused_where_others_live()
    {
        CloneRequest request = Request with { TablespaceMappings = [new TablespaceMapping("/ts/a/", "/ts/b")] };
        CloneSource source = Source with { Tablespaces = [new TablespaceView(16400, "a", "/ts/a", 100)] };
        var room = new TargetRoom("/ts/b", "/ts", 1 << 30, 0);
        Step.CopyByBaseBackup copy = Assert.Single(
            Steps(Plan(request, source, Target with { Tablespaces = [new TargetTablespace(16400, room, null, false)] })).OfType<Step.CopyByBaseBackup>());
        Assert.Equal([new StagedTablespace(16400, "/ts/a", "/ts/b", "PG_15_202209061")], copy.Copy.Tablespaces);
        Assert.Equal(
            ["the tablespace directory \"/ts/b\" is in use"],
            Refusals(Plan(request, source, Target with { Tablespaces = [new TargetTablespace(16400, room, null, true)] })));
    }

    [Fact]
    public void Space_is_counted_per_file_system()
    {
        CloneSource source = Source with { Tablespaces = [new TablespaceView(16400, "a", "/ts/a", 3L << 30)] };
        CloneTarget target = Target with
        {
            Main = Target.Main with { FreeBytes = 2L << 30 },
            Tablespaces = [new TargetTablespace(16400, new TargetRoom("/ts/a", "/", 2L << 30, 0), null, false)],
        };
        Assert.Equal(["not enough disk space under \"/\""], Refusals(Plan(Request, source, target)));
        target = target with { Tablespaces = [new TargetTablespace(16400, new TargetRoom("/ts/a", "/ts", 4L << 30, 0), null, false)] };
        Assert.IsType<Planned.Ready>(Plan(Request, source, target));
    }

    [Theory]
    [InlineData("--size-only")]
    [InlineData("--update")]
    [InlineData("--max-size=1m")]
    public void Options_that_would_make_the_copy_differ_are_refused(string option) =>
        Assert.Equal([$"rsync_options must not contain \"{option}\""], Refusals(Plan(Rsync with { RsyncOptions = ["--compress", option] })));

    [Fact]
    public void The_operators_own_options_of_pg_basebackup_come_last()
    {
        CloneRequest request = Request with { SlotName = "s", MaxRateKilobytes = 2048, BaseBackupOptions = ["--wal-method=fetch", "--checkpoint=spread"] };
        Step.CopyByBaseBackup step = Assert.Single(Steps(Plan(request)).OfType<Step.CopyByBaseBackup>());
        Assert.Equal(
            ["--label=repmgr base backup", "--checkpoint=fast", "--no-password", "--slot=s", "--max-rate=2048", "--wal-method=fetch", "--checkpoint=spread"],
            step.Copy.Arguments);
    }

    [Fact]
    public void Configuration_outside_the_data_directory_is_told_of_or_copied()
    {
        CloneSource source = Source with { ConfigFile = "/etc/postgresql/15/main/postgresql.conf", HbaFile = "/etc/postgresql/15/main/pg_hba.conf" };
        Assert.Contains(
            Assert.IsType<Planned.Ready>(Plan(Request, source)).Notices,
            notice => notice.Message == "the source keeps configuration files outside its data directory, and they are not copied");
        Step.CopyConfigFiles step = Assert.Single(
            Steps(Plan(Request with { ExternalConfig = ExternalConfigCopy.PgData }, source)).OfType<Step.CopyConfigFiles>());
        Assert.Equal("/data/standby/repmgr_clone.staging/postgresql.conf", step.Files[0].To);
        step = Assert.Single(Steps(Plan(Rsync with { ExternalConfig = ExternalConfigCopy.SamePath }, source)).OfType<Step.CopyConfigFiles>());
        Assert.Equal("/etc/postgresql/15/main/postgresql.conf", step.Files[0].To);
    }
}
