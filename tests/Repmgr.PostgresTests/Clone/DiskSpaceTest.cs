using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>Real file systems that are too small, or become so.</summary>
public sealed class DiskSpaceTest : CloneTest
{
    private const string Filler = "repmgr_clone.somebody-else-s";

    public static TheoryData<string> Methods { get; } = ["direct", "basebackup", "rsync", "command"];

    // A tool that can be told how fast.
    private const string Tool = "clone_command='%b/pg_basebackup --no-password -c fast -r 2M -d %c -D %D'";

    [Theory, MemberData(nameof(Methods))]
    public async Task Disks_that_are_too_small_are_named_before_anything_is_touched(string method)
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        string there = await Lab.SubdirectoryAsync("tablespace");
        string here = await Lab.SubdirectoryAsync("small");
        await FillAsync(source, 200_000, there);
        await target.Host!.MountAsync(target.DataDirectory, "16m", target.User);
        await target.Host.MountAsync(here, "1m", target.User);
        await target.WriteConfAsync("use_replication_slots=yes", $"tablespace_mapping='{there}={here}'", Tool);

        var refused = (await CloneAsync(target, Clone(source, $"--method={method}"))).ShouldExit(ExitCode.BadConfig);

        refused.ShouldSay($"not enough disk space under \"{target.DataDirectory}\"").ShouldSay($"not enough disk space under \"{here}\"").ShouldSay("16 MB are free");
        Assert.Empty(Directory.EnumerateFileSystemEntries(target.Seen(target.DataDirectory)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(target.Seen(here)));
        Assert.Equal(0L, await source.QueryAsync<long>("select count(*) from pg_replication_slots"));
        await LeftBackupModeAsync(source);
    }

    [Theory, MemberData(nameof(Methods))]
    public async Task A_disk_that_fills_up_while_files_are_copied_is_an_error_and_the_clone_goes_on_when_there_is_room(string method)
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        await FillAsync(source, 20_000);
        await target.Host!.MountAsync(target.DataDirectory, "300m", target.User);
        string arrived = method switch { "rsync" => "base/1/PG_VERSION", "direct" => "base/1", _ => "repmgr_clone.staging/base/1/PG_VERSION" };
        string[] slowly = method == "command" ? [] : ["--max-rate=2M"];
        await target.WriteConfAsync(Tool);
        var run = CloneRun.Start(target, Clone(source, [$"--method={method}", .. slowly]));
        await Eventually.TrueAsync(
            () => Task.FromResult(run.Ended.IsCompleted || Path.Exists(target.Seen(Path.Combine(target.DataDirectory, arrived)))), Seconds(60), "files arrive");

        await target.Host.FillAsync(target.DataDirectory, Filler);

        (await run.Ended).ShouldExit(method switch { "rsync" => ExitCode.BadRsync, "direct" => ExitCode.SystemFailure, "command" => ExitCode.LocalCommand, _ => ExitCode.BadBaseBackup })
            .ShouldSay("there is no space left for the copy").ShouldSay("No space left on device").ShouldSay("Free some space");
        await LeftBackupModeAsync(source);
        await CannotBeStartedAsync(target);
        await target.Host.EmptyAsync(target.DataDirectory, Filler);
        await target.WriteConfAsync(Tool.Replace("-r 2M ", "", StringComparison.Ordinal));
        (await CloneAsync(target, Clone(source, $"--method={method}"))).ShouldSucceed().ShouldSay("is continued");
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "filling");
    }

    [Fact]
    public async Task A_size_that_the_role_may_not_know_is_said_and_a_full_tablespace_is_an_error()
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        string there = await Lab.SubdirectoryAsync("tablespace");
        string here = await Lab.SubdirectoryAsync("small");
        await FillAsync(source, 200_000, there);
        await source.ExecuteAsync("create role narrow login replication in role pg_read_all_settings");
        await target.Host!.MountAsync(here, "1m", target.User);
        await target.WriteConfAsync($"tablespace_mapping='{there}={here}'");

        (await CloneAsync(target, ["-h", "node1", "-U", "narrow", "-d", "repmgr", "standby", "clone", "--method=basebackup"])).ShouldExit(ExitCode.BadBaseBackup)
            .ShouldSay("whether there is room for tablespace \"apart\" was not checked").ShouldSay("GRANT pg_read_all_stats TO \"narrow\"")
            .ShouldSay("there is no space left for the copy");
        await LeftBackupModeAsync(source);
    }

    [Theory, MemberData(nameof(Methods))]
    public async Task The_sources_own_directory_is_no_place_to_clone_into(string method)
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        string link = Path.Combine(target.Directory, "link");
        File.CreateSymbolicLink(link, source.DataDirectory);
        foreach (string itself in new[] { source.DataDirectory, link })
        {
            (await RunOnSourceAsync("-D", itself, "--force")).ShouldExit(ExitCode.BadConfig).ShouldSay($"a PostgreSQL server runs in \"{itself}\"");
            (await RunOnSourceAsync("-D", itself)).ShouldExit(ExitCode.BadConfig);
        }

        string within = Path.Combine(source.DataDirectory, "base", "copy");
        (await RunOnSourceAsync("-D", within)).ShouldExit(ExitCode.BadConfig).ShouldSay($"lies inside the data directory \"{source.DataDirectory}\"");
        Assert.False(Path.Exists(within));
        Assert.Equal(1, await source.QueryAsync<int>("select 1"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(source.DataDirectory, "repmgr_clone*"));

        Task<ProgramResult> RunOnSourceAsync(params string[] more) => source.RunAsync(
            Programs.Repmgr, ["-h", "node1", "-U", "repmgr", "-d", "repmgr", .. more, "standby", "clone", $"--method={method}"]);
    }
}
