using System.Globalization;
using System.Text.Json;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Clone;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Verify;

/// <summary><c>repmgr node verify</c>: what is wrong is named, and what is only under way is not.</summary>
public sealed class NodeVerifyTest : CloneTest
{
    [Theory, EveryMajor]
    public async Task A_standby_is_the_same_until_pages_and_files_are_spoilt_and_these_are_named(int major)
    {
        var (primary, standby) = await PairAsync(major);
        await primary.ExecuteAsync("create table other as select g from generate_series(1, 1000) g");
        await QuietAsync(primary, standby);
        // Each side sets hint bits of its own.
        foreach (var server in new[] { primary, standby })
            await server.QueryAsync<long>("select count(*) from filling where text <> 'x'");
        JsonElement result = Result(await standby.RepmgrAsync("node", "verify", "--json"), ExitCode.Success);
        Assert.True(result.GetProperty("same").GetBoolean());
        Assert.InRange(result.GetProperty("bytes_compared").GetInt64(), 10L << 20, 1L << 30);
        (await standby.RepmgrAsync("node", "verify")).ShouldSucceed().ShouldSay("no difference from 127.0.0.1");

        await standby.StopAsync();
        (await standby.RepmgrAsync("node", "verify", "--jobs=1")).ShouldSucceed();
        string table = await primary.QueryAsync<string>("select pg_relation_filepath('filling')");
        string index = await primary.QueryAsync<string>("select pg_relation_filepath('filling_g')");
        string other = await primary.QueryAsync<string>("select pg_relation_filepath('other')");
        string extra = Path.GetDirectoryName(table) + "/99999";
        FlipABit(standby, table, block: 3);
        FlipABit(standby, index, block: 2);
        File.Delete(Path.Combine(standby.DataDirectory, other));
        File.Copy(Path.Combine(standby.DataDirectory, table), Path.Combine(standby.DataDirectory, extra));
        await TestUser.GiveAsync(Path.Combine(standby.DataDirectory, extra), standby.User);

        string fault = major >= 18 ? "damaged_here" : "differs";
        string[] pages = [$"{table} public.filling {fault} 3", $"{index} public.filling_g {fault} 2", $"{other} public.other missing_here "];
        result = Result(await standby.RepmgrAsync("node", "verify", "--json"), ExitCode.NodeStatus);
        Assert.Equal(pages.Order(), Named(result));
        Assert.Equal([extra], result.GetProperty("unsettled").EnumerateArray().Select(file => file.GetProperty("file").GetString()!));
        (await standby.RepmgrAsync("node", "verify")).ShouldExit(ExitCode.NodeStatus)
            .ShouldSay($"{table} (public.filling in repmgr): 1 page {(major >= 18 ? "here is damaged" : "differs")}: block 3")
            .ShouldSay("standby clone --force");

        // Once it has replayed everything, files on one side only are known to be wrong too.
        await standby.StartAsync();
        await standby.StreamsFromAsync(primary);
        result = Result(await standby.RepmgrAsync("node", "verify", "--json"), ExitCode.NodeStatus);
        Assert.Equal(pages.Append($"{extra}  extra_here ").Order(), Named(result));

        await standby.StopAsync();
        (await CloneAsync(standby, Clone(primary, "--force"))).ShouldSucceed();
        await StartsAndStreamsAsync(standby, primary);
        (await standby.RepmgrAsync("node", "verify")).ShouldSucceed();
    }

    [Theory, EveryMajor]
    public async Task Nothing_is_found_while_pgbench_runs_and_tables_come_and_go(int major)
    {
        var (primary, standby) = await PairAsync(major);
        await primary.ConfigureAsync("checkpoint_timeout = 30s", "max_wal_size = 64MB", "autovacuum_naptime = 1s");
        await primary.ReloadAsync();
        string pgbench = primary.Major.Program("pgbench");
        string[] server = ["-h", primary.Directory, "-p", primary.Port.ToString(CultureInfo.InvariantCulture), "-U", "postgres", "repmgr"];
        (await primary.RunAsync(pgbench, ["-i", "-q", "-s", "2", .. server])).ShouldSucceed();
        await primary.ExecuteAsync(
            """
            create table kinds (g int, t text, p point, a int[]);
            create index on kinds using hash (g); create index on kinds using gin (a); create index on kinds using gist (p);
            create index on kinds using spgist (p); create index on kinds using brin (g); create sequence counter
            """);
        using var stop = new CancellationTokenSource();
        Task<ProgramResult> load = primary.RunAsync(pgbench, ["-c", "2", "-n", "-T", "5", .. server]);
        Task changes = Task.Run(async () =>
        {
            for (int round = 0; !stop.IsCancellationRequested; round++)
            {
                await primary.ExecuteAsync($"insert into kinds select g, md5(g::text), point(g % 50, {round}), array[g, g % 7] from generate_series(1, 500) g");
                await primary.ExecuteAsync("delete from kinds where g % 5 = 0; select nextval('counter')");
                await primary.ExecuteAsync("vacuum kinds");
                await primary.ExecuteAsync("drop table if exists passing; create table passing as select g from generate_series(1, 3000) g; truncate passing");
                await primary.ExecuteAsync("checkpoint");
                await standby.ExecuteAsync("checkpoint; select count(*) from kinds");
                await primary.ExecuteAsync("drop database if exists passing");
                await primary.ExecuteAsync("create database passing");
            }
        }, TestContext.Current.CancellationToken);
        int compared = 0;
        do
        {
            Result(await standby.RepmgrAsync("node", "verify", "--json"), ExitCode.Success);
            compared++;
        }
        while (!load.IsCompleted);
        await stop.CancelAsync();
        await changes;
        (await load).ShouldSucceed();
        Assert.True(compared > 1);

        await QuietAsync(primary, standby);
        JsonElement result = Result(await standby.RepmgrAsync("node", "verify", "--json"), ExitCode.Success);
        Assert.Empty(result.GetProperty("unsettled").EnumerateArray());
    }

