using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Walkthroughs;

/// <summary>
/// "Alternate setup: both servers on one host" of the original's manual: users <c>prime</c> (port 5433) and <c>standby</c> (port
/// 5434), each with <c>PGDATA</c> and <c>PGPORT</c> in the login script, database <c>testdb</c>.
/// </summary>
public sealed class BothServersOnOneHostTest : LabTest
{
    private const string Status = "SELECT primary_node, standby_node, replication_lag, apply_lag FROM repmgr_test.repl_status";

    [Theory, EveryMajor]
    public async Task Prime_and_standby_change_roles_and_back(int major)
    {
        var host = (await Lab.HostsAsync("box"))[0];
        var prime = new WalkthroughNode(await Lab.ServerAsync(major, 1, host, user: "prime", port: 5433)) { Login = Login(5433) };
        var standby = new WalkthroughNode(await Lab.EmptyServerAsync(major, 2, host, user: "standby", port: 5434)) { Login = Login(5434) };
        File.Delete(prime.Server.ConfPath);
        File.Delete(standby.Server.ConfPath);

        await PreparePrimeAsync(prime);
        // Both files say the same; only PGPORT tells the servers apart.
        await prime.WriteThreeLinesAsync("host=127.0.0.1 dbname=testdb");
        await standby.WriteThreeLinesAsync("host=127.0.0.1 dbname=testdb");
        await BuildTheStandbyAsync(prime, standby);
        await RegisterAsync(prime, standby);
        var repmgrd = standby.StartRepmgrd();
        await MonitorAsync(prime, standby);
        await FailOverByHandAsync(prime, standby);
        await PrimeBecomesAStandbyAsync(prime, standby);
        await RestoreTheOriginalRolesAsync(prime, standby);
        Assert.Equal(0, await repmgrd.StopAsync());
    }

    private static Dictionary<string, string?> Login(int port) => new() { ["PGPORT"] = $"{port}" };

    private static async Task PreparePrimeAsync(WalkthroughNode prime)
    {
        await prime.Server.StartAsync();
        await prime.Server.ExecuteAsync("create role prime superuser login", "postgres");
        await prime.Server.ExecuteAsync("drop database repmgr", "postgres");
        await prime.Server.ExecuteAsync("drop role repmgr", "postgres");
        (await prime.TypeAsync("createdb testdb")).ShouldSucceed();
        await prime.PsqlAsync("testdb", "create table notes (note text)");
    }

    private static async Task BuildTheStandbyAsync(WalkthroughNode prime, WalkthroughNode standby)
    {
        (await standby.TypeAsync("repmgr -D $PGDATA -p 5433 -U prime -R prime --verbose standby clone localhost")).ShouldSucceed();
        string settings = await File.ReadAllTextAsync(Path.Combine(standby.PgData, "postgresql.auto.conf"));
        Assert.Matches(@"(?m)^\s*primary_conninfo\s*=\s*'.*port=\S*5433", settings);
        await prime.PsqlAsync("testdb", "CREATE ROLE standby SUPERUSER LOGIN");
    }

    private static async Task RegisterAsync(WalkthroughNode prime, WalkthroughNode standby)
    {
        (await prime.TypeAsync($"repmgr -f {prime.ConfPath} --verbose master register")).ShouldSucceed();
        await EditPortAsync(standby);
        await standby.Server.StartAsync();
        await StreamsAsync(standby, prime);
        (await standby.TypeAsync($"repmgr -f {standby.ConfPath} --verbose standby register")).ShouldSucceed();
        await Eventually.EqualAsync("1 port=5433\n2 port=5434", () => prime.PsqlAsync("testdb",
            "select id || ' ' || substring(conninfo from 'port=\\d+') from repmgr_test.repl_nodes order by id"),
            Seconds(15), "what repl_nodes says about the ports");
    }

    private static async Task MonitorAsync(WalkthroughNode prime, WalkthroughNode standby)
    {
        // The manual says "-d pgbench" here, which this setup does not have; testdb is meant.
        await Eventually.EqualAsync("1|2|0 bytes|0 bytes", () => prime.PsqlAsync("testdb", Status), Seconds(60), "repl_status on prime");
        await prime.PsqlAsync("testdb", "insert into notes values ('before the failure')");
        await ArrivesAsync(standby, "before the failure");
        await ReadOnlyAsync(standby);
    }

    private static async Task FailOverByHandAsync(WalkthroughNode prime, WalkthroughNode standby)
    {
        await prime.Server.StopAsync("immediate");
        (await standby.TypeAsync($"repmgr -f {standby.ConfPath} --verbose standby promote")).ShouldSucceed();
        await standby.PsqlAsync("testdb", "insert into notes values ('after the failure')");
    }

    private static async Task PrimeBecomesAStandbyAsync(WalkthroughNode prime, WalkthroughNode standby)
    {
        // The manual has "-R prime … -p 5433", prime's own user and port; to be copied is standby's server, on 5434. No -D: the
        // directory is the one in which the command is typed.
        (await prime.TypeInAsync(prime.PgData,
            "repmgr -U standby -R standby -h 127.0.0.1 -p 5434 -d testdb --force --verbose standby clone")).ShouldSucceed();
        await EditPortAsync(prime);
        await prime.Server.StartAsync();
        await StreamsAsync(prime, standby);
        await ArrivesAsync(prime, "before the failure");
        await ArrivesAsync(prime, "after the failure");
        await ReadOnlyAsync(prime);
    }

    private static async Task RestoreTheOriginalRolesAsync(WalkthroughNode prime, WalkthroughNode standby)
    {
        await standby.Server.StopAsync();
        (await prime.TypeAsync($"repmgr -f {prime.ConfPath} standby promote")).ShouldSucceed();
        // Typed on prime with standby's port in the manual, as in the first walkthrough; meant is this.
        (await standby.TypeInAsync(standby.PgData,
            "repmgr standby clone --force -h 127.0.0.1 -p 5433 -U prime -R prime --verbose")).ShouldSucceed();
        await EditPortAsync(standby);
        await standby.Server.StartAsync();
        await StreamsAsync(standby, prime);
        await prime.PsqlAsync("testdb", "insert into notes values ('roles restored')");
        await ArrivesAsync(standby, "roles restored");
        await ReadOnlyAsync(standby);
    }

    /// <summary>"Edit the postgresql.conf file and change the port": it came over with the clone.</summary>
    private static Task EditPortAsync(WalkthroughNode node) => node.Server.PersonaliseAsync();

    private static Task StreamsAsync(WalkthroughNode standby, WalkthroughNode upstream) => Eventually.TrueAsync(async () =>
        await upstream.Server.QueryAsync<bool>("select exists (select from pg_stat_replication where state = 'streaming')", "testdb")
        && await standby.Server.InRecoveryAsync("testdb"), Seconds(30), $"{standby.Server.User} streams from {upstream.Server.User}");

    private static Task ArrivesAsync(WalkthroughNode node, string note) => Eventually.EqualAsync("1",
        () => node.PsqlAsync("testdb", $"select count(*) from notes where note = '{note}'"),
        Seconds(30), $"the note «{note}» at {node.Server.User}");

    private static async Task ReadOnlyAsync(WalkthroughNode node)
    {
        var refused = await node.TypeAsync("psql", "-X", "-d", "testdb", "-c", "insert into notes values ('refused')");
        Assert.NotEqual(0, refused.ExitCode);
        refused.ShouldSay("read-only transaction");
    }
}
