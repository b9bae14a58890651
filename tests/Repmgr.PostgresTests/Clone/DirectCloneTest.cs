using System.Text.Json;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

public sealed class DirectCloneTest : CloneTest
{
    [Theory, EveryMajor]
    public async Task A_busy_source_is_copied_whole_and_copied_again_by_difference(int major)
    {
        var (source, target) = await OnLoopbackAsync(major);
        await source.ConfigureAsync("max_wal_size = 32MB", "wal_keep_size = 0", "autovacuum = off");
        await source.ReloadAsync();
        string there = await Lab.SubdirectoryAsync("tablespace one");
        string here = await Lab.SubdirectoryAsync("tablespace 'zwei' \"ü\"");
        await FillAsync(source, 60_000, there);
        await source.ExecuteAsync("create unlogged table unlogged as select g from generate_series(1, 10000) g");
        await target.WriteConfAsync("use_replication_slots=yes", $"tablespace_mapping='{(there + "=" + here).Replace("'", "''", StringComparison.Ordinal)}'");

        using var stop = new CancellationTokenSource();
        Task busy = KeepBusyAsync(source, stop.Token);
        var first = await CloneAsync(target, Clone(source, "--jobs=3", "--json"));
        await stop.CancelAsync();
        await busy;
        JsonElement result = Result(first);
        Assert.Equal("direct", result.GetProperty("method").GetString());
        Assert.Equal(3, result.GetProperty("jobs").GetInt32());
        Assert.Equal(0, result.GetProperty("bytes_compared").GetInt64());
        await LeftBackupModeAsync(source);
        Assert.Empty(Directory.EnumerateFileSystemEntries(target.DataDirectory, "repmgr_clone*"));
        await IsProvenAsync(target);
        Assert.False(File.Exists(Path.Combine(target.DataDirectory, await source.QueryAsync<string>("select pg_relation_filepath('unlogged')"))));
        await StartsAndStreamsAsync(target, source);
        foreach (string table in new[] { "filling", "elsewhere", "busy" })
            await SameRowsAsync(target, source, table);
        await SoundAsync(target, source);

        await target.StopAsync();
        IReadOnlyList<string> extraneous = await SpoilAsync(target, source);
        await source.ExecuteAsync("checkpoint");
        PageDifference difference = PageDifference.Between(source.DataDirectory, target.DataDirectory).And(PageDifference.Between(there, here));
        result = Result(await CloneAsync(target, Clone(source, "--force", "--json")));
        Assert.InRange(result.GetProperty("bytes_compared").GetInt64(), difference.Bytes / 2, difference.Bytes);
        // Files that do not consist of pages are small, and come whole.
        Assert.True(result.GetProperty("bytes_moved").GetInt64() <= difference.Differing + (200 << 10), $"{result}; {difference}");
        Assert.All(extraneous, path => Assert.False(File.Exists(path)));
        await IsProvenAsync(target);
        await StartsAndStreamsAsync(target, source);
        foreach (string table in new[] { "filling", "elsewhere", "busy" })
            await SameRowsAsync(target, source, table);
        await SoundAsync(target, source);
        Assert.Equal(0L, await target.QueryAsync<long>("select count(*) from pg_stat_database where checksum_failures > 0"));
    }

    [Theory, EveryMajor]
    public async Task A_standby_is_copied_too(int major)
    {
        var cluster = await Lab.ClusterAsync(major, standbys: 1);
        await FillAsync(cluster.Primary, 1000);
        await SameRowsAsync(cluster.Standbys[0], cluster.Primary, "filling");
        var target = await Lab.EmptyServerAsync(major, 3);
        (await CloneAsync(target, Clone(cluster.Standbys[0]))).ShouldSucceed();
        Assert.Contains("BACKUP FROM: standby", File.ReadAllText(Path.Combine(target.DataDirectory, "backup_label")), StringComparison.Ordinal);
        await IsProvenAsync(target);
        await StartsAndStreamsAsync(target, cluster.Standbys[0]);
        await cluster.Primary.ExecuteAsync("create table later as select 1 as x");
        await SameRowsAsync(target, cluster.Primary, "later");
    }

    [Theory, EveryMajor]
    public async Task A_former_primary_that_went_its_own_way_becomes_a_copy_again(int major)
    {
        var cluster = await Lab.ClusterAsync(major, standbys: 1);
        var (old, now) = (cluster.Primary, cluster.Standbys[0]);
        await FillAsync(old, 10_000);
        await SameRowsAsync(now, old, "filling");
        (await now.RunAsync(now.Major.Program("pg_ctl"), "-D", now.DataDirectory, "-w", "promote")).ShouldSucceed();
        await now.ExecuteAsync("create table after_failover as select 42 as x; update filling set g = -g where g < 100");
        await old.ExecuteAsync("create table of_its_own as select 43 as x; update filling set g = 0 where g > 9000; delete from filling where g = 1");
        await old.KillAsync();
        (await CloneAsync(old, Clone(now, "--force"))).ShouldSucceed();
        await IsProvenAsync(old);
        await StartsAndStreamsAsync(old, now);
        await SameRowsAsync(old, now, "after_failover");
        await SameRowsAsync(old, now, "filling");
        Assert.Equal(0L, await old.QueryAsync<long>("select count(*) from pg_class where relname = 'of_its_own'"));
    }

    [Theory, EveryMajor]
    public async Task A_damaged_page_on_the_source_is_named_and_copied_only_on_request(int major)
    {
        var (source, target) = await OnLoopbackAsync(major);
        await source.StopAsync();
        // From 18 on initdb does it.
        if (major < 18)
            (await source.RunAsync(source.Major.Program("pg_checksums"), "-D", source.DataDirectory, "--enable")).ShouldSucceed();
        await source.StartAsync();
        Assert.Equal("on", await source.QueryAsync<string>("select current_setting('data_checksums')"));
        await FillAsync(source, 10_000);
        await source.ExecuteAsync("checkpoint");
        string path = await source.QueryAsync<string>("select pg_relation_filepath('filling')");
        await source.StopAsync();
        Damage(Path.Combine(source.DataDirectory, path), block: 7);
        await source.StartAsync();

        (await CloneAsync(target, Clone(source))).ShouldExit(ExitCode.BadBaseBackup).ShouldSay("a page on the source is damaged").ShouldSay($"block 7 of file \"{path}\"");
        await CannotBeStartedAsync(target);
        await LeftBackupModeAsync(source);
        (await CloneAsync(target, Clone(source))).ShouldExit(ExitCode.BadBaseBackup).ShouldSay($"block 7 of file \"{path}\"");
        (await CloneAsync(target, Clone(source, "--no-verify-checksums"))).ShouldSucceed();
        await IsProvenAsync(target);
        await StartsAndStreamsAsync(target, source);
    }

    [Theory, EveryMajor]
    public async Task Tablespaces_in_place_come_along(int major)
    {
        Assert.SkipUnless(major >= 15, "PostgreSQL 15 brought allow_in_place_tablespaces.");
        var (source, target) = await OnLoopbackAsync(major);
        await source.ExecuteAsync("alter system set allow_in_place_tablespaces = on");
        await source.ReloadAsync();
        await source.ExecuteAsync("create tablespace within location ''");
        await source.ExecuteAsync("create table inside tablespace within as select g from generate_series(1, 1000) g");
        (await CloneAsync(target, Clone(source, "--verify-backup"))).ShouldSucceed().ShouldSay("every file and all WAL are as the manifest says");
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "inside");
    }

