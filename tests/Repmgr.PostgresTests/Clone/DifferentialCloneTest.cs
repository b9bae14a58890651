using System.Text.Json;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>Whatever became of an old copy, a clone onto it makes it the source's again, and <c>node verify</c> finds nothing left.</summary>
public sealed class DifferentialCloneTest : CloneTest
{
    [Theory, EveryMajor]
    public async Task A_file_level_copy_of_the_running_source_becomes_exact(int major)
    {
        var (source, target) = await FilledAsync(major);
        // What "cp -a" or a snapshot of a running server leaves: the source's own pid file, which names a process that lives, and a label
        // of a backup that ended long ago.
        await CopyFilesAsync(source, target);
        await File.WriteAllTextAsync(Path.Combine(target.DataDirectory, "backup_label"), "START WAL LOCATION: 0/2000028 (file 000000010000000000000002)\nCHECKPOINT LOCATION: 0/2000060\nBACKUP METHOD: streamed\nBACKUP FROM: primary\nLABEL: long ago\nSTART TIMELINE: 1\n", TestContext.Current.CancellationToken);
        await TestUser.GiveAsync(target.DataDirectory, target.User);
        Assert.True(File.Exists(Path.Combine(target.DataDirectory, "postmaster.pid")));
        await ChangeAsync(source);
        await BecomesExactAsync(target, source);
        Assert.DoesNotContain("long ago", string.Concat(Directory.EnumerateFiles(target.DataDirectory, "backup_label*").Select(File.ReadAllText)), StringComparison.Ordinal);
    }

    [Theory, EveryMajor]
    public async Task A_file_level_copy_of_the_stopped_source_becomes_exact(int major)
    {
        var (source, target) = await FilledAsync(major);
        await source.StopAsync();
        await CopyFilesAsync(source, target);
        await source.StartAsync();
        await ChangeAsync(source);
        await BecomesExactAsync(target, source);
    }

    [Theory, EveryMajor]
    public async Task A_standby_for_which_the_source_has_no_wal_any_more_becomes_exact(int major)
    {
        var (source, target) = await FilledAsync(major);
        (await CloneAsync(target, Clone(source))).ShouldSucceed();
        await StartsAndStreamsAsync(target, source);
        string needed = await source.QueryAsync<string>("select pg_walfile_name(pg_current_wal_lsn())");
        // As a power cut leaves it, with pages of all ages.
        await target.KillAsync();
        await ChangeAsync(source);
        Assert.False(File.Exists(Path.Combine(source.DataDirectory, "pg_wal", needed)), $"{needed} is still there");
        await target.StartAsync();
        await Eventually.TrueAsync(
            async () => (await File.ReadAllTextAsync(target.LogPath)).Contains("has already been removed", StringComparison.Ordinal), Seconds(30), "the standby asks for WAL in vain");
        await target.StopAsync();
        await BecomesExactAsync(target, source);
    }

    [Theory, EveryMajor]
    public Task A_clone_that_was_killed_as_soon_as_there_was_anything_becomes_exact(int major) => HalfFinishedAsync(major, _ => Task.FromResult("repmgr_clone.unfinished"));

    [Theory, EveryMajor]
    public Task A_clone_that_was_killed_among_its_files_becomes_exact(int major) => HalfFinishedAsync(major, source => source.QueryAsync<string>("select pg_relation_filepath('filling')"));

    [Theory, EveryMajor]
    public Task A_clone_that_was_killed_when_only_the_control_file_was_missing_becomes_exact(int major) => HalfFinishedAsync(major, _ => Task.FromResult("repmgr_clone.pg_control"));

    private async Task HalfFinishedAsync(int major, Func<TestServer, Task<string>> whenThereIs)
    {
        var (source, target) = await FilledAsync(major);
        await CloneRun.KillWhereAsync(target, await whenThereIs(source), Clone(source, "--max-rate=40M"));
        await CannotBeStartedAsync(target);
        Assert.Empty(Directory.EnumerateFiles(target.DataDirectory, "repmgr_clone.list*"));
        (await target.RepmgrAsync("-h", source.Address, "-p", $"{source.Port}", "node", "verify")).ShouldExit(1).ShouldSay("unfinished clone");
        await ChangeAsync(source);
        await BecomesExactAsync(target, source);
    }

