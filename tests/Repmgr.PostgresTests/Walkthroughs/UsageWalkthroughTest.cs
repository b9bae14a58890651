using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Walkthroughs;

/// <summary>
/// "Usage walkthrough" of the original's manual: three hosts with one PostgreSQL each on port 5432, user <c>postgres</c>,
/// copied with rsync over ssh. The command lines are the manual's; where it contradicts itself a comment says what was meant.
/// </summary>
public sealed class UsageWalkthroughTest : LabTest
{
    private const string Clone = "repmgr -D $PGDATA -d pgbench -p 5432 -U repmgr -R postgres --verbose standby clone ";
    private const string ForcedClone = "repmgr -D $PGDATA -d pgbench -p 5432 -U repmgr -R postgres --verbose --force standby clone ";

    [Theory, EveryMajor]
    public async Task Three_hosts_through_failure_and_back(int major)
    {
        var hosts = await Lab.HostsAsync("node1", "node2", "node3");
        var node1 = new WalkthroughNode(await Lab.ServerAsync(major, 1, hosts[0]));
        var node2 = new WalkthroughNode(await Lab.EmptyServerAsync(major, 2, hosts[1]));
        var node3 = new WalkthroughNode(await Lab.EmptyServerAsync(major, 3, hosts[2]));
        WalkthroughNode[] all = [node1, node2, node3];
        foreach (var node in all)
            File.Delete(node.Server.ConfPath);

        await PrepareThePrimaryAsync(node1);
        await CloneTheStandbyAsync(node1, node2);
        foreach (var node in all)
            await node.WriteThreeLinesAsync($"host={node.Server.Name} user=repmgr dbname=pgbench");
        await RegisterAsync(node1, node2);
        var repmgrd2 = await WatchAsync(node1, node2);
        await AddTheThirdNodeAsync(node1, node3);
        await LosePrimaryAsync(node1, node2);
        await PromoteAsync(node2, node3);
        await BringTheFormerPrimaryBackAsync(node1, node2);
        await RestoreTheOriginalRolesAsync(node1, node2, node3);
        Assert.Equal(0, await repmgrd2.StopAsync());
    }

    private static async Task PrepareThePrimaryAsync(WalkthroughNode node1)
    {
        // The harness's servers come with a role and a database; the manual begins without.
        await node1.Server.ConfigureAsync(
            "listen_addresses='*'",
            "wal_level = 'hot_standby'", // Still understood: https://www.postgresql.org/docs/current/runtime-config-wal.html#GUC-WAL-LEVEL
            "archive_mode = on",
            "archive_command = 'cd .'",
            "max_wal_senders = 10",
            "wal_keep_size = '1GB'",
            "hot_standby = on");
        await File.AppendAllLinesAsync(Path.Combine(node1.PgData, "pg_hba.conf"),
        [
            "host     all              all         192.168.1.0/24         trust",
            "host     replication      all         192.168.1.0/24         trust",
        ]);
        await node1.Server.StartAsync();
        await node1.Server.ExecuteAsync("drop database repmgr", "postgres");
        await node1.Server.ExecuteAsync("drop role repmgr", "postgres");
        (await node1.TypeAsync("createdb pgbench")).ShouldSucceed();
        (await node1.TypeAsync("pgbench -i -q -s 1 pgbench")).ShouldSucceed();
        (await node1.TypeAsync("createuser --login --superuser repmgr")).ShouldSucceed();
    }

    private static async Task CloneTheStandbyAsync(WalkthroughNode node1, WalkthroughNode node2)
    {
        (await node2.TypeAsync("psql", "-h", "node1", "-U", "repmgr", "-d", "pgbench", "-c", "select 1")).ShouldSucceed();
        (await node2.TypeAsync(Clone + "node1")).ShouldSucceed();
        Assert.True(File.Exists(Path.Combine(node2.PgData, "standby.signal")));
        string settings = await File.ReadAllTextAsync(Path.Combine(node2.PgData, "postgresql.auto.conf"));
        Assert.Matches(@"(?m)^\s*primary_conninfo\s*=\s*'.*host=\S*node1", settings);
        Assert.False(await node1.Server.QueryAsync<bool>(
            "select exists (select from pg_stat_progress_basebackup)", "pgbench"));
        await MoveSocketAsync(node2);
    }

    private static async Task RegisterAsync(WalkthroughNode node1, WalkthroughNode node2)
    {
        (await node1.TypeAsync($"repmgr -f {node1.ConfPath} --verbose master register")).ShouldSucceed();
        await node2.Server.StartAsync();
        await StreamsAsync(node2, node1);
    }

    /// <summary>"You can instead start repmgrd, which will automatically register your standby system."</summary>
    private static async Task<RepmgrdProcess> WatchAsync(WalkthroughNode node1, WalkthroughNode node2)
    {
        var repmgrd = node2.StartRepmgrd();
        await Eventually.EqualAsync("1|2|0 bytes|0 bytes", () => node2.PsqlAsync("pgbench",
            "SELECT primary_node, standby_node, replication_lag, apply_lag FROM repmgr_test.repl_status"),
            Seconds(60), "repl_status on node2");
        string before = await node2.PsqlAsync("pgbench", "SELECT last_wal_primary_location FROM repmgr_test.repl_status");

        await node1.PsqlAsync("pgbench", "insert into pgbench_history (tid, filler) values (1, 'before the failure')");
        await ArrivesAsync(node2, "before the failure");
        await Eventually.TrueAsync(async () => before != await node2.PsqlAsync("pgbench",
            "SELECT last_wal_primary_location FROM repmgr_test.repl_status"), Seconds(30), "repl_status advances");
        await ReadOnlyAsync(node2);
        return repmgrd;
    }

