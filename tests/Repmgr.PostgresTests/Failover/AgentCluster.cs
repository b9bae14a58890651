using System.Globalization;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>Three hosts, each with a server and an agent; the first is the primary.</summary>
internal sealed class AgentCluster
{
    private AgentCluster(Lab lab, List<TestServer> nodes)
    {
        Lab = lab;
        Nodes = nodes;
    }

    public Lab Lab { get; }

    /// <summary>The nodes with data.</summary>
    public List<TestServer> Nodes { get; }

    public Dictionary<int, RepmgrdProcess> Agents { get; } = [];

    public TestServer Node(int id) => Nodes[id - 1];

    public IEnumerable<TestServer> OthersThan(int id) => Nodes.Where(node => node.NodeId != id);

    /// <summary>Returns when node 1 holds the lease and the others stream from it through the slots of the first term.</summary>
    public static async Task<AgentCluster> StartAsync(Lab lab, int major, params IReadOnlyList<string> settings) =>
        await StartOnAsync(lab, await lab.HostsAsync("one", "two", "three"), major, settings);

    /// <summary>The same on these hosts, of which two wait for a third voter.</summary>
    public static async Task<AgentCluster> StartOnAsync(Lab lab, IReadOnlyList<TestHost> hosts, int major, params IReadOnlyList<string> settings)
    {
        List<TestServer> nodes = [];
        foreach (TestHost host in hosts)
        {
            TestServer node = await lab.ServerAsync(major, nodes.Count + 1, host);
            // One configuration for all, as clones have it: the socket lies beside whichever data directory it is.
            await node.ConfigureAsync("unix_socket_directories = '..'", "fsync = on");
            await node.WriteConfAsync(["failover = automatic", .. settings]);
            if (nodes.Count > 0)
                await node.MakeStandbyAsync(nodes[0]);
            await node.StartAsync();
            nodes.Add(node);
        }

        var cluster = new AgentCluster(lab, nodes);
        await new TestCluster(nodes[0], nodes[1..]).RegisterAsync();
        foreach (TestServer node in nodes)
            cluster.StartAgent(node.NodeId);
        if (nodes.Count > 2)
            await cluster.AllStreamFromAsync(1, TimeSpan.FromSeconds(40));
        return cluster;
    }

    /// <summary>What a power cut does to a host: server, agent and guard are gone at once.</summary>
    public async Task KillHostAsync(int id)
    {
        IReadOnlyList<int> processes = [.. Leftovers.In(Node(id).Directory)];
        foreach (int pid in processes)
            _ = Leftovers.Send(pid, Leftovers.SigKill);
        await Eventually.TrueAsync(() => Task.FromResult(processes.All(Leftovers.IsGone)), TimeSpan.FromSeconds(10), $"all of node {id} is gone");
    }

    public void StartAgent(int id) => Agents[id] = Node(id).StartRepmgrd();

    /// <summary>Waits until all others stream from this node through slots of its term.</summary>
    public async Task AllStreamFromAsync(int id, TimeSpan within) => await Eventually.TrueAsync(
        () => Node(id).QueryAsync<bool>(string.Create(CultureInfo.InvariantCulture, $"""
            select not pg_is_in_recovery() and count(*) = {Nodes.Count - 1} from pg_stat_replication r
              join pg_replication_slots s on s.active_pid = r.pid
             where r.state = 'streaming' and s.slot_name like 'repmgr_t%_h{id}_n%'
            """)),
        within, $"all stream from node {id}");

    public static void Say(string what, TimeSpan time) =>
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {time.TotalSeconds:0.000} s"));
}
