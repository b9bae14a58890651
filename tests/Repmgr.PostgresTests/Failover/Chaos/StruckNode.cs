using System.Globalization;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover.Chaos;

/// <summary>A node, and all that can be done to it.</summary>
internal sealed class StruckNode(ChaosCluster chaos, int id)
{
    private const string FakeClock = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

    public int Id => id;

    public TestServer Server => chaos.Cluster.Node(id);

    public TestHost Host => Server.Host!;

    private string ClockFile => Path.Combine(Server.Directory, "clock");

    public Task SendToPostmaster(int signal) => Send(chaos.Cluster.PostmasterOf(id), signal);

    public async Task SendToBackendAsync(int signal)
    {
        // A client's, which comes again and again.
        int backend = await Eventually.SatisfiesAsync(
            () => Task.FromResult(chaos.Cluster.ProcessOf(id, ": postgres repmgr [local]")), pid => pid > 0, TimeSpan.FromSeconds(20), $"a client is connected to node {id}");
        await Send(backend, signal);
    }

    public Task SendToAgent(int signal) => Send(Named("repmgrd"), signal);

    public Task SendToGuard(int signal) => Send(Named("repmgrd-guard"), signal);

    public async Task FreezeGuardForAsync(TimeSpan time)
    {
        await SendToGuard(Leftovers.SigStop);
        await ChaosCluster.PassAsync(time);
    }

    public async Task SpoilLineForAsync(TimeSpan time)
    {
        await Host.SpoilAsync(lost: 0.3, TimeSpan.FromSeconds(0.5));
        await ChaosCluster.PassAsync(time);
    }

    public Task SendToDisk(int signal) => Send(Named("bindfs"), signal);

    public Task SendToAll(int signal) => Send(Leftovers.In(Server.Directory), signal);

    /// <summary>All that was frozen goes on. What started a process stops itself when it finds that one stopped (nsenter), so that one word may not do.</summary>
    public Task Thaw() => Eventually.TrueAsync(
        async () =>
        {
            IReadOnlyList<int> stopped = [.. Leftovers.In(Server.Directory).Where(IsStopped)];
            await Send(stopped, Leftovers.SigCont);
            return stopped.Count == 0;
        },
        TimeSpan.FromSeconds(20), $"all of node {id} goes on");

    public async Task KillAgentAsync()
    {
        chaos.Cluster.Agents[id].Kill();
        await chaos.Cluster.Agents[id].ExitAsync(TimeSpan.FromSeconds(20));
    }

    public Task StartAgent()
    {
        chaos.Cluster.StartAgent(id);
        return Task.CompletedTask;
    }

    public async Task RestartAgentAsync()
    {
        await chaos.Cluster.Agents[id].StopAsync();
        await StartAgent();
    }

    /// <summary>Server, agent and guard end at once.</summary>
    public async Task LosePowerAsync()
    {
        // Still first: they are not to see each other go.
        IReadOnlyList<int> processes = Powered(), servers = Leftovers.OfServer(Server.DataDirectory);
        await Send(processes, Leftovers.SigStop);
        await Send(processes, Leftovers.SigKill);
        // A postmaster that has ended counts as running for PostgreSQL until somebody has waited for it; of others it does not matter.
        await Eventually.SatisfiesAsync(
            () => Task.FromResult(string.Join(' ', Powered().Concat(servers.Where(pid => !Leftovers.IsGone(pid))).Select(NameOf))),
            left => left.Length == 0, TimeSpan.FromSeconds(20), $"all of node {id} is gone");
    }

    // The disk is no process, on a host that is one.
    private IReadOnlyList<int> Powered() => [.. Leftovers.In(Server.Directory).Where(pid => NameOf(pid) != "bindfs")];

    public async Task SwitchOnAsync()
    {
        await Server.StartAsync();
        await StartAgent();
    }

    public Task AllAsync(Func<StruckNode, Task> what) => Task.WhenAll(chaos.Cluster.Nodes.Select(node => what(new StruckNode(chaos, node.NodeId))));

    /// <summary>With the hosts of all other nodes, and with that of the store where there is one.</summary>
    public async Task WithOthersAsync(Func<TestHost, TestHost, Task> what)
    {
        foreach (TestHost other in chaos.Cluster.OthersThan(id).Select(node => node.Host).Append(chaos.Store).OfType<TestHost>())
            await what(Host, other);
    }

    public Task WithOneOtherAsync(Func<TestHost, TestHost, Task> what) => what(Host, chaos.Cluster.OthersThan(id).First().Host!);

