using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>Method command: a tool of the operator's fills the directory, and only a whole copy of the right cluster becomes a standby.</summary>
public sealed class CommandCloneTest : CloneTest
{
    private const string AnyTool = "%b/pg_basebackup --no-password -c fast -d %c -D %D";

    [Theory, EveryMajor]
    public async Task Whatever_puts_a_backup_into_the_directory_makes_a_standby(int major)
    {
        var (source, target) = await OnLoopbackAsync(major);
        string there = await Lab.SubdirectoryAsync("tablespace on node1");
        string here = await Lab.SubdirectoryAsync("tablespace on node2");
        await FillAsync(source, 1000, there);
        await target.WriteConfAsync("use_replication_slots=yes", $"tablespace_mapping='{there}={here}'", $"clone_command='{AnyTool} \"--tablespace-mapping={there}={here}\"'");

        var plan = (await CloneAsync(target, Clone(source, "--method=command", "--dry-run"))).ShouldSucceed();
        plan.ShouldSay($"fill \"{target.DataDirectory}/repmgr_clone.staging\" with clone_command ({AnyTool}");
        Assert.False(Directory.Exists(target.DataDirectory));

        var run = await CloneAsync(target, Clone(source, "--method=command", "--json"));
        ResultOf(run, "command");
        run.ShouldSay("{\"phase\":\"restoring\",\"bytes_done\":");
        Assert.Empty(Directory.EnumerateFileSystemEntries(target.DataDirectory, "repmgr_clone*"));
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "elsewhere");

