using System.Globalization;
using System.Text.Json;
using Repmgr.Core.Postgres;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>A source and a place to clone it into.</summary>
public abstract class CloneTest : LabTest
{
    /// <summary>Two hosts with ssh between them; the source runs.</summary>
    protected async Task<(TestServer Source, TestServer Target)> OnHostsAsync(int major)
    {
        var hosts = await Lab.HostsAsync("node1", "node2");
        var source = await Lab.ServerAsync(major, 1, hosts[0]);
        await source.StartAsync();
        return (source, await Lab.EmptyServerAsync(major, 2, hosts[1]));
    }

    /// <summary>Both on loopback; the source runs.</summary>
    protected async Task<(TestServer Source, TestServer Target)> OnLoopbackAsync(int major)
    {
        var source = await Lab.ServerAsync(major);
        await source.StartAsync();
        return (source, await Lab.EmptyServerAsync(major, 2));
    }

    /// <summary>The arguments that name the source, then <c>standby clone</c>, then these.</summary>
    protected static string[] Clone(TestServer source, params string[] more) =>
        ["-h", source.Address, "-p", source.Port.ToString(CultureInfo.InvariantCulture), "-U", "repmgr", "-d", "repmgr", "standby", "clone", .. more];

    /// <summary>The same, by pg_basebackup.</summary>
    protected static string[] BaseBackup(TestServer source, params string[] more) => Clone(source, ["--method=basebackup", .. more]);

    /// <summary>Runs it to its end: a copy takes its time where disks and processors are shared.</summary>
    protected static Task<ProgramResult> CloneAsync(TestServer target, IReadOnlyList<string> arguments) =>
        target.Lab.RunAsync(new Launch(Programs.Repmgr, ["-f", target.ConfPath, .. arguments])
        {
            User = target.User,
            Host = target.Host,
            WorkingDirectory = target.Directory,
            Environment = target.Surroundings,
            Within = TimeSpan.FromMinutes(4),
        });

    /// <summary>Holds the result object of <c>--json</c> against the source.</summary>
    /// <param name="run">A clone with <c>--json</c>.</param>
    /// <param name="method">How it must say the files came.</param>
    protected static JsonElement ResultOf(ProgramResult run, string method)
    {
        JsonElement result = JsonSerializer.Deserialize<JsonElement>(run.ShouldSucceed().Stdout);
        Assert.Equal(method, result.GetProperty("method").GetString());
        Assert.True(result.GetProperty("success").GetBoolean());
        Assert.InRange(result.GetProperty("files").GetInt64(), 500, 10_000);
        Assert.InRange(result.GetProperty("bytes_total").GetInt64(), 20L << 20, 1L << 30);
        Assert.InRange(result.GetProperty("jobs").GetInt32(), 1, 64);
        Assert.True(result.GetProperty("seconds").GetDouble() > 0);
        Assert.True(Position(result, "start_lsn") < Position(result, "stop_lsn"));
        return result;

        static Lsn Position(JsonElement result, string name) => Lsn.TryParse(result.GetProperty(name).GetString(), out Lsn lsn) ? lsn : throw new FormatException(name);
    }

    /// <summary>What the operator does next: fits the port, starts it, sees it stream.</summary>
    protected static async Task StartsAndStreamsAsync(TestServer target, TestServer source)
    {
        await target.PersonaliseAsync();
        await target.StartAsync();
        await target.StreamsFromAsync(source);
    }

    /// <summary>Some tables with rows to be missed, one of them in a tablespace if there is one.</summary>
    protected static async Task FillAsync(TestServer source, int rows, string? tablespace = null)
    {
        await source.ExecuteAsync($"create table filling as select g, md5(g::text) as text, repeat('x', 500) as wide from generate_series(1, {rows}) g");
        if (tablespace is not null)
        {
            await source.ExecuteAsync($"create tablespace apart location '{tablespace}'");
            await source.ExecuteAsync($"create table elsewhere tablespace apart as select g from generate_series(1, {rows}) g");
        }
    }

    /// <summary>Clones, drops a tablespace and moves another, and clones onto that: what the old copy had in both goes, and nothing else does.</summary>
    protected async Task DroppedTablespaceGoesAsync(TestServer source, TestServer target, params string[] options)
    {
        string there = await Lab.SubdirectoryAsync("there"), here = await Lab.SubdirectoryAsync("here");
        string staying = await Lab.SubdirectoryAsync("staying there"), moved = await Lab.SubdirectoryAsync("staying here"), elsewhere = await Lab.SubdirectoryAsync("moved here");
        await FillAsync(source, 1000, there);
        await source.ExecuteAsync($"create tablespace staying location '{staying}'");
        await source.ExecuteAsync("create table kept tablespace staying as select g from generate_series(1, 1000) g");
        await target.WriteConfAsync($"tablespace_mapping='{there}={here}'", $"tablespace_mapping='{staying}={moved}'");
        (await CloneAsync(target, Clone(source, options))).ShouldSucceed();
        string version = Path.GetFileName(Assert.Single(Directory.EnumerateDirectories(here)));
        foreach (string other in new[] { "notes", "PG_9.0_201008051/1" })
        {
            Directory.CreateDirectory(Path.Combine(here, Path.GetDirectoryName(other)!));
            await File.WriteAllTextAsync(Path.Combine(here, other), "somebody else's", TestContext.Current.CancellationToken);
        }

        await source.ExecuteAsync("drop table elsewhere");
        await source.ExecuteAsync("drop tablespace apart");
        await target.WriteConfAsync($"tablespace_mapping='{there}={here}'", $"tablespace_mapping='{staying}={elsewhere}'");
        (await CloneAsync(target, Clone(source, ["--force", .. options]))).ShouldSucceed();
        Assert.Equal(["PG_9.0_201008051", "notes"], Directory.EnumerateFileSystemEntries(here).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Empty(Directory.EnumerateFileSystemEntries(moved));
        Assert.Equal(elsewhere, new DirectoryInfo(Assert.Single(Directory.EnumerateFileSystemEntries(Path.Combine(target.DataDirectory, "pg_tblspc")))).LinkTarget);
        Assert.True(Directory.Exists(Path.Combine(elsewhere, version)));
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "kept");
    }

