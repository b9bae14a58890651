using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;
using static Repmgr.Tests.Cloning.CloneWorld;

namespace Repmgr.Tests.Cloning;

/// <summary>An incremental backup on top of earlier ones.</summary>
public sealed class IncrementalChainTests
{
    private static readonly CloneSource Source17 = Source with { Version = new PostgresVersion(170002), SummarizeWal = true };

    private static readonly CloneTools Tools17 = Tools with { Server = Source17.Version, BaseBackup = Source17.Version, CombineBackup = true };

    private static readonly EarlierBackup Full = Backup("/backup/sunday", new BackupLabel(new Lsn(0x100), 1));

    private static readonly EarlierBackup Monday = Backup("/backup/monday", new BackupLabel(new Lsn(0x200), 1) { IncrementalFrom = new Lsn(0x100) });

    private static readonly EarlierBackup Tuesday = Backup("/backup/tuesday", new BackupLabel(new Lsn(0x300), 1) { IncrementalFrom = new Lsn(0x200) });

    [Fact]
    public void What_has_changed_goes_beside_and_all_is_combined_in_order()
    {
        Planned planned = OnTop(Full, Monday);
        Assert.Equal(["BeginClone", "CopyByBaseBackup", "CombineBackups", "VerifyCopy", "ConfigureStandby", "FinishClone"], Names(planned));
        BaseBackupCopy fetched = Assert.IsType<Step.CopyByBaseBackup>(Steps(planned)[1]).Copy;
        Assert.Equal("/data/standby/repmgr_clone.incremental", fetched.Staging);
        Assert.Contains("--incremental=/backup/monday/backup_manifest", fetched.Arguments);
        Assert.Equal("/ts/a/repmgr_clone.incremental", fetched.StagingOf(new StagedTablespace(1, "/ts", "/ts/a/", "PG_17")));
        CombineCopy combined = Assert.IsType<Step.CombineBackups>(Steps(planned)[2]).Copy;
        Assert.Equal(["/backup/sunday", "/backup/monday"], combined.Earlier);
        Assert.Equal(fetched.Staging, combined.Incremental);
        Assert.Equal("/data/standby/repmgr_clone.staging", combined.Staging);
        Assert.Equal(
            "combine \"/backup/sunday\", \"/backup/monday\" and what has changed since into \"/data/standby/repmgr_clone.staging\" with pg_combinebackup", Steps(planned)[2].Describe());
    }

    [Fact]
    public void Nothing_is_combined_unless_asked() => Assert.Equal(
        ["BeginClone", "CopyByBaseBackup", "ConfigureStandby", "FinishClone"], Names(Plan(Request, Source17, tools: Tools17)));

    public static TheoryData<EarlierBackup[], string> Unfit { get; } = new()
    {
        { [Full with { Major = null }], "there is no backup in \"/backup/sunday\"" },
        { [Full with { SystemIdentifier = null }], "there is no backup in \"/backup/sunday\"" },
        { [Full with { SystemIdentifier = 1 }], "the backup in \"/backup/sunday\" is of another cluster" },
        { [Full with { Major = 16 }], "the backup in \"/backup/sunday\" is of PostgreSQL 16" },
        { [Full with { HasManifest = false }], "the backup in \"/backup/sunday\" has no backup_manifest" },
        { [Full with { Label = null }], "the backup in \"/backup/sunday\" has no backup_label" },
        { [Monday], "the backup in \"/backup/monday\" is an incremental one" },
        { [Full, Full with { Directory = "/backup/other" }], "the backup in \"/backup/other\" is a full one" },
        { [Full, Tuesday], "the backup in \"/backup/tuesday\" is not built on the one in \"/backup/sunday\"" },
    };

    [Theory]
    [MemberData(nameof(Unfit), DisableDiscoveryEnumeration = true)]
    public void A_chain_that_does_not_hold_is_named_where_it_breaks(EarlierBackup[] chain, string message) => Assert.Equal([message], Refusals(OnTop(chain)));

    [Fact]
    public void A_chain_that_holds_may_be_long() => Assert.IsType<Planned.Ready>(OnTop(Full, Monday, Tuesday));

    [Fact]
    public void What_the_source_or_this_host_lacks_is_said_together()
    {
        CloneRequest request = Asking([Full]) with { BaseBackupOptions = ["--waldir=/wal"] };
        Assert.Equal(
            ["\"summarize_wal\" is off on the source", "--waldir and --incremental-from exclude each other", "pg_combinebackup was not found"],
            Refusals(Plan(request, Source17 with { SummarizeWal = false }, Target with { EarlierBackups = [Full] }, Tools17 with { CombineBackup = false })));
        Assert.Equal(["the source cannot make incremental backups"], Refusals(Plan(request, target: Target with { EarlierBackups = [Full] })));
    }

    [Fact]
    public void A_label_says_what_an_incremental_backup_is_built_on()
    {
        const string Text = "START WAL LOCATION: 0/5000028 (file 000000010000000000000005)\nCHECKPOINT LOCATION: 0/5000080\nBACKUP METHOD: streamed\n"
            + "BACKUP FROM: primary\nSTART TIME: 2026-11-24 11:00:00 UTC\nLABEL: x\nSTART TIMELINE: 1\nINCREMENTAL FROM LSN: 0/2000028\nINCREMENTAL FROM TLI: 1\n";
        Assert.Equal(new Lsn(0x200_0028), BackupLabel.TryRead(Text)!.IncrementalFrom);
    }

    private static EarlierBackup Backup(string directory, BackupLabel label) => new(directory, 17, CloneWorld.System, true, label);

    private static CloneRequest Asking(EarlierBackup[] chain) => Request with { VerifyBackup = true, EarlierBackups = [.. chain.Select(backup => backup.Directory)] };

    private static Planned OnTop(params EarlierBackup[] chain) => Plan(Asking(chain), Source17, Target with { EarlierBackups = chain }, Tools17);
}