    [Theory]
    [InlineData("direct")]
    [InlineData("basebackup")]
    public async Task What_the_old_copy_had_in_a_tablespace_that_was_dropped_goes_and_nothing_else_does(string method)
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        await DroppedTablespaceGoesAsync(source, target, $"--method={method}");
    }

    /// <summary>A copy of files made on one host has links to the original's tablespaces.</summary>
    [Theory]
    [InlineData("direct")]
    [InlineData("basebackup")]
    public async Task A_file_level_copy_whose_links_lead_to_the_source_s_own_tablespaces_leaves_these_alone(string method)
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        string there = await Lab.SubdirectoryAsync("there"), here = await Lab.SubdirectoryAsync("here");
        await FillAsync(source, 1000, there);
        await source.StopAsync();
        await CopyFilesAsync(source, target);
        await source.StartAsync();
        (await CloneAsync(target, Clone(source, "--force", $"--method={method}"))).ShouldExit(1).ShouldSay("is in use").ShouldSay("tablespace_mapping");
        await target.WriteConfAsync($"tablespace_mapping='{there}={here}'");
        (await CloneAsync(target, Clone(source, "--force", $"--method={method}"))).ShouldSucceed();
        Assert.Equal(1000L, await source.QueryAsync<long>("select count(*) from elsewhere"));
        await source.RestartAsync();
        Assert.Equal(1000L, await source.QueryAsync<long>("select count(*) from elsewhere"));
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "elsewhere");
    }

    private async Task<(TestServer Source, TestServer Target)> FilledAsync(int major)
    {
        var (source, target) = await OnLoopbackAsync(major);
        await source.ConfigureAsync("max_wal_size = 32MB", "wal_keep_size = 0", "autovacuum = off");
        await source.ReloadAsync();
        await FillAsync(source, 10_000);
        await source.ExecuteAsync("create index filling_g on filling (g); create table dropped as select g from generate_series(1, 5000) g; checkpoint");
        return (source, target);
    }

    private static async Task CopyFilesAsync(TestServer source, TestServer target)
    {
        (await source.RunAsync("cp", "-a", source.DataDirectory, target.DataDirectory)).ShouldSucceed();
        await TestUser.GiveAsync(target.DataDirectory, target.User);
    }

    /// <summary>Rows come, change and go, tables are rewritten and cut off, and the WAL that tells of it is recycled.</summary>
    private static async Task ChangeAsync(TestServer source)
    {
        await source.ExecuteAsync("update filling set text = 'changed' where g % 7 = 0; delete from filling where g > 9500; drop table dropped; create table added as select g from generate_series(1, 3000) g");
        await source.ExecuteAsync("vacuum filling");
        await source.ExecuteAsync("reindex table filling");
        for (int segment = 0; segment < 4; segment++)
        {
            await source.ExecuteAsync("update added set g = g + 1 where g < 10; select pg_switch_wal()");
            await source.ExecuteAsync("checkpoint");
        }
    }

    private static async Task BecomesExactAsync(TestServer target, TestServer source)
    {
        (await CloneAsync(target, Clone(source, "--force"))).ShouldSucceed();
        (await target.RunAsync(target.Major.Program("pg_verifybackup"), target.DataDirectory)).ShouldSucceed();
        await StartsAndStreamsAsync(target, source);
        foreach (string table in new[] { "filling", "added" })
            await SameRowsAsync(target, source, table);
        await SoundAsync(target, source);
        // A page whose hint bits were written to WAL since cannot be judged before the next checkpoint.
        await Eventually.TrueAsync(
            async () =>
            {
                await source.ExecuteAsync("checkpoint");
                string end = await source.QueryAsync<string>("select pg_current_wal_flush_lsn()::text");
                await Eventually.TrueAsync(() => target.QueryAsync<bool>($"select pg_last_wal_replay_lsn() >= '{end}'"), Seconds(30), "all is replayed");
                await target.ExecuteAsync("checkpoint");
                var verified = await target.RepmgrAsync("-h", source.Address, "-p", $"{source.Port}", "node", "verify", "--json");
                return JsonDocument.Parse(verified.ShouldSucceed().Stdout).RootElement.GetProperty("unsettled").GetArrayLength() == 0;
            },
            Seconds(60),
            "nothing differs, and all could be judged");
    }
}