        await target.StopAsync();
        await source.ExecuteAsync("create table later as select 1 as x");
        var again = (await CloneAsync(target, Clone(source, "--method=command", "--force"))).ShouldSucceed();
        Assert.Single(again.Stderr.Split('\n'), line => line.StartsWith("INFO: restoring: 100%", StringComparison.Ordinal));
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "later");
        Assert.Equal(here, new FileInfo(Assert.Single(Directory.EnumerateFileSystemEntries(Path.Combine(target.DataDirectory, "pg_tblspc")))).LinkTarget);
    }

    public static TheoryData<string, string> Useless { get; } = new()
    {
        { "true", "it put nothing there" },
        { "echo the repository is away; exit 3", "the repository is away" },
        { "no-such-tool %D", "no-such-tool" },
        { "echo hello > %D/README", "there is no PG_VERSION: this is no data directory" },
        { AnyTool + " && rm %D/global/pg_control", "global/pg_control is missing" },
        { AnyTool + " && printf x | dd of=%D/global/pg_control bs=1 seek=100 conv=notrunc", "global/pg_control is damaged" },
        { AnyTool + " && rm -r %D/base", "directory \"base\" is missing" },
        { AnyTool + " && echo 9 > %D/PG_VERSION", "it is of PostgreSQL 9, and 127.0.0.1" },
        { "%b/initdb -D %D", "it is another cluster: its system identifier is" },
    };

    [Theory, MemberData(nameof(Useless))]
    public async Task What_is_no_copy_of_the_source_replaces_nothing(string command, string said)
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        await target.WriteConfAsync($"clone_command='{AnyTool}'");
        (await CloneAsync(target, Clone(source, "--method=command"))).ShouldSucceed();
        await StartsAndStreamsAsync(target, source);
        await target.StopAsync();

        await target.WriteConfAsync($"clone_command='{command}'");
        (await CloneAsync(target, Clone(source, "--method=command", "--force"))).ShouldExit(ExitCode.LocalCommand).ShouldSay(said);

        await target.StartAsync();
        await target.StreamsFromAsync(source);
    }

    [Fact]
    public async Task Without_the_setting_and_with_the_options_of_other_methods_it_is_refused()
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        (await CloneAsync(target, Clone(source, "--method=command"))).ShouldExit(ExitCode.BadConfig).ShouldSay("\"clone_command\" is not set");
        (await CloneAsync(target, Clone(source, "--method=command", "--max-rate=1M"))).ShouldExit(ExitCode.BadConfig)
            .ShouldSay("option --max-rate does not go with method command").ShouldSay("Tell the tool in clone_command");
        Assert.False(Directory.Exists(target.DataDirectory));
    }

    [Fact]
    public async Task A_command_that_outlives_a_killed_repmgr_is_waited_for()
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        string begun = Path.Combine(target.Directory, "begun");
        string goOn = Path.Combine(target.Directory, "go on");
        await target.WriteConfAsync($"clone_command='touch \"{begun}\"; while [ ! -e \"{goOn}\" ]; do sleep 0.1; done; {AnyTool}'");
        var run = CloneRun.Start(target, Clone(source, "--method=command"));
        Assert.True(await run.KillAsync("repmgr", () => Task.FromResult(File.Exists(begun))));
        await CannotBeStartedAsync(target);

        // The second finds the first one's command at work, and lets it end before it begins itself.
        File.Delete(begun);
        var second = CloneAsync(target, Clone(source, "--method=command"));
        await File.WriteAllTextAsync(goOn, "", TestContext.Current.CancellationToken);
        (await second).ShouldSucceed().ShouldSay("is continued");
        await run.Ended;
        await StartsAndStreamsAsync(target, source);
    }

    [Fact]
    public async Task A_backup_of_pgbackrest_becomes_a_standby_and_catches_up_from_its_archive()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/pgbackrest"), "there is no pgbackrest on this machine; tools/prerequisites test installs it");
        Assert.SkipUnless(PostgresMajor.Find(15) is not null, "the distribution's pgbackrest is tested with the distribution's PostgreSQL 15");
        var source = await Lab.ServerAsync(15);
        string conf = await PgBackRestConfAsync(source);
        await source.ConfigureAsync("archive_mode = on", $"archive_command = 'pgbackrest --config={conf} --stanza=main archive-push %p'", "wal_keep_size = 0");
        await source.StartAsync();
        await FillAsync(source, 5000);
        (await PgBackRestAsync(source, conf, "stanza-create")).ShouldSucceed();
        (await PgBackRestAsync(source, conf, "backup", "--type=full")).ShouldSucceed();
        await OutlivesTheSourcesOwnWalAsync(source);
        var target = await Lab.EmptyServerAsync(15, 2);
        await target.WriteConfAsync("use_replication_slots=yes", $"clone_command='pgbackrest --config={conf} --stanza=main --pg1-path=%D --type=standby restore'");

        (await CloneAsync(target, Clone(source, "--method=command"))).ShouldSucceed().ShouldSay("it is a whole copy, of a backup that begins at");

        string settings = await File.ReadAllTextAsync(Path.Combine(target.DataDirectory, "postgresql.auto.conf"), TestContext.Current.CancellationToken);
        Assert.Contains($"pgbackrest --config={conf} --pg1-path={target.DataDirectory} --stanza=main archive-get", settings, StringComparison.Ordinal);
        Assert.DoesNotContain("repmgr_clone", settings, StringComparison.Ordinal);
        await target.PersonaliseAsync();
        await target.ConfigureAsync("archive_mode = off");
        await target.StartAsync();
        await target.StreamsFromAsync(source);
        await SameRowsAsync(target, source, "filling");
        await SameRowsAsync(target, source, "after_the_backup");
    }

    /// <summary>Writes and recycles until the WAL since the backup is in the archive only.</summary>
    private static async Task OutlivesTheSourcesOwnWalAsync(TestServer source)
    {
        string segment = await source.QueryAsync<string>("select pg_walfile_name(pg_current_wal_insert_lsn())");
        await source.ExecuteAsync("create table after_the_backup as select g from generate_series(1, 1000) g");
        await Eventually.TrueAsync(
            async () =>
            {
                await source.ExecuteAsync("insert into after_the_backup values (0); select pg_switch_wal()");
                await source.ExecuteAsync("checkpoint");
                return await source.QueryAsync<bool>($"select not exists (select from pg_ls_waldir() where name = '{segment}')");
            },
            Seconds(60), "the WAL since the backup is recycled");
    }

    private async Task<string> PgBackRestConfAsync(TestServer source)
    {
        string directory = await Lab.SubdirectoryAsync("pgbackrest");
        string conf = Path.Combine(directory, "pgbackrest.conf");
        await File.WriteAllTextAsync(conf, $"""
            [global]
            repo1-path={directory}/repository
            lock-path={directory}/lock
            spool-path={directory}/spool
            log-level-file=off
            start-fast=y

            [main]
            pg1-path={source.DataDirectory}
            pg1-port={source.Port}
            pg1-socket-path={source.Directory}
            pg1-user=postgres

            """, TestContext.Current.CancellationToken);
        return conf;
    }

    private static Task<ProgramResult> PgBackRestAsync(TestServer server, string conf, params string[] arguments) =>
        server.RunAsync("pgbackrest", [$"--config={conf}", "--stanza=main", .. arguments]);
}