    /// <summary>Puts the data directory onto a disk of its own, unless it is on one, and has this node made the primary.</summary>
    public async Task MoveOntoAsync(DiskOfItsOwn disk)
    {
        if (await chaos.Cluster.AllStreamAsync(TimeSpan.FromSeconds(90)) == id)
            await PromoteAsync(chaos.Cluster.OthersThan(id).First().NodeId);
        await chaos.Cluster.Agents[id].StopAsync();
        await Server.StopAsync();
        await disk.MoveAsync(Server);
        await SwitchOnAsync();
        await PromoteAsync(id);
    }

    /// <summary>
    /// Fills it, and writes WAL until the server gives up. A server that only cannot extend a table says so to its clients and goes on: another one with the same data would have no
    /// more room.
    /// </summary>
    public async Task FillDiskAsync()
    {
        await Host.FillAsync(Server.DataDirectory, "full");
        await Eventually.TrueAsync(
            async () => !await Eventually.IsSoAsync(async () =>
            {
                await Server.ExecuteAsync("select pg_logical_emit_message(false, 'full', 'full'); select pg_switch_wal()");
                return true;
            }),
            TimeSpan.FromSeconds(30), $"node {id} has no room for WAL any more");
    }

    /// <summary>The agent runs with a clock of its own, which can be set while it runs.</summary>
    public async Task RestartAgentUnderAnotherClockAsync()
    {
        Assert.SkipUnless(File.Exists(FakeClock), "there is no libfaketime on this machine; tools/prerequisites test installs it");
        await File.WriteAllTextAsync(ClockFile, "+0");
        await chaos.Cluster.Agents[id].StopAsync();
        // The monotonic clocks are not the ones that an operator can set.
        chaos.Cluster.Agents[id] = Server.StartRepmgrd(new Dictionary<string, string?>
        {
            ["LD_PRELOAD"] = FakeClock,
            ["FAKETIME_TIMESTAMP_FILE"] = ClockFile,
            ["FAKETIME_NO_CACHE"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        });
        await chaos.PrimaryAsync();
    }

    public async Task SetClockAsync()
    {
        foreach (string clock in (string[])["-3600", "+3600"])
        {
            await File.WriteAllTextAsync(ClockFile, clock);
            await ChaosCluster.PassAsync(TimeSpan.FromSeconds(4));
        }
    }

    /// <summary>The request to hand over is under way when the server is killed.</summary>
    public async Task HandOverAndKillAsync()
    {
        RepmgrdProcess agent = chaos.Cluster.Agents[id];
        int said = agent.Log().Length;
        Task<ProgramResult> promote = chaos.Cluster.OthersThan(id).First().RepmgrAsync("standby", "promote");
        await Eventually.TrueAsync(
            () => Task.FromResult(promote.IsCompleted || agent.Log()[said..].Contains("gives its role to another node", StringComparison.Ordinal)), TimeSpan.FromSeconds(20), "it is asked for");
        await Send(Leftovers.OfServer(Server.DataDirectory), Leftovers.SigKill);
        _ = await promote; // Done or refused: both are right.
    }

    public async Task KillAndStartByHandAsync()
    {
        await SendToPostmaster(Leftovers.SigKill);
        for (int times = 0; times < 8; times++)
            _ = await Server.RunAsync(Server.Major.Program("pg_ctl"), "-D", Server.DataDirectory, "-W", "-l", Server.LogPath, "start");
    }

    private async Task PromoteAsync(int node)
    {
        await Eventually.TrueAsync(
            async () => (await chaos.Cluster.Node(node).RepmgrAsync("standby", "promote")).ExitCode == 0, TimeSpan.FromSeconds(60), $"node {node} is made the primary");
        await chaos.Cluster.AllStreamFromAsync(node, TimeSpan.FromSeconds(60));
    }

    private IReadOnlyList<int> Named(string name) => [.. Leftovers.In(Server.Directory).Where(pid => NameOf(pid) == name)];

    private static string NameOf(int pid)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/comm")).Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }

    // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    private static bool IsStopped(int pid)
    {
        try
        {
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            return stat[stat.LastIndexOf(')')..].StartsWith(") T", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static Task Send(int pid, int signal) => Send([pid], signal);

    private static Task Send(IReadOnlyList<int> pids, int signal)
    {
        foreach (int pid in pids)
            _ = Leftovers.Send(pid, signal);
        return Task.CompletedTask;
    }
}
