using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Clone;

/// <summary>How much memory the direct method takes depends neither on the size of the cluster nor on the number of its files.</summary>
public sealed class DirectMemoryTest : CloneTest
{
    private const int Files = 150_000;
    private const long Most = 64L << 20;

    [Fact]
    public async Task Eight_connections_stay_below_64_megabytes_with_many_files_and_a_large_table()
    {
        var (source, target) = await OnLoopbackAsync(PostgresMajor.Default);
        await source.ConfigureAsync("autovacuum = off");
        await source.ReloadAsync();
        await FillAsync(source, 250_000);
        await source.ExecuteAsync("create database crowded");
        // Nobody's files are copied like those of tables, and are made in no time.
        string crowded = Path.Combine(source.DataDirectory, "base", (await source.QueryAsync<uint>("select oid from pg_database where datname = 'crowded'")).ToString(System.Globalization.CultureInfo.InvariantCulture));
        byte[] page = new byte[8192];
        for (int file = 0; file < Files; file++)
        {
            page[100] = (byte)file;
            await File.WriteAllBytesAsync(Path.Combine(crowded, $"{900_000 + file}"), file % 10 == 0 ? page : [], TestContext.Current.CancellationToken);
        }

        await TestUser.GiveAsync(crowded, source.User);
        await PeakAsync(target, "the first copy", Clone(source, "--jobs=8"));
        // What the source does not have is removed, however much it is.
        foreach (string copied in Directory.EnumerateFiles(Path.Combine(target.DataDirectory, "base", Path.GetFileName(crowded)), "9*").Take(Files / 3).ToList())
            File.Move(copied, Path.Combine(Path.GetDirectoryName(copied)!, "8" + Path.GetFileName(copied)[1..]));
        await source.ExecuteAsync("update filling set g = -g where g % 20 = 0; checkpoint");
        await PeakAsync(target, "a copy by difference", Clone(source, "--jobs=8", "--force"));
        // Pages that cannot be judged are looked at twice more.
        await source.ExecuteAsync("update filling set g = -g where g % 20 = 1; checkpoint");
        await PeakAsync(target, "a comparison", ["-h", source.Address, "-p", $"{source.Port}", "node", "verify", "--jobs=8"]);
        HashSet<string?> there = [.. Directory.EnumerateFiles(crowded).Select(Path.GetFileName)];
        Assert.True(there.Count > Files);
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(target.DataDirectory, "base", Path.GetFileName(crowded))).Select(Path.GetFileName).Except(there));
        Assert.Empty(Directory.EnumerateFileSystemEntries(target.DataDirectory, "repmgr_clone*"));
    }

    private static async Task PeakAsync(TestServer target, string what, string[] arguments)
    {
        var run = CloneRun.Start(target, arguments);
        long peak = await run.PeakMemoryAsync();
        (await run.Ended).ShouldSucceed();
        TestContext.Current.TestOutputHelper?.WriteLine($"{what}: {peak >> 10} kB at most");
        Assert.True(peak is > 1 << 20 and <= Most, $"{what} took {peak >> 10} kB at most; the limit is {Most >> 10} kB");
    }
}