    private static async Task AddTheThirdNodeAsync(WalkthroughNode node1, WalkthroughNode node3)
    {
        (await node3.TypeAsync(Clone + "node1")).ShouldSucceed();
        await MoveSocketAsync(node3);
        await node3.Server.StartAsync();
        await StreamsAsync(node3, node1);
        (await node3.TypeAsync($"repmgr -f {node3.ConfPath} --verbose standby register")).ShouldSucceed();
    }

    private static async Task LosePrimaryAsync(WalkthroughNode node1, WalkthroughNode node2)
    {
        await node1.Server.KillAsync();
        const string Lag = "SELECT extract(epoch from time_lag)::int FROM repmgr_test.repl_status WHERE standby_node = 2";
        int first = int.Parse(await node2.PsqlAsync("pgbench", Lag), System.Globalization.CultureInfo.InvariantCulture);
        await Eventually.SatisfiesAsync(
            async () => int.Parse(await node2.PsqlAsync("pgbench", Lag), System.Globalization.CultureInfo.InvariantCulture),
            lag => lag >= first + 2, Seconds(30), "time_lag grows while the primary is gone");
    }

    private static async Task PromoteAsync(WalkthroughNode node2, WalkthroughNode node3)
    {
        (await node2.TypeAsync($"repmgr -f {node2.ConfPath} --verbose standby promote")).ShouldSucceed();
        await node2.PsqlAsync("pgbench", "insert into pgbench_history (tid, filler) values (2, 'after the failure')");
        (await node3.TypeAsync($"repmgr -f {node3.ConfPath} standby follow")).ShouldSucceed();
        await StreamsAsync(node3, node2);
        await ArrivesAsync(node3, "after the failure");
    }

    private static async Task BringTheFormerPrimaryBackAsync(WalkthroughNode node1, WalkthroughNode node2)
    {
        (await node1.TypeAsync(ForcedClone + "node2")).ShouldSucceed();
        await MoveSocketAsync(node1);
        await node1.Server.StartAsync();
        await StreamsAsync(node1, node2);
        await ArrivesAsync(node1, "before the failure");
        await ArrivesAsync(node1, "after the failure");
        await ReadOnlyAsync(node1);
    }

    private static async Task RestoreTheOriginalRolesAsync(WalkthroughNode node1, WalkthroughNode node2, WalkthroughNode node3)
    {
        await node2.Server.StopAsync();
        (await node1.TypeAsync($"repmgr -f {node1.ConfPath} standby promote")).ShouldSucceed();

        // The manual has this typed on node1 with "-h node2", which would copy the node that was just given up over the one that
        // was just promoted. There it is refused, since that server runs; meant is the other way round, in node2's $PGDATA.
        var refused = await node1.TypeInAsync(node1.PgData, "repmgr standby clone --force -h node2 -p 5432 -U postgres -R postgres --verbose");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.False(await node1.Server.InRecoveryAsync("pgbench"));
        (await node2.TypeInAsync(node2.PgData, "repmgr standby clone --force -h node1 -p 5432 -U postgres -R postgres --verbose")).ShouldSucceed();
        await MoveSocketAsync(node2);
        await node2.Server.StartAsync();
        await StreamsAsync(node2, node1);

        (await node3.TypeAsync($"repmgr -f {node3.ConfPath} standby follow")).ShouldSucceed();
        await StreamsAsync(node3, node1);
        await node1.PsqlAsync("pgbench", "insert into pgbench_history (tid, filler) values (3, 'roles restored')");
        await ArrivesAsync(node2, "roles restored");
        await ArrivesAsync(node3, "roles restored");
        await ReadOnlyAsync(node2);
    }

    /// <summary>The one thing on which hosts that share a file system differ: where the socket lies.</summary>
    private static Task MoveSocketAsync(WalkthroughNode node) => node.Server.PersonaliseAsync();

    private static Task StreamsAsync(WalkthroughNode standby, WalkthroughNode upstream) => Eventually.TrueAsync(
        () => upstream.Server.QueryAsync<bool>(
            $"select exists (select from pg_stat_replication where state = 'streaming' and client_addr = '{standby.Server.Host!.Address}')", "pgbench"),
        Seconds(30), $"{standby.Server.Name} streams from {upstream.Server.Name}");

    private static Task ArrivesAsync(WalkthroughNode node, string filler) => Eventually.EqualAsync("1",
        () => node.PsqlAsync("pgbench", $"select count(*) from pgbench_history where filler = '{filler}'"),
        Seconds(30), $"the row «{filler}» on {node.Server.Name}");

    private static async Task ReadOnlyAsync(WalkthroughNode node)
    {
        var refused = await node.TypeAsync("psql", "-X", "-d", "pgbench", "-c", "insert into pgbench_history (tid) values (9)");
        Assert.NotEqual(0, refused.ExitCode);
        refused.ShouldSay("read-only transaction");
    }
}
