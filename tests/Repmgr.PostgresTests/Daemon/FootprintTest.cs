using System.Globalization;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Daemon;

/// <summary>
/// What the daemon costs a host, measured from outside: resident memory of the published program. Its processor time is only
/// reported here, because other tests run beside this one; <c>make bench</c> measures it alone.
/// </summary>
public sealed class FootprintTest : LabTest
{
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Watching_three_nodes_takes_at_most_30_MB()
    {
        TestCluster cluster = await Lab.ClusterAsync(PostgresMajor.Default, standbys: 2);
        await Registration.OfAsync(cluster);
        foreach (TestServer node in cluster.All)
            await node.WriteConfAsync("monitoring_history = yes");
        RepmgrdProcess[] daemons = [.. cluster.All.Select(node => node.StartRepmgrd())];
        foreach (RepmgrdProcess daemon in daemons)
            await daemon.SaysAsync("monitoring c", Seconds(30));
        await Eventually.TrueAsync(
            () => cluster.Primary.QueryAsync<bool>("select count(*) >= 4 from repmgr.monitoring_history"), Seconds(30), "the start is over");

        TimeSpan[] before = [.. daemons.Select(daemon => Processor(daemon.ProcessId))];
        DateTime began = DateTime.UtcNow;
        await Eventually.TrueAsync(() => Task.FromResult(DateTime.UtcNow - began >= Measured), Measured + Seconds(10), "the time to measure is over");
        double elapsed = (DateTime.UtcNow - began).TotalSeconds;

        for (int index = 0; index < daemons.Length; index++)
        {
            double share = (Processor(daemons[index].ProcessId) - before[index]).TotalSeconds / elapsed;
            long resident = Resident(daemons[index].ProcessId);
            TestContext.Current.TestOutputHelper?.WriteLine(
                string.Create(CultureInfo.InvariantCulture, $"{cluster.All[index].Name}: {resident / 1024.0:0.0} MB resident, {share * 100:0.000} % of a core"));
            Assert.True(resident <= 30 * 1024, $"{cluster.All[index].Name} has {resident} kB resident");
        }

        await Task.WhenAll(daemons.Select(daemon => daemon.StopAsync()));
    }

    // Fields 14 and 15 of /proc/PID/stat, in hundredths of a second: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    private static TimeSpan Processor(int pid)
    {
        string[] fields = File.ReadAllText($"/proc/{pid}/stat").Split(' ');
        return TimeSpan.FromSeconds((long.Parse(fields[13], CultureInfo.InvariantCulture) + long.Parse(fields[14], CultureInfo.InvariantCulture)) / 100.0);
    }

    private static long Resident(int pid) => long.Parse(
        File.ReadAllLines($"/proc/{pid}/status").Single(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);
}
