using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Daemon;

/// <summary>The operator's own query, by which a server shows that it is there.</summary>
public sealed class CheckQueryTest : LabTest
{
    private const string Held = "select count(*)::int from pg_locks where locktype = 'advisory' and objid = 77";

    [Fact]
    public async Task It_is_run_on_every_server_and_one_that_fails_is_a_server_that_is_not_there()
    {
        var cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 1);
        await Registration.OfAsync(cluster);
        TestServer standby = cluster.Standbys[0];
        await standby.WriteConfAsync("monitor_interval_secs=1", "connection_check_type=query", "connection_check_query='select pg_try_advisory_lock_shared(77)'");
        var daemon = standby.StartRepmgrd();

        foreach (TestServer server in cluster.All)
            await Eventually.EqualAsync(1, () => server.QueryAsync<int>(Held), Seconds(20), $"the lock that the query takes on {server.Name}");

        await standby.WriteConfAsync(
            "monitor_interval_secs=1", "reconnect_attempts=1", "reconnect_interval=1", "connection_check_type=query",
            "connection_check_query='select 1/(1 - pg_is_in_recovery()::int - 1)'");
        daemon.Reload();
        await daemon.SaysAsync("division by zero", Seconds(20));
        Assert.Equal(0, await daemon.StopAsync());
    }
}
