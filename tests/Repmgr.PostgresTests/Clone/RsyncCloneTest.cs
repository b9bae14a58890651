using System.Globalization;
using System.Text.RegularExpressions;
using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

public sealed partial class RsyncCloneTest : CloneTest
{
    [Theory, EveryMajor]
    public async Task A_busy_source_is_copied_whole_and_copied_again_by_difference(int major)
    {
        var (source, target) = await OnHostsAsync(major);
        await source.ConfigureAsync("max_wal_size = 32MB", "wal_keep_size = 0", "autovacuum = off");
        await source.ReloadAsync();
        string there = await Lab.SubdirectoryAsync("tablespace one");
        string here = await Lab.SubdirectoryAsync("tablespace 'two'");
        await FillAsync(source, 60_000, there);
        string mapping = $"tablespace_mapping='{(there + "=" + here).Replace("'", "''", StringComparison.Ordinal)}'";
        await target.WriteConfAsync("use_replication_slots=yes", mapping);

        using var stop = new CancellationTokenSource();
        Task busy = KeepBusyAsync(source, stop.Token);
        var first = await CloneAsync(target, Clone(source, "--method=rsync", "-I", "--jobs=3"));
        await stop.CancelAsync();
        await busy;
        first.ShouldSucceed().ShouldSay("with 3 rsync processes");
        await LeftBackupModeAsync(source);
        Assert.Empty(Directory.EnumerateFileSystemEntries(target.DataDirectory, "repmgr_clone*"));
        Assert.True(File.Exists(Path.Combine(target.DataDirectory, "backup_label")));
        Assert.True(File.Exists(Path.Combine(target.DataDirectory, "tablespace_map")));
        await StartsAndStreamsAsync(target, source);
        foreach (string table in new[] { "filling", "elsewhere", "busy" })
            await SameRowsAsync(target, source, table);
        await SoundAsync(target, source);

        await target.StopAsync();
        IReadOnlyList<string> extraneous = await SpoilAsync(target, source);
        await source.ExecuteAsync("checkpoint");
        PageDifference difference = PageDifference.Between(source.DataDirectory, target.DataDirectory).And(PageDifference.Between(there, here));
        string log = Path.Combine(target.Directory, "rsync.log");
        await target.WriteConfAsync("use_replication_slots=yes", mapping, $"rsync_options='--log-file={log}'");
        var again = (await CloneAsync(target, Clone(source, "--method=rsync", "-I", "--force"))).ShouldSucceed();
        Assert.Equal(LoggedText().Matches(File.ReadAllText(log)).Sum(match => Number(match.Groups[1].Value)), Moved(again));
        Assert.True(Moved(again) <= difference.MostToMove, $"{Moved(again)} bytes moved; {difference}");
        Assert.All(extraneous, path => Assert.False(File.Exists(path)));
        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "filling");
        await SoundAsync(target, source);
    }

    [Fact]
    public async Task What_the_old_copy_had_in_a_tablespace_that_was_dropped_goes_and_nothing_else_does()
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        await DroppedTablespaceGoesAsync(source, target, "--method=rsync", "-I");
    }

    [Fact]
    public async Task The_originals_invocation_works_without_a_configuration_file()
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        File.Delete(target.ConfPath);
        (await target.RunAsync(Programs.Repmgr, "-D", target.DataDirectory, "-d", "repmgr", "-p", "5432", "-U", "repmgr", "-R", target.User, "--verbose", "standby", "clone", "node1")).ShouldSucceed();
        await target.PersonaliseAsync();
        await target.StartAsync();
        await Eventually.EqualAsync(1L, () => source.QueryAsync<long>("select count(*) from pg_stat_replication where state = 'streaming'"), Seconds(30), "the number of standbys");
    }

    [Fact]
    public async Task The_originals_minimum_of_kept_wal_takes_the_place_of_a_slot()
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        (await CloneAsync(target, Clone(source, "--method=rsync", "-w", "5000"))).ShouldExit(ExitCode.BadConfig).ShouldSay("-w asks for at least 5000");
        Assert.False(Directory.Exists(target.DataDirectory));
        (await CloneAsync(target, Clone(source, "--method=rsync", "-w", "4"))).ShouldSucceed();
        await StartsAndStreamsAsync(target, source);
    }

    [Theory, EveryMajor]
    public async Task A_standby_is_copied_by_rsync_too(int major)
    {
        var hosts = await Lab.HostsAsync("node1", "node2", "node3");
        var primary = await Lab.ServerAsync(major, 1, hosts[0]);
        var standby = await Lab.ServerAsync(major, 2, hosts[1]);
        await standby.MakeStandbyAsync(primary);
        await primary.StartAsync();
        await standby.StartAsync();
        await standby.StreamsFromAsync(primary);
        await FillAsync(primary, 1000);
        await SameRowsAsync(standby, primary, "filling");
        var target = await Lab.EmptyServerAsync(major, 3, hosts[2]);
        (await CloneAsync(target, Clone(standby, "--method=rsync", "-I"))).ShouldSucceed();
        Assert.Contains("BACKUP FROM: standby", File.ReadAllText(Path.Combine(target.DataDirectory, "backup_label")), StringComparison.Ordinal);
        await StartsAndStreamsAsync(target, standby);
        await primary.ExecuteAsync("create table later as select 1 as x");
        await SameRowsAsync(target, primary, "later");
    }

    [Fact]
    public async Task A_vanished_file_is_an_error_unless_it_may_be_ignored()
    {
        var (source, target) = await OnHostsAsync(PostgresMajor.Default);
        // rsync in the remote user's path that says at the end of each real copy what it says when files vanished.
        string bin = Directory.CreateDirectory(Path.Combine(target.Directory, "bin")).FullName;
        File.WriteAllText(Path.Combine(bin, "rsync"), "#!/bin/sh\n/usr/bin/rsync \"$@\" || exit $?\ncase \"$*\" in *progress2*) exit 24;; esac\n");
        File.SetUnixFileMode(Path.Combine(bin, "rsync"), (UnixFileMode)Convert.ToInt32("755", 8));
        var launch = new Launch(Programs.Repmgr, ["-f", target.ConfPath, .. Clone(source, "--method=rsync")])
        {
            User = target.User,
            Host = target.Host,
            Environment = new Dictionary<string, string?>(target.Surroundings) { ["PATH"] = $"{bin}:{target.Surroundings["PATH"]}" },
        };
        (await Lab.RunAsync(launch)).ShouldExit(ExitCode.BadRsync).ShouldSay("--ignore-rsync-warning");
        await CannotBeStartedAsync(target);
        await LeftBackupModeAsync(source);
        (await Lab.RunAsync(launch with { Arguments = [.. launch.Arguments, "-I"] })).ShouldSucceed();
        await StartsAndStreamsAsync(target, source);
    }

    private static long Moved(ProgramResult result) => Number(MovedText().Match(result.Stderr).Groups[1].Value);

    private static long Number(string text) => long.Parse(text.Replace(",", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);

    [GeneratedRegex(@"INFO: ([0-9]+) bytes of files moved")]
    private static partial Regex MovedText();

    /// <summary>What rsync itself has written of a copy.</summary>
    [GeneratedRegex(@"received ([0-9,]+) bytes")]
    private static partial Regex LoggedText();
}