    [Fact]
    public async Task Files_of_a_database_that_is_being_dropped_are_waited_for()
    {
        var (primary, standby) = await PairAsync(PostgresMajor.Default);
        await primary.ExecuteAsync("create database passing");
        await QuietAsync(primary, standby);
        string database = await primary.QueryAsync<string>("select 'base/' || oid from pg_database where datname = 'passing'");

        // As in the middle of DROP DATABASE: the database is locked and its files are gone, and WAL knows nothing of that yet.
        await using (var dropping = await primary.ConnectAsync())
        {
            await using var locked = new Npgsql.NpgsqlCommand("begin; alter database passing rename to gone", dropping);
            await locked.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            Directory.Move(Path.Combine(primary.DataDirectory, database), Path.Combine(primary.Directory, "aside"));
            JsonElement result = Result(await standby.RepmgrAsync("node", "verify", "--json", "--wait-replay=1"), ExitCode.Success);
            Assert.Contains(result.GetProperty("unsettled").EnumerateArray(), file => file.GetProperty("file").GetString()!.StartsWith(database, StringComparison.Ordinal));
        }

        Assert.Contains(Named(Result(await standby.RepmgrAsync("node", "verify", "--json"), ExitCode.NodeStatus)), line => line.StartsWith(database, StringComparison.Ordinal) && line.EndsWith(" extra_here ", StringComparison.Ordinal));
        Directory.Move(Path.Combine(primary.Directory, "aside"), Path.Combine(primary.DataDirectory, database));
        (await standby.RepmgrAsync("node", "verify")).ShouldSucceed();
    }

    [Theory, EveryMajor]
    public async Task A_standby_that_lags_differs_only_in_what_cannot_be_judged_yet(int major)
    {
        var (primary, standby) = await PairAsync(major);
        await QuietAsync(primary, standby);
        await standby.ExecuteAsync("select pg_wal_replay_pause()");
        await primary.ExecuteAsync("update filling set text = 'later' where g < 2000; create table later as select 1 as x; checkpoint");
        (await standby.RepmgrAsync("node", "verify", "--wait-replay=1")).ShouldSucceed().ShouldSay("could not be judged").ShouldSay("when the standby has caught up");
        await standby.ExecuteAsync("select pg_wal_replay_resume()");
        await SameRowsAsync(standby, primary, "later");
        await QuietAsync(primary, standby);
        JsonElement result = Result(await standby.RepmgrAsync("node", "verify", "--json"), ExitCode.Success);
        Assert.Empty(result.GetProperty("unsettled").EnumerateArray());
    }

    [Theory, EveryMajor]
    public async Task It_is_compared_with_another_standby_too(int major)
    {
        var cluster = await Lab.ClusterAsync(major, standbys: 2);
        var (one, other) = (cluster.Standbys[0], cluster.Standbys[1]);
        await FillAsync(cluster.Primary, 5000);
        await QuietAsync(cluster.Primary, one, other);
        string[] with = ["-h", other.Address, "-p", $"{other.Port}", "node", "verify"];
        (await one.RepmgrAsync(with)).ShouldSucceed().ShouldSay($"no difference from {other.Address}");
        string table = await cluster.Primary.QueryAsync<string>("select pg_relation_filepath('filling')");
        await one.StopAsync();
        FlipABit(one, table, block: 3);
        (await one.RepmgrAsync(with)).ShouldExit(ExitCode.NodeStatus).ShouldSay($"{table} (public.filling in repmgr)").ShouldSay("block 3");
    }

