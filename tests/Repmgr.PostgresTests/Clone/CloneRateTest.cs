using System.Text.Json;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

public sealed class CloneRateTest : CloneTest
{
    private const int Rate = 16 << 20;

    /// <summary>A limit is held by waiting: that a copy takes at least so long does not depend on the machine.</summary>
    [Fact]
    public async Task The_WAL_of_the_backup_comes_no_faster_than_the_files()
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        await FillAsync(source, 40_000);
        Task<ProgramResult> cloning = CloneAsync(target, Clone(source, "--json", "--max-rate=16M"));
        await Eventually.TrueAsync(() => Task.FromResult(cloning.IsCompleted || Directory.Exists(Path.Combine(target.DataDirectory, "base"))), Seconds(60), "files are being copied");
        await source.ExecuteAsync("create table meanwhile as select g, repeat('x', 500) as wide from generate_series(1, 40000) g");

        JsonElement result = ResultOf(await cloning, "direct");
        long wal = Directory.EnumerateFiles(Path.Combine(target.DataDirectory, "pg_wal")).Where(path => Path.GetFileName(path).Length == 24).Sum(path => new FileInfo(path).Length);
        Assert.True(wal >= 2 * (16 << 20), $"{wal} bytes of WAL are too few to tell");
        double least = (result.GetProperty("bytes_moved").GetInt64() + wal) / (double)Rate;
        Assert.True(result.GetProperty("seconds").GetDouble() >= least - 0.1, $"{result.GetProperty("seconds")} s, where {least} s are the least");
    }
}
