using System.Text.Json;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>A clone on top of backups that are on this host already: only what has changed since crosses the network.</summary>
public sealed class IncrementalCloneTest : CloneTest
{
    public static TheoryData<int> Majors { get; } = [.. PostgresMajor.Wanted.Where(major => major >= 17)];

    public static TheoryData<int> OlderMajors { get; } = [.. PostgresMajor.Wanted.Where(major => major < 17)];

    [Theory, MemberData(nameof(Majors))]
    public async Task A_chain_of_backups_and_what_has_changed_since_become_a_standby(int major)
    {
        var (source, target, there, here) = await SummarizingAsync(major);
        string sunday = await BackupAsync(source, target, "sunday", there);
        await source.ExecuteAsync("update filling set text = 'monday' where g <= 10; create table monday as select g from generate_series(1, 10) g");
        string monday = await BackupAsync(source, target, "monday", there, on: sunday);
        await source.ExecuteAsync("update filling set text = 'tuesday' where g between 20 and 30; drop table monday; create table tuesday tablespace apart as select 1 as x");

        (await CloneAsync(target, OnTop(source, sunday, monday, "--dry-run"))).ShouldSucceed()
            .ShouldSay($"combine \"{sunday}\", \"{monday}\" and what has changed since into \"{target.DataDirectory}/repmgr_clone.staging\" with pg_combinebackup");
        var run = await CloneAsync(target, OnTop(source, sunday, monday, "--verify-backup", "--json"));

        JsonElement result = ResultOf(run, "basebackup");
        run.ShouldSay("{\"phase\":\"combining\",\"bytes_done\":");
        Assert.InRange(result.GetProperty("bytes_moved").GetInt64(), 1, result.GetProperty("bytes_total").GetInt64() / 3);
        Assert.Empty(Directory.EnumerateFileSystemEntries(target.DataDirectory, "repmgr_clone*"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(here, "repmgr_clone*"));
        await StartsAndStreamsAsync(target, source);
        foreach (string table in new[] { "filling", "elsewhere", "tuesday" })
            await SameRowsAsync(target, source, table);
        Assert.Equal(here, new FileInfo(Assert.Single(Directory.EnumerateFileSystemEntries(Path.Combine(target.DataDirectory, "pg_tblspc")))).LinkTarget);

        // The backups are as they were: the next clone may build on them again.
        foreach (string backup in new[] { sunday, monday })
            (await target.RunAsync(target.Major.Program("pg_verifybackup"), backup)).ShouldSucceed();
    }

    [Theory, MemberData(nameof(Majors))]
    public async Task A_damaged_earlier_backup_replaces_nothing(int major)
    {
        var (source, target, there, _) = await SummarizingAsync(major);
        string sunday = await BackupAsync(source, target, "sunday", there);
        string relation = Path.Combine(sunday, await source.QueryAsync<string>("select pg_relation_filepath('filling')"));
        await using (var file = new FileStream(relation, FileMode.Open))
        {
            file.Position = 3 * 8192 + 100;
            file.WriteByte(0xEE);
        }

        (await CloneAsync(target, OnTop(source, sunday, null, "--verify-backup"))).ShouldExit(ExitCode.BadBaseBackup).ShouldSay("the copy differs from the");
        await CannotBeStartedAsync(target);
        (await CloneAsync(target, Clone(source, "--method=basebackup"))).ShouldSucceed().ShouldSay("is continued");
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "filling");
    }

    [Theory, MemberData(nameof(Majors))]
    public async Task What_cannot_be_built_on_is_refused_before_anything_is_touched(int major)
    {
        var (source, target, there, _) = await SummarizingAsync(major);
        string sunday = await BackupAsync(source, target, "sunday", there);
        string monday = await BackupAsync(source, target, "monday", there, on: sunday);
        (await CloneAsync(target, OnTop(source, monday, null))).ShouldExit(ExitCode.BadConfig).ShouldSay($"the backup in \"{monday}\" is an incremental one");
        (await CloneAsync(target, OnTop(source, "/nowhere", null))).ShouldExit(ExitCode.BadConfig).ShouldSay("there is no backup in \"/nowhere\"");
        await source.ExecuteAsync("alter system set summarize_wal = off");
        await source.ReloadAsync();
        await Eventually.EqualAsync("off", () => source.QueryAsync<string>("show summarize_wal"), Seconds(10), "summarize_wal");
        (await CloneAsync(target, OnTop(source, sunday, null))).ShouldExit(ExitCode.BadConfig).ShouldSay("\"summarize_wal\" is off on the source");
        Assert.False(Directory.Exists(target.DataDirectory));
    }

    [Theory, MemberData(nameof(Majors))]
    public async Task Killed_while_it_fetches_it_cannot_be_started_and_the_next_clone_of_whatever_method_leaves_nothing_of_it(int major)
    {
        var (source, target, there, here) = await SummarizingAsync(major);
        string sunday = await BackupAsync(source, target, "sunday", there);
        await source.ExecuteAsync("create table monday as select g, repeat('x', 500) as wide from generate_series(1, 20000) g");
        var run = CloneRun.Start(target, OnTop(source, sunday, null, "--max-rate=4M"));
        Assert.True(await run.KillAsync("repmgr", () => Task.FromResult(File.Exists(Path.Combine(target.DataDirectory, "repmgr_clone.incremental", "backup_label")))));
        await run.Ended;
        await LeftBackupModeAsync(source);
        await CannotBeStartedAsync(target);

        (await CloneAsync(target, Clone(source))).ShouldSucceed().ShouldSay("is continued");
        Assert.Empty(Directory.EnumerateFileSystemEntries(target.DataDirectory, "repmgr_clone*"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(here, "repmgr_clone*"));
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "monday");
    }

