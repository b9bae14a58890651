using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using static Repmgr.Tests.Cloning.CloneWorld;

namespace Repmgr.Tests.Cloning;

/// <summary>Method command: what runs, and what of its result is believed.</summary>
public sealed class CommandCloneTests
{
    private static readonly CloneRequest Restoring = Request with { Method = CloneMethod.Command, Command = "restore --to=%D", Force = true };

    [Fact]
    public void The_command_fills_a_directory_beside_and_an_old_copy_stays_until_then()
    {
        Assert.Equal(["BeginClone", "CopyByCommand", "ConfigureStandby", "FinishClone"], Names(Plan(Restoring)));
        Assert.Equal(
            ["BeginClone", "CopyByCommand", "ConfigureStandby", "ClearTarget", "FinishClone"], Names(Plan(Restoring, target: Target with { Content = OldCopy })));
        Assert.Equal(
            "fill \"/data/standby/repmgr_clone.staging\" with clone_command (restore --to=%D) and check what it left",
            Steps(Plan(Restoring))[1].Describe());
    }

    [Fact]
    public void Where_there_is_no_room_for_both_or_a_tablespace_the_old_copy_goes_first()
    {
        string[] cleared = ["BeginClone", "ClearTarget", "CopyByCommand", "ConfigureStandby", "FinishClone"];
        CloneTarget old = Target with { Content = OldCopy };
        Assert.Equal(cleared, Names(Plan(Restoring, target: old with { Main = Target.Main with { FreeBytes = 200L << 20, HeldBytes = 1L << 30 } })));
        Assert.Equal(cleared, Names(Plan(Restoring, Source with { Tablespaces = [new TablespaceView(1, "a", "/ts/a", 1)] }, old)));
    }

    [Fact]
    public void It_needs_its_setting_and_nothing_of_the_other_methods()
    {
        Assert.Equal(["\"clone_command\" is not set"], Refusals(Plan(Restoring with { Command = null })));
        CloneSource narrow = Source with { MaxReplicationSlots = 0, MaxWalSenders = 1, Rights = Source.Rights with { Superuser = false, BackupFunctions = false } };
        Assert.IsType<Planned.Ready>(Plan(Restoring, narrow, tools: new CloneTools(null, null, false, null)));
    }

    [Fact]
    public void Without_restore_command_it_is_said_that_the_copy_will_be_old() => Assert.Contains(
        Assert.IsType<Planned.Ready>(Plan(Restoring)).Notices, notice => notice.Message == "the copy will be as old as the backup that clone_command restores");

    [Fact]
    public void Placeholders_are_single_words_and_the_password_is_in_none()
    {
        Conninfo source = Conninfo.Empty.With("host", "node 1").With("port", "5433").With("user", "rep").With("dbname", "meta").With("password", "secret");
        HookCommand command = CloneCommandLine.Compose(
            "x %D '%a' \"%c\" %h %p %u %d %n %v %b 100%% %z", Request with { NodeName = "it's $(me)" }, new PostgresVersion(170002), source, "/data/with space", "/usr/bin");
        Assert.Equal(
            "x \"${REPMGR_DATA_DIRECTORY}\" ''\"${REPMGR_NODE_NAME}\"'' \"${REPMGR_SOURCE_CONNINFO}\" \"${REPMGR_SOURCE_HOST}\" \"${REPMGR_SOURCE_PORT}\" \"${REPMGR_SOURCE_USER}\""
            + " \"${REPMGR_SOURCE_DBNAME}\" \"${REPMGR_NODE_ID}\" \"${REPMGR_PG_MAJOR}\" \"${REPMGR_PG_BINDIR}\" 100% %z",
            command.Script);
        Assert.Equal("17", command.Environment["REPMGR_PG_MAJOR"]);
        Assert.Equal("it's $(me)", command.Environment["REPMGR_NODE_NAME"]);
        Assert.DoesNotContain(command.Environment.Values, value => value.Contains("secret", StringComparison.Ordinal));
    }

    private static readonly ExpectedCopy Expected = new("node1", CloneWorld.System, 15, [new StagedTablespace(16400, "/ts/a", "/ts/b", "PG_15_202209061")]);

    private static readonly RestoredCopy Whole = new(
        false, 15, CloneWorld.System, true, [], new Dictionary<uint, RestoredTablespace> { [16400] = new("/ts/b/", true) }, null);

    public static TheoryData<RestoredCopy, string> Unfit { get; } = new()
    {
        { Whole with { IsEmpty = true, Major = null }, "it put nothing there" },
        { Whole with { Major = null }, "there is no PG_VERSION: this is no data directory" },
        { Whole with { Major = 14 }, "it is of PostgreSQL 14, and node1 runs 15" },
        { Whole with { SystemIdentifier = null }, "global/pg_control is missing" },
        { Whole with { ControlFileIsWhole = false }, "global/pg_control is damaged" },
        { Whole with { SystemIdentifier = 1 }, "it is another cluster: its system identifier is 1, that of node1 is 7100000000000000001" },
        { Whole with { MissingDirectories = ["base"] }, "directory \"base\" is missing" },
        { Whole with { Tablespaces = new Dictionary<uint, RestoredTablespace> { [16400] = new("/ts/b", false) } }, "tablespace 16400 is not in \"/ts/b\"" },
        {
            Whole with { Tablespaces = new Dictionary<uint, RestoredTablespace> { [16400] = new("/ts/a", true) } },
            "tablespace 16400 is in \"/ts/a\" and not in \"/ts/b\", as tablespace_mapping has it"
        },
    };

    [Theory]
    [MemberData(nameof(Unfit), DisableDiscoveryEnumeration = true)]
    public void What_is_no_whole_copy_of_that_cluster_is_not_taken(RestoredCopy found, string fault) => Assert.Equal([fault], RestoredCopyCheck.Faults(Expected, found));

    [Fact]
    public void A_whole_copy_is_taken_and_a_fault_is_told_with_what_to_do()
    {
        Assert.Empty(RestoredCopyCheck.Faults(Expected, Whole));
        var copy = Assert.Single(Steps(Plan(Restoring)).OfType<Step.CopyByCommand>()).Copy;
        Assert.Null(RestoredCopyCheck.Problem(copy, Whole));
        Problem problem = RestoredCopyCheck.Problem(copy, Whole with { SystemIdentifier = null, MissingDirectories = ["base"] })!;
        Assert.Equal("clone_command left no whole copy of node1's cluster in \"/data/standby/repmgr_clone.staging\"", problem.Message);
        Assert.Equal("It ended with exit code 0, but global/pg_control is missing; directory \"base\" is missing.", problem.Detail);
        Assert.NotNull(problem.Hint);
    }
}