    /// <summary>The same rows on both, once all has arrived.</summary>
    protected static async Task SameRowsAsync(TestServer target, TestServer source, string table)
    {
        string sum = $"select count(*) || ':' || coalesce(sum(hashtext(t::text)::bigint), 0) from {table} t";
        await Eventually.EqualAsync(await source.QueryAsync<string>(sum), () => target.QueryAsync<string>(sum), Seconds(30), $"the content of {table}");
    }

    /// <summary>PostgreSQL itself must refuse to start there.</summary>
    protected static async Task CannotBeStartedAsync(TestServer target)
    {
        var started = await target.RunAsync(target.Major.Program("pg_ctl"), "-D", target.DataDirectory, "-w", "-t", "10", "-l", target.LogPath, "start");
        Assert.NotEqual(0, started.ExitCode);
        Assert.False(target.IsRunning);
        string said = started.Stderr + (File.Exists(target.LogPath) ? File.ReadAllText(target.LogPath) : "");
        Assert.Matches("is not a database cluster directory|could not find the database system", said);
    }

    /// <summary>No session in backup mode and no temporary slot is left on the source.</summary>
    /// <param name="silence">After how long without a sign of life from the clone's host; the source asks for one (<c>tcp_keepalives_idle</c> and its fellows).</param>
    protected static async Task LeftBackupModeAsync(TestServer source, int silence = 0)
    {
        await Eventually.EqualAsync(
            0L, () => source.QueryAsync<long>("select count(*) from pg_replication_slots where temporary"), Seconds(30 + silence), "the number of temporary slots");
        await Eventually.EqualAsync(
            0L,
            () => source.QueryAsync<long>("select count(*) from pg_stat_activity where pid <> pg_backend_pid() and (query ~ 'pg_(backup_start|start_backup|stop_backup|backup_stop)' or backend_type = 'walsender')"),
            Seconds(30 + silence),
            "the number of sessions of the clone");
    }

    /// <summary>Makes WAL, checkpoints and new files until told to stop.</summary>
    protected static async Task KeepBusyAsync(TestServer source, CancellationToken stop)
    {
        await source.ExecuteAsync("create table busy (x int)");
        for (int round = 0; !stop.IsCancellationRequested; round++)
        {
            await source.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"insert into busy select {round} from generate_series(1, 5000)"));
            await source.ExecuteAsync("update filling set g = g + 1 where g % 50 = 0");
            await source.ExecuteAsync("drop table if exists passing; create table passing as select * from busy limit 1000");
            await source.ExecuteAsync("select pg_switch_wal()");
            await source.ExecuteAsync("checkpoint");
        }
    }

    /// <summary>Every page of the heap read, and every index against its table, by amcheck (installed where it can be written).</summary>
    protected static async Task SoundAsync(TestServer server, TestServer source)
    {
        await source.ExecuteAsync("create extension if not exists amcheck");
        await Eventually.EqualAsync(1L, () => server.QueryAsync<long>("select count(*) from pg_extension where extname = 'amcheck'"), Seconds(60), "amcheck on the copy");
        string amcheck = server.Major.Program("pg_amcheck");
        if (File.Exists(amcheck))
        {
            (await server.RunAsync(amcheck, "-h", server.Directory, "-p", $"{server.Port}", "-U", "postgres", "-d", "repmgr", "--heapallindexed")).ShouldSucceed();
            return;
        }

        // PostgreSQL 13 has no pg_amcheck and no verify_heapam().
        await server.ExecuteAsync("select bt_index_check(i.indexrelid, true) from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam where a.amname = 'btree'");
    }

    /// <summary>Leaves files in a stopped copy that its source does not have, and damages a page.</summary>
    /// <returns>The files.</returns>
    protected static async Task<IReadOnlyList<string>> SpoilAsync(TestServer target, TestServer source)
    {
        string[] extraneous = [Path.Combine(target.DataDirectory, "base", "1", "99999"), Path.Combine(target.DataDirectory, "base", "77777", "1"), Path.Combine(target.DataDirectory, "junk")];
        foreach (string path in extraneous)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "left over");
        }

        await TestUser.GiveAsync(target.DataDirectory, target.User);
        await FlipABitAsync(target, source);
        return extraneous;
    }

    /// <summary>Damages a page without changing size or time, as a failing disk does.</summary>
    private static async Task FlipABitAsync(TestServer target, TestServer source)
    {
        string path = Path.Combine(target.DataDirectory, await source.QueryAsync<string>("select pg_relation_filepath('filling')"));
        DateTime written = File.GetLastWriteTimeUtc(path);
        using (FileStream file = File.Open(path, FileMode.Open, FileAccess.ReadWrite))
        {
            file.Position = 4000;
            int value = file.ReadByte();
            file.Position = 4000;
            file.WriteByte((byte)(value ^ 1));
        }

        File.SetLastWriteTimeUtc(path, written);
    }
}
