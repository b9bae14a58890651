using Repmgr.Core.Postgres;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Hosts;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>Where we find the end of a server's WAL is where the server had flushed it, and where it goes on.</summary>
public sealed class WalEndTest : LabTest
{
    [Theory, EveryMajor]
    public async Task The_walk_ends_at_what_was_flushed_and_recovery_ends_there_too(int major)
    {
        TestServer server = await Lab.ServerAsync(major);
        await server.StartAsync();
        await server.ExecuteAsync("create table filled (t text)");
        foreach (int size in (int[])[10, 3000, 100000])
        {
            // Many pages, a switch of the segment in between, then records of every length across page ends.
            await server.ExecuteAsync($"insert into filled select repeat(md5(i::text), 1 + i % 50) from generate_series(1, {size}) i");
            await server.ExecuteAsync("select pg_switch_wal()");
            await server.ExecuteAsync("insert into filled values ('after the switch')");
            Lsn flushed = await LsnAsync(server, "select pg_current_wal_flush_lsn()::text");
            await server.KillAsync();
            Lsn? found = await WalOnDisk.EndAsync(server.DataDirectory, null, new PostgresBinaries(server.Major.BinDirectory), TestContext.Current.CancellationToken);
            Assert.True(found >= flushed, $"found {found}, flushed {flushed}");
            Assert.Equal(found, await WalOnDisk.EndAsync(server.DataDirectory, flushed, new PostgresBinaries(server.Major.BinDirectory), TestContext.Current.CancellationToken));

            // As a standby without an upstream it replays what there is, and stays there.
            await File.WriteAllTextAsync(Path.Combine(server.DataDirectory, "standby.signal"), "", TestContext.Current.CancellationToken);
            await server.StartAsync();
            await Eventually.EqualAsync(found!.Value, () => LsnAsync(server, "select pg_last_wal_replay_lsn()::text"), Seconds(20), "the end of replay");
            await server.ExecuteAsync("select pg_promote()");
        }
    }

    private static async Task<Lsn> LsnAsync(TestServer server, string sql) =>
        Lsn.TryParse(await server.QueryAsync<string>(sql), out Lsn lsn) ? lsn : throw new InvalidOperationException($"no position: {sql}");
}
