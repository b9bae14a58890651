using System.Globalization;
using System.Text.Json;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>An <see cref="AgentCluster"/> with a synchronous set: what its agents remember and show, and hosts that are lost.</summary>
internal sealed class SynchronousCluster(AgentCluster cluster)
{
    private readonly Dictionary<int, int> _frozen = [];

    public IReadOnlyList<TestServer> Nodes => cluster.Nodes;

    public Dictionary<int, RepmgrdProcess> Agents => cluster.Agents;

    public static async Task<SynchronousCluster> StartAsync(Lab lab, int major, string mode, int count, params IReadOnlyList<string> settings) => new(
        await AgentCluster.StartAsync(lab, major, [$"synchronous = {mode}", string.Create(CultureInfo.InvariantCulture, $"synchronous_node_count = {count}"), .. settings]));

    public TestServer Node(int id) => cluster.Node(id);

    public IEnumerable<TestServer> OthersThan(int id) => cluster.OthersThan(id);

    public void StartAgent(int id) => cluster.StartAgent(id);

    public Task<WritingClients> UnderLoadAsync() => cluster.UnderLoadAsync();

    public Task EndsWellAsync(WritingClients clients, int primary) => cluster.EndsWellAsync(clients, primary);

    public Task AllStreamFromAsync(int id, TimeSpan within) => cluster.AllStreamFromAsync(id, within);

    /// <summary>Waits until the holder remembers this set and has it in force.</summary>
    public async Task AwaitSetAsync(int holder, int count, params IReadOnlyList<int> members)
    {
        string wanted = string.Create(CultureInfo.InvariantCulture, $"{count} of {string.Join(", ", members)}"), seen = "";
        await Eventually.TrueAsync(
            () =>
            {
                using JsonDocument state = StateOf(holder);
                JsonElement durable = state.RootElement.GetProperty("durable");
                seen = Text(durable.GetProperty("set").GetProperty("set"));
                string inForce = durable.TryGetProperty("in_force", out JsonElement force) ? Text(force.GetProperty("set")) : "";
                return Task.FromResult(seen == wanted && inForce == wanted);
            },
            TimeSpan.FromSeconds(60), $"node {holder} remembers {wanted}");
    }

    public int RememberedCount(int node)
    {
        using JsonDocument state = StateOf(node);
        return Remembered(state).GetProperty("count").GetInt32();
    }

    public IReadOnlyList<ulong> RememberedIdentities(int node)
    {
        using JsonDocument state = StateOf(node);
        return [.. Remembered(state).GetProperty("members").EnumerateArray().Select(member => member.GetProperty("data").GetUInt64())];
    }

    public ulong IdentityOf(int node) =>
        ulong.Parse(File.ReadAllText(Path.Combine(Node(node).DataDirectory, "pg_wal", "repmgr_identity")).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary>How many commits of clients wait for standbys. Asked without writing anything.</summary>
    public async Task<long> WaitingCommitsAsync(int node) =>
        await Node(node).QueryAsync<long>("select count(*) from pg_stat_activity where wait_event = 'SyncRep'");

    public async Task<bool> IsProtectedAsync(int node)
    {
        using JsonDocument reply = JsonDocument.Parse((await AskAsync(node, "/cluster")).Body);
        return reply.RootElement.GetProperty("synchronous").GetProperty("protected").GetBoolean();
    }

    public Task<(int Status, string Body)> AskAsync(int node, string path) => cluster.AskAsync(node, path);

    /// <summary>Server, agent and guard of a host end at once, as with its power.</summary>
    public void LoseHost(int id)
    {
        foreach (int pid in Leftovers.In(Node(id).Directory))
            _ = Leftovers.Send(pid, Leftovers.SigStop);
        Leftovers.Kill(Node(id).Directory);
    }

    /// <summary>The host is switched on again: server and agent start.</summary>
    public async Task BringBackAsync(int id)
    {
        await Node(id).StartAsync();
        StartAgent(id);
    }

    public int PostmasterOf(int id) => cluster.PostmasterOf(id);

    /// <summary>The standby's receiver stands still: it gets nothing any more, and acknowledges nothing.</summary>
    public async Task FreezeReceiverAsync(int id) => _frozen[id] = await FreezeAsync(id, "walreceiver");

    /// <summary>One process of a node's server, by what it is called, stands still.</summary>
    public async Task<int> FreezeAsync(int id, string what)
    {
        int found = await Eventually.SatisfiesAsync(
            () => Task.FromResult(cluster.ProcessOf(id, $": {what} ")), pid => pid > 0, TimeSpan.FromSeconds(20), $"node {id} has a {what}");
        _ = Leftovers.Send(found, Leftovers.SigStop);
        return found;
    }

    public void ThawReceiver(int id) => _ = Leftovers.Send(_frozen[id], Leftovers.SigCont);

    private JsonDocument StateOf(int node) => JsonDocument.Parse(File.ReadAllText(Path.Combine(Node(node).DataDirectory + ".repmgr", "agent.json")));

    private static JsonElement Remembered(JsonDocument state) => state.RootElement.GetProperty("durable").GetProperty("set").GetProperty("set");

    private static string Text(JsonElement set) => string.Create(CultureInfo.InvariantCulture,
        $"{set.GetProperty("count").GetInt32()} of {string.Join(", ", set.GetProperty("members").EnumerateArray().Select(member => member.GetProperty("node").GetInt32()))}");
}