    [Theory, EveryMajor]
    public async Task It_is_started_on_request_and_seen_to_stream(int major)
    {
        var (source, target) = await OnLoopbackAsync(major);
        string start = $"{target.Major.Program("pg_ctl")} -D {target.DataDirectory} -o \"-p {target.Port} -k {target.Directory}\" -w -l {target.LogPath} start";
        await target.WriteConfAsync($"service_start_command='{start}'");
        var plan = (await CloneAsync(target, Clone(source, "--start", "--dry-run", "--max-rate=1M"))).ShouldSucceed().ShouldSay("and wait until it streams from 127.0.0.1");
        Assert.Matches(@"copy 127\.0\.0\.1:[0-9]+ \([0-9]+ MB, at 1024 kB a second at least [0-9]+ s\) to", plan.Stdout);

        plan = (await CloneAsync(target, Clone(source, "--dry-run"))).ShouldSucceed();
        Assert.Matches(@"copy 127\.0\.0\.1:[0-9]+ \([0-9]+ MB, about [0-9]+ s by a short test read\) to", plan.Stdout);

        var result = (await CloneAsync(target, Clone(source, "--start", "--progress=json"))).ShouldSucceed().ShouldSay("and streams from 127.0.0.1").ShouldSay("the standby is running");
        await target.StreamsFromAsync(source);
        JsonElement[] lines = [.. result.Stderr.Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal("waiting for the source's checkpoint", lines[0].GetProperty("phase").GetString());
        JsonElement last = lines.Last(line => line.GetProperty("phase").GetString() == "copying");
        Assert.Equal(last.GetProperty("bytes_total").GetInt64(), last.GetProperty("bytes_done").GetInt64());
    }

    private static JsonElement Result(ProgramResult result) => JsonDocument.Parse(result.ShouldSucceed().Stdout).RootElement;

    /// <summary>PostgreSQL's own judgement of a copy that was not started yet.</summary>
    private static async Task IsProvenAsync(TestServer target) =>
        (await target.RunAsync(target.Major.Program("pg_verifybackup"), target.DataDirectory)).ShouldSucceed();

    private static void Damage(string path, int block)
    {
        using FileStream file = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = (block * 8192) + 5000;
        int value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 16));
    }
}
