using Repmgr.Core.Problems;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

public sealed class BaseBackupCloneTest : CloneTest
{
    [Theory, EveryMajor]
    public async Task A_standby_is_copied_verified_started_and_registered(int major)
    {
        var (source, target) = await OnLoopbackAsync(major);
        (await source.RepmgrAsync("primary", "register")).ShouldSucceed();
        string there = await Lab.SubdirectoryAsync("tablespace on node1");
        string here = await Lab.SubdirectoryAsync("tablespace on node2");
        await FillAsync(source, 1000, there);
        await target.WriteConfAsync("use_replication_slots=yes", $"tablespace_mapping='{there}={here}'", "recovery_min_apply_delay=0");

        var plan = (await CloneAsync(target, BaseBackup(source, "--verify-backup", "--dry-run"))).ShouldSucceed();
        Assert.StartsWith("1. reserve replication slot \"repmgr_slot_2\" on 127.0.0.1", plan.Stdout, StringComparison.Ordinal);
        Assert.False(Directory.Exists(target.DataDirectory));

        var result = (await CloneAsync(target, BaseBackup(source, "--verify-backup", "--max-rate", "64M", "-c"))).ShouldSucceed();
        result.ShouldSay("every file and all WAL are as the manifest says").ShouldSay($"pg_ctl -D {target.DataDirectory}").ShouldSay("standby register");
        Assert.Empty(Directory.EnumerateFileSystemEntries(target.DataDirectory, "repmgr_clone*"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(here, "repmgr_clone*"));
        Assert.Equal(
            "standby_clone|t|2", string.Join('|', (await source.RowsAsync("select event, successful, node_id from repmgr.events order by event_timestamp desc limit 1"))[0]));

        await StartsAndStreamsAsync(target, source);
        await SameRowsAsync(target, source, "elsewhere");
        Assert.True(await source.QueryAsync<bool>("select active from pg_replication_slots where slot_name = 'repmgr_slot_2'"));
        Assert.Equal(here, new FileInfo(Assert.Single(Directory.EnumerateFileSystemEntries(Path.Combine(target.DataDirectory, "pg_tblspc")))).LinkTarget);
        (await target.RepmgrAsync("standby", "register")).ShouldSucceed();
    }

    [Fact]
    public async Task An_old_copy_stays_whole_until_the_new_one_is()
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        (await CloneAsync(target, BaseBackup(source))).ShouldSucceed();
        await StartsAndStreamsAsync(target, source);
        await target.StopAsync();
        string extraneous = Path.Combine(target.DataDirectory, "base", "1", "99999");
        File.WriteAllText(extraneous, "left over");
        string ownConf = File.ReadAllText(Path.Combine(target.DataDirectory, "postgresql.conf"));

        await target.WriteConfAsync("pg_basebackup_options='--wal-method=none-such'");
        (await CloneAsync(target, BaseBackup(source, "--force"))).ShouldExit(ExitCode.BadBaseBackup).ShouldSay("pg_basebackup failed");
        await target.StartAsync();
        await target.StreamsFromAsync(source);
        await target.StopAsync();

        await target.WriteConfAsync();
        (await CloneAsync(target, BaseBackup(source))).ShouldExit(ExitCode.BadConfig).ShouldSay("holds a copy of this cluster already");
        (await CloneAsync(target, BaseBackup(source, "--force"))).ShouldSucceed();
        Assert.False(File.Exists(extraneous));
        Assert.Equal(ownConf, File.ReadAllText(Path.Combine(target.DataDirectory, "postgresql.conf.before_clone")));
        await StartsAndStreamsAsync(target, source);
    }

    [Theory, EveryMajor]
    public async Task A_promoted_standby_becomes_a_copy_again(int major)
    {
        var cluster = await Lab.ClusterAsync(major, standbys: 1);
        var (old, now) = (cluster.Primary, cluster.Standbys[0]);
        await cluster.RegisterAsync();
        await old.KillAsync();
        (await now.RunAsync(now.Major.Program("pg_ctl"), "-D", now.DataDirectory, "-w", "promote")).ShouldSucceed();
        await now.ExecuteAsync("create table after_failover as select 42 as x");
        (await CloneAsync(old, BaseBackup(now, "--force"))).ShouldSucceed().ShouldSay("run: repmgr standby register --force");
        await StartsAndStreamsAsync(old, now);
        await SameRowsAsync(old, now, "after_failover");
    }

    [Fact]
    public async Task A_standby_serves_as_the_source_and_the_primary_as_the_upstream()
    {
        var cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 1);
        await cluster.RegisterAsync();
        var third = await Lab.EmptyServerAsync(PostgresMajor.Default, 3);
        await third.WriteConfAsync("use_replication_slots=yes");
        (await CloneAsync(third, BaseBackup(cluster.Standbys[0]))).ShouldSucceed();
        await StartsAndStreamsAsync(third, cluster.Primary);
        Assert.Equal(0L, await cluster.Standbys[0].QueryAsync<long>("select count(*) from pg_replication_slots"));

        var fourth = await Lab.EmptyServerAsync(PostgresMajor.Default, 4);
        (await CloneAsync(fourth, BaseBackup(cluster.Standbys[0], "--upstream-node-id=2"))).ShouldSucceed();
        await StartsAndStreamsAsync(fourth, cluster.Standbys[0]);
    }

    [Fact]
    public async Task Only_the_replication_settings_are_written_on_request()
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        (await source.RepmgrAsync("primary", "register")).ShouldSucceed();
        (await CloneAsync(target, Clone(source, "--replication-conf-only"))).ShouldExit(ExitCode.BadConfig).ShouldSay("there is no whole cluster in");
        (await target.RunAsync(target.Major.Program("pg_basebackup"), "-h", source.Address, "-p", $"{source.Port}", "-U", "repmgr", "-D", target.DataDirectory)).ShouldSucceed();
        await target.WriteConfAsync("use_replication_slots=yes", "restore_command='cp /nowhere/%f %p'");
        var result = (await CloneAsync(target, Clone(source, "--replication-conf-only", "--recovery-min-apply-delay=2s", "--replication-user=postgres"))).ShouldSucceed();
        result.ShouldSay("replication from 127.0.0.1");
        await StartsAndStreamsAsync(target, source);
        Assert.Equal("2s|cp /nowhere/%f %p|repmgr_slot_2", string.Join('|', (await target.RowsAsync(
            "select current_setting('recovery_min_apply_delay'), current_setting('restore_command'), current_setting('primary_slot_name')"))[0]));
        Assert.Contains("user=postgres", await target.QueryAsync<string>("select current_setting('primary_conninfo')"), StringComparison.Ordinal);
    }
}
