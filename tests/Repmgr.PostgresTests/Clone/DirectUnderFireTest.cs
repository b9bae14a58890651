using System.Globalization;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>The direct method while everything around it changes, or is killed.</summary>
public sealed class DirectUnderFireTest : CloneTest
{
    [Theory, EveryMajor]
    public async Task Files_come_go_grow_shrink_and_are_rewritten_while_they_are_copied(int major)
    {
        var (source, target) = await OnLoopbackAsync(major);
        await source.ConfigureAsync("max_wal_size = 32MB", "wal_keep_size = 0", "autovacuum_naptime = 1s", major >= 15 ? "allow_in_place_tablespaces = on" : "");
        await source.ReloadAsync();
        await source.ExecuteAsync("create table rewritten as select g, repeat('x', 200) as wide from generate_series(1, 30000) g; create index on rewritten (g); create table emptied (x int)");
        string pgbench = source.Major.Program("pgbench");
        string[] server = ["-h", source.Directory, "-p", source.Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres", "repmgr"];
        (await source.RunAsync(pgbench, ["-i", "-q", "-s", "4", .. server])).ShouldSucceed();
        await target.WriteConfAsync("use_replication_slots=yes");

        using var stop = new CancellationTokenSource();
        Task<ProgramResult> load = source.RunAsync(pgbench, ["-c", "2", "-n", "-T", "20", .. server]);
        Task[] changes =
        [
            RepeatAsync(source, stop.Token, "vacuum full rewritten", "reindex table rewritten", "update rewritten set wide = repeat('y', 150) where g % 3 = 0"),
            RepeatAsync(source, stop.Token, "insert into emptied select generate_series(1, 50000)", "truncate emptied", "insert into emptied values (1)"),
            RepeatAsync(source, stop.Token, "drop database if exists passing", "create database passing template template0", "checkpoint"),
            RepeatAsync(source, stop.Token, major >= 15 ? ["create tablespace passing location ''", "create table apart tablespace passing as select 1 as x", "drop table apart", "drop tablespace passing"] : ["vacuum"]),
            RepeatAsync(source, stop.Token, "create unlogged table flipping as select generate_series(1, 20000) g", "alter table flipping set logged", "alter table flipping set unlogged", "drop table flipping"),
        ];
        var first = await CloneAsync(target, Clone(source, "--jobs=3", "--max-rate=40M"));
        first.ShouldSucceed();
        (await target.RunAsync(target.Major.Program("pg_verifybackup"), target.DataDirectory)).ShouldSucceed();
        (await CloneAsync(target, Clone(source, "--force"))).ShouldSucceed();
        (await target.RunAsync(target.Major.Program("pg_verifybackup"), target.DataDirectory)).ShouldSucceed();
        await stop.CancelAsync();
        await Task.WhenAll(changes);
        (await load).ShouldSucceed();

        await StartsAndStreamsAsync(target, source);
        foreach (string table in new[] { "rewritten", "emptied", "pgbench_accounts", "pgbench_branches", "pgbench_tellers", "pgbench_history" })
            await SameRowsAsync(target, source, table);
        await SoundAsync(target, source);
    }

    [Theory, EveryMajor]
    public async Task A_source_that_is_promoted_meanwhile_is_noticed(int major)
    {
        var cluster = await Lab.ClusterAsync(major, standbys: 1);
        var standby = cluster.Standbys[0];
        await FillAsync(cluster.Primary, 20_000);
        await SameRowsAsync(standby, cluster.Primary, "filling");
        var target = await Lab.EmptyServerAsync(major, 3);
        string first = await standby.QueryAsync<string>("select pg_relation_filepath('filling')");
        var run = CloneRun.Start(target, Clone(standby, "--max-rate=4M"));
        await Eventually.TrueAsync(() => Task.FromResult(run.Ended.IsCompleted || File.Exists(Path.Combine(target.DataDirectory, first))), Seconds(60), "files arrive");
        (await standby.RunAsync(standby.Major.Program("pg_ctl"), "-D", standby.DataDirectory, "-w", "promote")).ShouldSucceed();
        (await run.Ended).ShouldExit(ExitCode.BadPidFileOrStopBackup).ShouldSay("was promoted").ShouldSay("Run the command again");
        await CannotBeStartedAsync(target);
        (await CloneAsync(target, Clone(standby))).ShouldSucceed().ShouldSay("is continued");
        await StartsAndStreamsAsync(target, standby);
        await SameRowsAsync(target, standby, "filling");
    }

    /// <summary>Many on one major, some on each other.</summary>
    public static TheoryData<int, int, int> Kills { get; } =
        [.. PostgresMajor.Wanted.Select(major => new TheoryDataRow<int, int, int>(major, 20261124 + major - PostgresMajor.Default, major == PostgresMajor.Default ? 30 : 6))];

    /// <summary>The seed is in the name, so that a failure can be repeated as far as chance lets it.</summary>
    [Theory, MemberData(nameof(Kills))]
    public async Task Killed_at_any_moment_the_source_is_clean_and_the_next_run_completes(int major, int seed, int kills)
    {
        var (source, target) = await OnLoopbackAsync(major);
        await FillAsync(source, 20_000);
        await target.WriteConfAsync("use_replication_slots=yes");
        var chance = new Random(seed);
        long longest = (long)(await CloneAsync(target, Clone(source))).ShouldSucceed().Took.TotalMilliseconds;
        int midway = 0;
        for (int kill = 0; kill < kills; kill++)
        {
            if (kill % 3 == 0)
                Directory.Delete(target.DataDirectory, recursive: true);
            var run = CloneRun.Start(target, Clone(source, "--force"));
            // The moment is left to chance.
            await Task.Delay(TimeSpan.FromMilliseconds(chance.NextInt64(longest)), TestContext.Current.CancellationToken);
            bool client = kill % 2 == 0;
            if (client)
                await run.KillAsync("repmgr", () => Task.FromResult(true));
            else
                await source.KillAsync();
            ProgramResult ended = await run.Ended;
            if (!client)
                await source.StartAsync();
            await LeftBackupModeAsync(source);
            Assert.False(File.Exists(Path.Combine(source.DataDirectory, "backup_label")));
            bool whole = File.Exists(Path.Combine(target.DataDirectory, "global", "pg_control"));
            midway += Directory.Exists(target.DataDirectory) && !whole ? 1 : 0;
            if (whole)
                Assert.True(await IsProvenAsync(target), ended.ToString());
            else if (Directory.Exists(target.DataDirectory))
                await CannotBeStartedAsync(target);
        }

        // Of a few, chance may have hit none.
        Assert.True(kills < 10 || midway > kills / 5, $"only {midway} of {kills} were killed midway");
        Assert.Equal(1L, await source.QueryAsync<long>("select count(*) from pg_replication_slots"));
        (await CloneAsync(target, Clone(source, "--force"))).ShouldSucceed();
        Assert.True(await IsProvenAsync(target));
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "filling");
        await SoundAsync(target, source);
    }

    /// <summary>What a run that was killed at its very beginning or end has put beside the copy is no part of it.</summary>
    private static async Task<bool> IsProvenAsync(TestServer target) => (await target.RunAsync(
        target.Major.Program("pg_verifybackup"),
        [
            .. new[] { "postgresql.conf", "postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf" }.Select(name => $"{name}.before_clone").Append("repmgr_clone.unfinished")
                .SelectMany(name => new[] { $"--ignore={name}", $"--ignore={name}.repmgr.tmp" }),
            target.DataDirectory,
        ])).ExitCode == 0;

    /// <summary>Each statement is a transaction of its own; who loses a race against another one tries again in the next round.</summary>
    private static async Task RepeatAsync(TestServer source, CancellationToken stop, params string[] statements)
    {
        while (!stop.IsCancellationRequested)
        {
            foreach (string statement in statements)
            {
                try
                {
                    await source.ExecuteAsync(statement);
                }
                catch (Npgsql.PostgresException e) when (e.SqlState is "40P01" or "55006" or "42P04" or "42710" or "42P07" or "55000" or "2BP01" or "42704" or "42P01")
                {
                }
            }
        }
    }
}
