using System.Globalization;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>
/// What <c>tools/bench-failover</c> runs: how long there is no writable primary, for clients that try every node every 10 ms, and what agents cost that have nothing to do.
/// Prints a JSON line for each measure.
/// </summary>
/// <remarks>
/// Time counts from the moment before the fault until another node acknowledges a row. The cooldown is off, since one cluster is struck again and again; all else is as it is by
/// default.
/// </remarks>
public sealed class FailoverBench : LabTest
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);

    private static int Rounds => Number("REPMGR_BENCH_ROUNDS", 5);

    [Fact(Explicit = true)]
    public async Task Server_lost()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default, "failover_cooldown = 0");
        await using WritingClients clients = await WritingClients.StartAsync(cluster.Node(1), cluster.Nodes, Pace);
        await MeasureAsync(cluster, clients, "failover, SIGKILL of the postmaster", 0.3, node =>
        {
            _ = Leftovers.Send(cluster.PostmasterOf(node), Leftovers.SigKill);
            return Task.CompletedTask;
        });
        await MeasureAsync(cluster, clients, "failover, SIGSTOP of the postmaster", 4, node =>
        {
            _ = Leftovers.Send(cluster.PostmasterOf(node), Leftovers.SigStop);
            return Task.CompletedTask;
        });
    }

    [Theory(Explicit = true)]
    [InlineData("", 3.5)]
    [InlineData("lease_ttl = 1s, lease_renew_interval = 0.2s", 1.5)]
    public async Task Host_silent(string settings, double target)
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default, ["failover_cooldown = 0", .. settings.Split(", ", StringSplitOptions.RemoveEmptyEntries)]);
        await using WritingClients clients = await WritingClients.StartAsync(cluster.Node(1), cluster.Nodes, Pace);
        await MeasureAsync(
            cluster, clients, $"failover, host silent, {(settings.Length > 0 ? settings : "defaults")}", target,
            node => cluster.Node(node).Host!.UnplugAsync(), node => cluster.Node(node).Host!.PlugInAsync());
    }

    /// <summary>The guard ends the server before the agent's lease, which is one of ttl less a tenth at most, has ended.</summary>
    [Fact(Explicit = true)]
    public async Task Agent_frozen()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default, "failover_cooldown = 0");
        await using WritingClients clients = await WritingClients.StartAsync(cluster.Node(1), cluster.Nodes, Pace);
        List<double> fenced = [], acknowledged = [];
        await MeasureAsync(cluster, clients, "failover, SIGSTOP of the primary's agent", null, async node =>
        {
            TimeSpan frozen = WritingClients.Now;
            cluster.Agents[node].Freeze();
            await Eventually.TrueAsync(() => Task.FromResult(!cluster.Node(node).IsRunning), Seconds(20), "the server is out of service");
            fenced.Add((WritingClients.Now - frozen).TotalSeconds);
            acknowledged.Add((clients.RowsSince(frozen).Last(row => row.Node == node).At - frozen).TotalSeconds);
        }, node =>
        {
            cluster.Agents[node].Thaw();
            return Task.CompletedTask;
        });
        const double LeaseAtMost = 2.7;
        Report("SIGSTOP of the primary's agent, until its server is out of service", "s", fenced, LeaseAtMost);
        Report("SIGSTOP of the primary's agent, until the last row that its server acknowledges", "s", acknowledged, LeaseAtMost);
        Assert.All(acknowledged, time => Assert.True(time < LeaseAtMost));
    }

    [Fact(Explicit = true)]
    public async Task Agents_with_nothing_to_do()
    {
        int seconds = Number("REPMGR_BENCH_SECONDS", 60);
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        await AgentCluster.AllVoteAsync();
        Dictionary<int, double> before = cluster.Nodes.ToDictionary(node => node.NodeId, node => OfNode(node, ProcessorSeconds));
        TimeSpan from = WritingClients.Now;
        await Eventually.TrueAsync(() => Task.FromResult(WritingClients.Now - from > Seconds(seconds)), Seconds(seconds + 30), "time has passed");
        double passed = (WritingClients.Now - from).TotalSeconds;
        foreach (TestServer node in cluster.Nodes)
        {
            string who = $"agent and guard of {(node.NodeId == 1 ? "the primary" : $"standby {node.NodeId}")}, idle";
            Report($"{who}, processor", "percent of a core", [100 * (OfNode(node, ProcessorSeconds) - before[node.NodeId]) / passed], 0.5);
            Report($"{who}, resident", "MB", [OfNode(node, ResidentMegabytes)], 40);
        }
    }

    /// <summary>How long no row is acknowledged while pgbench keeps the primary busy, until its connections end with its server.</summary>
    [Fact(Explicit = true)]
    public async Task Switchover()
    {
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default);
        string[] pgbench = ["-h", cluster.Node(1).Directory, "-U", "postgres", "repmgr"];
        (await cluster.Node(1).RunAsync(cluster.Node(1).Major.Program("pgbench"), ["-i", "-q", "-s", "10", .. pgbench])).ShouldSucceed();
        await using WritingClients clients = await WritingClients.StartAsync(cluster.Node(1), cluster.Nodes, Pace);
        await AgentCluster.AllVoteAsync();
        List<double> times = [];
        for (int round = 0; round < Rounds; round++)
        {
            int primary = await cluster.AllStreamAsync(TimeSpan.FromSeconds(90));
            TestServer busy = cluster.Node(primary), next = cluster.OthersThan(primary).First();
            Task<ProgramResult> load = busy.RunAsync(busy.Major.Program("pgbench"), ["-n", "-c", "4", "-T", "100", "-h", busy.Directory, .. pgbench[2..]]);
            await Eventually.TrueAsync(
                () => busy.QueryAsync<bool>("select count(*) >= 4 from pg_stat_activity where application_name = 'pgbench'"), TimeSpan.FromSeconds(30), "pgbench is at work");
            TimeSpan asked = WritingClients.Now;
            (await next.RepmgrAsync("standby", "switchover")).ShouldSucceed();
            _ = await clients.AwaitRowsAsync(20, notBy: primary, TimeSpan.FromSeconds(60));
            times.Add(clients.LongestGap(asked).TotalSeconds);
            _ = await load;
        }

        _ = clients.ShouldHaveHadOnePrimaryAtATime();
        Report("standby switchover under pgbench, without an acknowledgement", "s", times, 0.3);
    }

    private static async Task MeasureAsync(
        AgentCluster cluster, WritingClients clients, string measure, double? target, Func<int, Task> strike, Func<int, Task>? heal = null)
    {
        List<double> times = [];
        for (int round = 0; round < Rounds; round++)
        {
            int primary = await cluster.AllStreamAsync(TimeSpan.FromSeconds(90));
            await AgentCluster.AllVoteAsync();
            TimeSpan struck = WritingClients.Now;
            await strike(primary);
            int next = await clients.AwaitRowsAsync(20, notBy: primary, TimeSpan.FromSeconds(60));
            times.Add((clients.RowsSince(struck).First(row => row.Node == next).At - struck).TotalSeconds);
            if (heal is not null)
                await heal(primary);
        }

        await cluster.AllStreamAsync(TimeSpan.FromSeconds(90));
        _ = clients.ShouldHaveHadOnePrimaryAtATime();
        Report(measure, "s", times, target);
    }

    private static void Report(string measure, string unit, IReadOnlyList<double> values, double? target)
    {
        double[] sorted = [.. values.Order()];
        double median = sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
        string limit = target is { } most ? string.Create(CultureInfo.InvariantCulture, $",\"target\":{most}") : "";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{{\"measure\":\"{measure}\",\"unit\":\"{unit}\",\"ours\":{median:0.###},\"least\":{sorted[0]:0.###},\"most\":{sorted[^1]:0.###},\"rounds\":{sorted.Length}{limit}}}"));
    }

    private static double OfNode(TestServer node, Func<int, double> measure) =>
        Leftovers.In(node.Directory).Where(pid => File.ReadAllText($"/proc/{pid}/comm").StartsWith("repmgrd", StringComparison.Ordinal)).Sum(measure);

    // Fields 14 and 15 count clock ticks, of which there are a hundred in a second: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    private static double ProcessorSeconds(int pid)
    {
        string stat = File.ReadAllText($"/proc/{pid}/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[11], CultureInfo.InvariantCulture) + double.Parse(fields[12], CultureInfo.InvariantCulture)) / 100;
    }

    private static double ResidentMegabytes(int pid) => double.Parse(
        File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1024;

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int number) ? number : otherwise;
}