    [Theory, EveryMajor]
    public async Task A_former_primary_that_went_its_own_way_is_called_that(int major)
    {
        var (old, now) = await PairAsync(major);
        (await now.RunAsync(now.Major.Program("pg_ctl"), "-D", now.DataDirectory, "-w", "promote")).ShouldSucceed();
        await now.ExecuteAsync("update filling set text = 'now' where g = 4000; create table after_failover as select 42 as x; checkpoint");
        await old.ExecuteAsync("update filling set text = 'old' where g < 100; create table same_number as select 43 as x; create table of_its_own as select 43 as x");
        string own = await old.QueryAsync<string>("select pg_relation_filepath('of_its_own')");
        await old.StopAsync();
        (await old.RepmgrAsync("-h", now.Address, "-p", $"{now.Port}", "node", "verify")).ShouldExit(ExitCode.NodeStatus)
            .ShouldSay("has gone another way than that of").ShouldSay("left timeline 1 at").ShouldSay($"{own} (in repmgr): here, but not on the source");
        (await old.RepmgrAsync("node", "verify")).ShouldExit(ExitCode.BadConfig).ShouldSay("this node's upstream is not known").ShouldSay("-h");
        (await now.RepmgrAsync("node", "verify")).ShouldExit(ExitCode.BadConfig).ShouldSay("this node is a primary");
    }

    [Theory, EveryMajor]
    public async Task A_damaged_page_of_the_source_is_said_to_be_the_source_s(int major)
    {
        Assert.SkipUnless(major >= 18, "initdb switches checksums on from PostgreSQL 18 on.");
        var (primary, standby) = await PairAsync(major);
        await QuietAsync(primary, standby);
        string table = await primary.QueryAsync<string>("select pg_relation_filepath('filling')");
        await primary.StopAsync();
        FlipABit(primary, table, block: 5);
        await primary.StartAsync();
        await standby.StreamsFromAsync(primary);
        (await standby.RepmgrAsync("node", "verify")).ShouldExit(ExitCode.NodeStatus)
            .ShouldSay("is damaged").ShouldSay($"{table} (public.filling in repmgr): 1 page on the source is damaged: block 5").ShouldSay("do not clone from it");
    }

    [Fact]
    public async Task A_role_with_the_rights_of_a_clone_suffices_and_what_is_missing_is_named()
    {
        var (primary, standby) = await PairAsync(PostgresMajor.Default);
        await primary.ExecuteAsync("create role narrow login");
        await QuietAsync(primary, standby);
        string[] verify = ["-h", primary.Address, "-p", $"{primary.Port}", "-U", "narrow", "-d", "repmgr", "node", "verify"];
        var refused = (await standby.RepmgrAsync(verify)).ShouldExit(ExitCode.BadConfig).ShouldSay("role \"narrow\" lacks rights");
        string grants = refused.Stderr[refused.Stderr.IndexOf("GRANT", StringComparison.Ordinal)..];
        await primary.ExecuteAsync(grants);
        (await standby.RepmgrAsync(verify)).ShouldSucceed();

        (await standby.RepmgrAsync([.. verify, "-D", standby.Directory])).ShouldExit(ExitCode.BadConfig).ShouldSay("there is no PostgreSQL cluster in");
        var foreign = await Lab.ServerAsync(PostgresMajor.Default, 3, foreign: true);
        (await foreign.RepmgrAsync(verify)).ShouldExit(ExitCode.BadConfig).ShouldSay("belong to different clusters");
    }

    private async Task<(TestServer Primary, TestServer Standby)> PairAsync(int major)
    {
        var cluster = await Lab.ClusterAsync(major, standbys: 1);
        await FillAsync(cluster.Primary, 5000);
        await cluster.Primary.ExecuteAsync("create index filling_g on filling (g)");
        await SameRowsAsync(cluster.Standbys[0], cluster.Primary, "filling");
        return (cluster.Primary, cluster.Standbys[0]);
    }

    /// <summary>Everything is replayed and on disk everywhere, and stays so.</summary>
    private static async Task QuietAsync(TestServer primary, params TestServer[] standbys)
    {
        await primary.ExecuteAsync("alter system set autovacuum = off");
        await primary.ReloadAsync();
        // A worker that was at it goes on to its end.
        await Eventually.EqualAsync(0L, () => primary.QueryAsync<long>("select count(*) from pg_stat_activity where backend_type like 'autovacuum%'"), Seconds(60), "the number of autovacuum's processes");
        await primary.ExecuteAsync("checkpoint");
        string end = await primary.QueryAsync<string>("select pg_current_wal_flush_lsn()::text");
        foreach (TestServer standby in standbys)
        {
            await Eventually.TrueAsync(() => standby.QueryAsync<bool>($"select pg_last_wal_replay_lsn() >= '{end}'"), Seconds(30), $"{standby.Name} has replayed {end}");
            await standby.ExecuteAsync("checkpoint");
        }
    }

    private static JsonElement Result(ProgramResult run, ExitCode code) => JsonDocument.Parse(run.ShouldExit(code).Stdout).RootElement;

    private static IEnumerable<string> Named(JsonElement result) => result.GetProperty("differences").EnumerateArray()
        .Select(file => $"{file.GetProperty("file")} {file.GetProperty("relation")} {file.GetProperty("fault")} {string.Join(' ', file.GetProperty("blocks").EnumerateArray())}").Order();

    private static void FlipABit(TestServer server, string path, int block)
    {
        using FileStream file = File.Open(Path.Combine(server.DataDirectory, path), FileMode.Open, FileAccess.ReadWrite);
        file.Position = (block * 8192) + 5000;
        int value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 16));
    }
}