    [Theory, MemberData(nameof(Majors))]
    public async Task Killed_while_it_combines_it_cannot_be_started_and_the_next_run_completes(int major)
    {
        var (source, target, there, here) = await SummarizingAsync(major);
        string sunday = await BackupAsync(source, target, "sunday", there);
        await source.ExecuteAsync("update filling set text = 'monday' where g <= 10");
        await CloneRun.KillWhereAsync(target, "repmgr_clone.staging/base", OnTop(source, sunday, null));
        await CannotBeStartedAsync(target);
        await LeftBackupModeAsync(source);

        (await CloneAsync(target, OnTop(source, sunday, null, "--verify-backup"))).ShouldSucceed().ShouldSay("is continued");
        Assert.Empty(Directory.EnumerateFileSystemEntries(target.DataDirectory, "repmgr_clone*"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(here, "repmgr_clone*"));
        await StartsAndStreamsAsync(target, source);
        foreach (string table in new[] { "filling", "elsewhere" })
            await SameRowsAsync(target, source, table);
        (await target.RunAsync(target.Major.Program("pg_verifybackup"), sunday)).ShouldSucceed();
    }

    /// <summary>What was fetched and what it is combined into do not fit together, where the whole copy alone would.</summary>
    [Theory, MemberData(nameof(Majors))]
    public async Task A_disk_that_is_full_when_backups_are_combined_is_an_error_and_a_full_copy_goes_on_there(int major)
    {
        var (source, target) = await OnHostsAsync(major);
        await source.ConfigureAsync("summarize_wal = on");
        await source.RestartAsync();
        string sunday = Path.Combine(target.Directory, "sunday");
        (await target.RunAsync(target.Major.Program("pg_basebackup"), "-h", source.Address, "-U", "repmgr", "-c", "fast", "-D", sunday)).ShouldSucceed();
        await source.ExecuteAsync("create table monday as select g, repeat(md5(g::text), 30) as wide from generate_series(1, 80000) g");
        long bytes = await source.QueryAsync<long>("select sum(pg_database_size(oid))::bigint from pg_database");
        await target.Host!.MountAsync(target.DataDirectory, $"{(bytes >> 20) + 70}m", target.User);

        (await CloneAsync(target, OnTop(source, sunday, null))).ShouldExit(ExitCode.BadBaseBackup)
            .ShouldSay("there is no space left for the copy").ShouldSay("could not write").ShouldSay("leave --incremental-from out");
        await CannotBeStartedAsync(target);
        (await CloneAsync(target, Clone(source, "--method=basebackup"))).ShouldSucceed().ShouldSay("is continued");
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "monday");
    }

    [Theory, MemberData(nameof(OlderMajors))]
    public async Task An_older_server_is_refused_with_what_to_do_instead(int major)
    {
        var (source, target) = await OnLoopbackAsync(major);
        (await CloneAsync(target, OnTop(source, "/backup", null))).ShouldExit(ExitCode.BadConfig)
            .ShouldSay("the source cannot make incremental backups").ShouldSay("Leave --incremental-from out");
        Assert.False(Directory.Exists(target.DataDirectory));
    }

    private async Task<(TestServer Source, TestServer Target, string There, string Here)> SummarizingAsync(int major)
    {
        var source = await Lab.ServerAsync(major);
        await source.ConfigureAsync("summarize_wal = on");
        await source.StartAsync();
        string there = await Lab.SubdirectoryAsync("tablespace on=node1");
        string here = await Lab.SubdirectoryAsync("tablespace on node2");
        await FillAsync(source, 20_000, there);
        var target = await Lab.EmptyServerAsync(major, 2);
        await target.WriteConfAsync($"tablespace_mapping='{there.Replace("=", "\\\\=", StringComparison.Ordinal)}={here}'");
        return (source, target, there, here);
    }

    private async Task<string> BackupAsync(TestServer source, TestServer target, string name, string tablespace, string? on = null)
    {
        string directory = Path.Combine(target.Directory, name);
        string own = await Lab.SubdirectoryAsync($"tablespace of {name}");
        (await target.RunAsync(target.Major.Program("pg_basebackup"),
        [
            "-h", source.Address, "-p", $"{source.Port}", "-U", "repmgr", "-c", "fast", "-D", directory,
            $"--tablespace-mapping={tablespace.Replace("=", "\\=", StringComparison.Ordinal)}={own}",
            .. on is null ? Array.Empty<string>() : [$"--incremental={on}/backup_manifest"],
        ])).ShouldSucceed();
        return directory;
    }

    private static string[] OnTop(TestServer source, string full, string? next, params string[] more) =>
        Clone(source, ["--method=basebackup", $"--incremental-from={full}{(next is null ? "" : "," + next)}", .. more]);
}
