using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>Killed anywhere, the source is out of backup mode, the target cannot be started, and the same command again completes it.</summary>
public sealed class InterruptedCloneTest : CloneTest
{
    public static TheoryData<string> RsyncPoints { get; } = ["repmgr_clone.unfinished", "base/1/PG_VERSION", "pg_xact", "repmgr_clone.pg_control", "backup_label"];

    [Theory]
    [MemberData(nameof(RsyncPoints))]
    public async Task Repmgr_is_killed_while_rsync_copies(string whenThereIs)
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        await FillAsync(source, 20_000);
        await CloneRun.KillWhereAsync(target, whenThereIs, Clone(source, "--method=rsync", "-I", "--max-rate=8M"));
        await LeftBackupModeAsync(source);
        await CannotBeStartedAsync(target);
        (await CloneAsync(target, Clone(source, "--method=rsync", "-I"))).ShouldSucceed().ShouldSay("is continued");
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "filling");
    }

    public static TheoryData<string> BaseBackupPoints { get; } = ["repmgr_clone.unfinished", "repmgr_clone.staging/backup_label", "repmgr_clone.staging/base/1/PG_VERSION"];

    [Theory]
    [MemberData(nameof(BaseBackupPoints))]
    public async Task Repmgr_is_killed_while_pg_basebackup_copies(string whenThereIs)
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        await FillAsync(source, 20_000);
        await CloneRun.KillWhereAsync(target, whenThereIs, BaseBackup(source, "--max-rate=8M"));
        await LeftBackupModeAsync(source);
        await CannotBeStartedAsync(target);
        (await CloneAsync(target, BaseBackup(source))).ShouldSucceed().ShouldSay("is continued");
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "filling");
    }

    [Fact]
    public async Task Rsync_is_killed()
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        await FillAsync(source, 20_000);
        var run = CloneRun.Start(target, Clone(source, "--method=rsync", "-I", "--max-rate=8M"));
        Assert.True(await run.KillAsync("rsync", () => Task.FromResult(File.Exists(Path.Combine(target.DataDirectory, "base", "1", "PG_VERSION")))));
        Assert.NotEqual(0, (await run.Ended).ExitCode);
        await LeftBackupModeAsync(source);
        await CannotBeStartedAsync(target);
        (await CloneAsync(target, Clone(source, "--method=rsync", "-I"))).ShouldSucceed();
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "filling");
    }

    [Theory, EveryMajor]
    public async Task The_session_of_the_backup_is_ended_on_the_source(int major)
    {
        var (source, target) = await OnLoopbackAsync(major);
        await SessionEndsAsync(source, target, ExitCode.DbQuery, "--method=direct", "--max-rate=16M");
    }

    [Fact]
    public async Task The_session_of_the_backup_is_ended_while_rsync_copies()
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        await SessionEndsAsync(source, target, ExitCode.BadPidFileOrStopBackup, "--method=rsync", "-I", "--max-rate=8M");
    }

    private static async Task SessionEndsAsync(TestServer source, TestServer target, ExitCode code, params string[] how)
    {
        await FillAsync(source, 20_000);
        var run = CloneRun.Start(target, Clone(source, how));
        await Eventually.TrueAsync(() => Task.FromResult(Directory.Exists(Path.Combine(target.DataDirectory, "base", "1"))), Seconds(60), "files arrive");
        // Those that read files go on: it is the one that holds backup mode that is missed.
        await source.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'repmgr' and query ~ 'pg_(backup_start|start_backup)|system_identifier|SELECT 1' and query !~ 'pg_read_binary_file' and pid <> pg_backend_pid()");
        (await run.Ended).ShouldExit(code);
        await LeftBackupModeAsync(source);
        await CannotBeStartedAsync(target);
        (await CloneAsync(target, Clone(source, how[..^1]))).ShouldSucceed().ShouldSay("is continued");
        await StartsAndStreamsAsync(target, source);
    }

    [Theory]
    [InlineData("direct", "", ExitCode.DbQuery)]
    [InlineData("rsync", "base/1/PG_VERSION", ExitCode.BadPidFileOrStopBackup)]
    [InlineData("basebackup", "repmgr_clone.staging/base/1/PG_VERSION", ExitCode.BadBaseBackup)]
    public async Task The_server_that_is_copied_is_killed(string method, string whenThereIs, ExitCode code)
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        await FillAsync(source, 20_000);
        // The largest file comes first.
        whenThereIs = method == "direct" ? await source.QueryAsync<string>("select pg_relation_filepath('filling')") : whenThereIs;
        var run = CloneRun.Start(target, Clone(source, $"--method={method}", "--max-rate=4M"));
        await Eventually.TrueAsync(
            () => Task.FromResult(run.Ended.IsCompleted || Path.Exists(Path.Combine(target.DataDirectory, whenThereIs))), Seconds(60), "files arrive");
        await source.KillAsync();
        (await run.Ended).ShouldExit(code).ShouldSay("un the command again");
        await CannotBeStartedAsync(target);
        await source.StartAsync();
        await LeftBackupModeAsync(source);
        Assert.False(File.Exists(Path.Combine(source.DataDirectory, "backup_label")));
        (await CloneAsync(target, Clone(source, $"--method={method}"))).ShouldSucceed().ShouldSay("is continued");
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "filling");
    }

    [Fact]
    public async Task A_second_clone_into_the_same_directory_is_refused_while_the_first_is_at_work()
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        await FillAsync(source, 20_000);
        var run = CloneRun.Start(target, BaseBackup(source, "--max-rate=8M"));
        await Eventually.TrueAsync(() => Task.FromResult(Directory.Exists(Path.Combine(target.DataDirectory, "repmgr_clone.staging", "base", "1"))), Seconds(60), "files arrive");
        (await CloneAsync(target, BaseBackup(source, "--force"))).ShouldExit(ExitCode.BadConfig).ShouldSay("another repmgr is cloning into");
        (await run.Ended).ShouldSucceed();
        await StartsAndStreamsAsync(target, source);
    }

    [Fact]
    public async Task An_old_primary_whose_forced_clone_is_killed_cannot_be_started()
    {
        var hosts = await Lab.HostsAsync("node1", "node2");
        var now = await Lab.ServerAsync(PostgresMajor.Default, 1, hosts[0]);
        var old = await Lab.ServerAsync(PostgresMajor.Default, 2, hosts[1]);
        await now.StartAsync();
        await FillAsync(now, 20_000);
        var run = CloneRun.Start(old, Clone(now, "--method=rsync", "-I", "--force", "--max-rate=4M"));
        Assert.True(await run.KillAsync("repmgr", () => Task.FromResult(!File.Exists(Path.Combine(old.DataDirectory, "global", "pg_control")))));
        await run.Ended;
        await CannotBeStartedAsync(old);
        (await CloneAsync(old, Clone(now, "--method=rsync", "-I"))).ShouldSucceed();
        await StartsAndStreamsAsync(old, now);
        await SameRowsAsync(old, now, "filling");
    }
}
