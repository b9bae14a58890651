using System.Globalization;
using System.Text.Json;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>The direct method where no replication slot can hold the WAL of the backup.</summary>
public sealed class StreamedWalCloneTest : CloneTest
{
    [Theory, EveryMajor]
    public async Task Without_a_slot_WAL_is_fetched_before_the_source_recycles_it(int major)
    {
        var (source, target) = await OnLoopbackAsync(major);
        await source.ConfigureAsync("max_wal_size = 32MB", "min_wal_size = 32MB", "wal_keep_size = 0", "autovacuum = off", "max_replication_slots = 0");
        await source.RestartAsync();
        await FillAsync(source, 60_000);

        // Who fills a segment faster than it can be fetched is told to run the command again, which is what is done here, against a source that takes more time.
        double pace = 0.15;
        (ProgramResult cloned, bool wasRecycled) = await UnderFireAsync(source, target, pace);
        for (int again = 0; again < 3 && (cloned.Stdout + cloned.Stderr).Contains("the source has removed WAL segment", StringComparison.Ordinal); again++)
            (cloned, wasRecycled) = await UnderFireAsync(source, target, pace *= 2, "-F");
        cloned.ShouldSucceed();
        Assert.True(wasRecycled);
        Assert.Contains("no free replication slot", cloned.Stdout + cloned.Stderr, StringComparison.Ordinal);
        Assert.True(JsonDocument.Parse(cloned.Stdout).RootElement.GetProperty("success").GetBoolean());
        (await target.RunAsync(target.Major.Program("pg_verifybackup"), target.DataDirectory)).ShouldSucceed();

        await StartsAndStreamsAsync(target, source);
        foreach (string table in new[] { "filling", "busy" })
            await SameRowsAsync(target, source, table);
        await SoundAsync(target, source);
    }

    private static async Task<(ProgramResult Cloned, bool WasRecycled)> UnderFireAsync(TestServer source, TestServer target, double pace, params string[] more)
    {
        using var stop = new CancellationTokenSource();
        Task busy = WriteAsync(source, pace, stop.Token);
        Task<ProgramResult> cloning = CloneAsync(target, Clone(source, ["--json", "--max-rate=4M", .. more]));
        await Eventually.EqualAsync(true, () => Task.FromResult(cloning.IsCompleted || IsRecycled(source, target)), Seconds(60), "a segment of the backup is here and no longer there");
        bool wasRecycled = !cloning.IsCompleted;
        await stop.CancelAsync();
        await busy;
        return (await cloning, wasRecycled);
    }

    // Checkpoints come by themselves, when two segments are full. A server without fsync would fill them in a few hundredths of a second,
    // faster than anybody can read who is not told; this one is paced to fill one in some tenths.
    private static async Task WriteAsync(TestServer source, double pace, CancellationToken stop)
    {
        string sleep = pace.ToString(CultureInfo.InvariantCulture);
        await source.ExecuteAsync("create table if not exists busy (x int, wide text)");
        while (!stop.IsCancellationRequested)
        {
            await source.ExecuteAsync("insert into busy select g, repeat('w', 300) from generate_series(1, 5000) g");
            await source.ExecuteAsync($"update filling set g = g + 1 where g % 50 = 0; select pg_sleep({sleep})");
        }
    }

    private static bool IsRecycled(TestServer source, TestServer target) =>
        Segments(target).Min(StringComparer.Ordinal) is { } oldest && !Segments(source).Contains(oldest);

    private static IEnumerable<string> Segments(TestServer server)
    {
        string wal = Path.Combine(server.DataDirectory, "pg_wal");
        return Directory.Exists(wal) ? Directory.EnumerateFiles(wal).Select(path => Path.GetFileName(path)!).Where(name => name.Length == 24) : [];
    }
}
