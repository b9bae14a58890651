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

    /// <summary>A client at each node, once the first rows are acknowledged.</summary>
    /// <param name="whenAllVote">
    /// Voters that were just started give no votes for a ttl (R1). What happens within that time waits for it, which a test of how long something takes does not want.
    /// </param>
    public async Task<WritingClients> UnderLoadAsync(bool whenAllVote = false)
    {
        WritingClients clients = await WritingClients.StartAsync(Nodes[0], Nodes);
        if (whenAllVote)
            await AllVoteAsync();
        await clients.AwaitRowsAsync(50, notBy: 0, TimeSpan.FromSeconds(20));
        return clients;
    }

    /// <summary>Waits longer than agents that were started give no votes.</summary>
    public static Task AllVoteAsync()
    {
        TimeSpan from = WritingClients.Now;
        return Eventually.TrueAsync(() => Task.FromResult(WritingClients.Now - from > TimeSpan.FromSeconds(5)), TimeSpan.FromSeconds(20), "all voters vote");
    }

    /// <summary>At the end all stream from this node, and there never were two primaries at once (I1, I7).</summary>
    public async Task EndsOnOneAsync(WritingClients clients, int primary)
    {
        await AllStreamFromAsync(primary, TimeSpan.FromSeconds(90));
        await clients.StopAsync();
        clients.ShouldHaveHadOnePrimaryAtATime(primary);
    }

    /// <summary>And nothing that was acknowledged is missing (I3, I4).</summary>
    public async Task EndsWellAsync(WritingClients clients, int primary)
    {
        await EndsOnOneAsync(clients, primary);
        await clients.ShouldAllBeOnAsync(Node(primary));
    }

    /// <summary>Asks an agent what a load balancer would, from its own host.</summary>
    public async Task<(int Status, string Body)> AskAsync(int node, string path)
    {
        ProgramResult result = (await Node(node).RunAsync("curl", "-s", "-w", "\n%{http_code}", $"http://127.0.0.1:8008{path}")).ShouldSucceed();
        string[] lines = result.Stdout.TrimEnd().Split('\n');
        return (int.Parse(lines[^1], CultureInfo.InvariantCulture), string.Join('\n', lines[..^1]));
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
    public Task AllStreamFromAsync(int id, TimeSpan within) => Eventually.TrueAsync(() => AllStreamFromAsync(id), within, $"all stream from node {id}");

    /// <summary>The same, from whichever node it is, which is returned.</summary>
    public async Task<int> AllStreamAsync(TimeSpan within)
    {
        int primary = 0;
        await Eventually.TrueAsync(
            async () =>
            {
                foreach (TestServer node in Nodes)
                {
                    if (await Eventually.IsSoAsync(() => AllStreamFromAsync(node.NodeId)))
                        primary = node.NodeId;
                }

                return primary > 0;
            },
            within, "all stream from one node");
        return primary;
    }

    /// <remarks>A backend that was just forked is still called what its postmaster is called.</remarks>
    public int PostmasterOf(int id) =>
        Leftovers.OfServer(Node(id).DataDirectory).Order().First(pid => TitleOf(pid).Contains("/postgres ", StringComparison.Ordinal));

    /// <summary>A process of a node's server, by what it is called; 0: there is none.</summary>
    public int ProcessOf(int id, string title) =>
        Leftovers.OfServer(Node(id).DataDirectory).FirstOrDefault(pid => TitleOf(pid).Contains(title, StringComparison.Ordinal));

    private Task<bool> AllStreamFromAsync(int id) => Node(id).QueryAsync<bool>(string.Create(CultureInfo.InvariantCulture, $"""
        select not pg_is_in_recovery() and count(*) = {Nodes.Count - 1} from pg_stat_replication r
          join pg_replication_slots s on s.active_pid = r.pid
         where r.state = 'streaming' and s.slot_name like 'repmgr_t%_h{id}_n%'
        """));

    private static string TitleOf(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Replace('\0', ' ');
        }
        catch (IOException)
        {
            return "";
        }
    }

    public static void Say(string what, TimeSpan time) =>
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {time.TotalSeconds:0.000} s"));
}
