using System.Globalization;
using System.Text.Json;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover.Chaos;

/// <summary>What came of one fault.</summary>
/// <param name="Primary">Who is the primary afterwards.</param>
/// <param name="Gap">The longest time without an acknowledgement, from the fault until all stream again.</param>
/// <param name="Lost">How many acknowledged rows are gone.</param>
internal sealed record Outcome(string Fault, int Struck, int Before, int Primary, TimeSpan Gap, int Acknowledged, int Lost)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Fault}: node {Struck} struck, primary {Before} then {Primary}, {Gap.TotalSeconds:0.00} s without writes, {Acknowledged} rows acknowledged, {Lost} lost");
}

/// <summary>A cluster under load that is struck by one fault after the other, and has to be whole again after each.</summary>
internal sealed class ChaosCluster(AgentCluster cluster, WritingClients clients, TestHost? store, ChaosWorld world) : IAsyncDisposable
{
    private static readonly string[] Names = ["one", "two", "three", "four", "five"];
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(3), Whole = TimeSpan.FromSeconds(120);

    private readonly HashSet<long> _lost = [];
    private TimeSpan _verified;

    public AgentCluster Cluster => cluster;

    public WritingClients Clients => clients;

    /// <summary>Where the lease lies; null: with the nodes.</summary>
    public TestHost? Store => store;

    public static async Task<ChaosCluster> StartAsync(Lab lab, ChaosWorld world)
    {
        IReadOnlyList<TestHost> hosts = await lab.HostsAsync([.. Names.Take(world.Hosts)]);
        TestHost? store = world.HasStore ? (await lab.HostsAsync("store"))[0] : null;
        string[] atStore = store is null ? [] : ["lease_store = etcd", $"etcd_endpoints = '{(await EtcdServer.StartAsync(lab, store)).Url}'"];
        // A primary that hangs soon after its promotion is otherwise left alone for a minute (R17).
        AgentCluster cluster = await AgentCluster.StartOnAsync(
            lab, hosts, world.Major, [$"synchronous = {world.Synchronous}", "failover_cooldown = 0",
            // Voters keep to what they promised an agent that was restarted, whatever becomes of its host (R14): that is waited for here, too.
            "agent_restart_grace = 8s", .. atStore]);
        WritingClients clients = await WritingClients.StartAsync(cluster.Node(1), cluster.Nodes, Pace);
        await AgentCluster.AllVoteAsync();
        return new ChaosCluster(cluster, clients, store, world);
    }

    public StruckNode Node(int id) => new(this, id);

    public Task<int> PrimaryAsync() => cluster.AllStreamAsync(Whole);

    /// <summary>Waits until each commit is protected by all standbys that there are, where there is a synchronous set.</summary>
    public async Task<int> WholeAsync()
    {
        int primary = await PrimaryAsync();
        if (world.IsSynchronous)
            await Eventually.TrueAsync(() => HasAllInSetAsync(primary), Whole, $"all others are in the synchronous set of node {primary}");
        return primary;
    }

    public static Task PassAsync(TimeSpan time)
    {
        TimeSpan from = WritingClients.Now;
        return Eventually.TrueAsync(() => Task.FromResult(WritingClients.Now - from > time), time + TimeSpan.FromSeconds(30), "time has passed");
    }

    /// <summary>Strikes a node, the primary unless another is named; ends it; and holds the invariants against what the clients know.</summary>
    /// <param name="fault">What happens.</param>
    /// <param name="victim">Where.</param>
    /// <param name="held">How much longer than until the cluster has found its way with it.</param>
    /// <param name="atOnce">Without waiting until the synchronous set is complete after what went before: then nobody is promised to take over.</param>
    public async Task<Outcome> StrikeAsync(Fault fault, int? victim = null, TimeSpan held = default, bool atOnce = false)
    {
        int before = atOnce ? await PrimaryAsync() : await WholeAsync();
        StruckNode node = Node(victim ?? before);
        if (fault.Prepare is { } prepare)
        {
            await prepare(node);
            before = atOnce ? await PrimaryAsync() : await WholeAsync();
        }

        TimeSpan struck = WritingClients.Now;
        long lastRow = clients.LastRow;
        await fault.Strike(node);
        if (!atOnce)
            await WatchAsync(fault, node.Id, before, struck);
        await PassAsync(held);
        await fault.Heal(node);
        int primary = await PrimaryAsync();
        await clients.AwaitRowsAsync(20, notBy: 0, TimeSpan.FromSeconds(30));

        TimeSpan gap = clients.LongestGap(struck);
        _ = clients.ShouldHaveHadOnePrimaryAtATime();
        IReadOnlyList<Acknowledged> lost = await LostAsync(primary);
        Assert.True(lost.Count == 0 || (fault.MayLose && !world.IsSynchronous && lost.All(row => row.Node == before)), $"{fault}: lost {string.Join(", ", lost.Take(5))} …, {lost.Count} in all");
        await OneTimelineAsync(primary);
        await SameRowsAsync(lastRow);
        return new Outcome(fault.Name, node.Id, before, primary, gap, clients.RowsSince(struck).Count, lost.Count);
    }

    /// <summary>Every row that was acknowledged since the beginning, but for those that were found lost when they were, is on all nodes.</summary>
    public async Task EndAsync()
    {
        int primary = await PrimaryAsync();
        await clients.StopAsync();
        HashSet<long> known = [.. _lost];
        _verified = TimeSpan.Zero;
        Assert.DoesNotContain(await LostAsync(primary), row => !known.Contains(row.Row));
        await SameRowsAsync(long.MaxValue);
    }

    public async ValueTask DisposeAsync() => await clients.DisposeAsync();

    private async Task<bool> HasAllInSetAsync(int primary)
    {
        using JsonDocument reply = JsonDocument.Parse((await cluster.AskAsync(primary, "/cluster")).Body);
        return reply.RootElement.TryGetProperty("synchronous", out JsonElement set) && set.GetProperty("nodes").GetArrayLength() == cluster.Nodes.Count - 1;
    }

    private async Task WatchAsync(Fault fault, int victim, int before, TimeSpan struck)
    {
        switch (fault.Meanwhile)
        {
            case Meanwhile.AnotherWrites when victim == before:
                await clients.AwaitRowsAsync(20, notBy: victim, TimeSpan.FromSeconds(60));
                break;
            case Meanwhile.TheSameWrites when victim == before:
                await PassAsync(TimeSpan.FromSeconds(5));
                await clients.AwaitRowsAsync(20, notBy: 0, TimeSpan.FromSeconds(20));
                Assert.All(clients.RowsSince(struck), row => Assert.Equal(before, row.Node));
                break;
            case Meanwhile.Open:
                break;
            default:
                await clients.AwaitRowsAsync(20, notBy: 0, TimeSpan.FromSeconds(60));
                break;
        }
    }

    private async Task<IReadOnlyList<Acknowledged>> LostAsync(int primary)
    {
        IReadOnlyList<Acknowledged> since = clients.RowsSince(_verified);
        TimeSpan upTo = since[^1].At;
        long first = since.Min(row => row.Row);
        HashSet<long> there = [.. (await cluster.Node(primary).RowsAsync(string.Create(CultureInfo.InvariantCulture, $"select id from written where id >= {first}")))
            .Select(row => long.Parse(row[0]!, CultureInfo.InvariantCulture))];
        Acknowledged[] lost = [.. since.Where(row => !there.Contains(row.Row))];
        _lost.UnionWith(lost.Select(row => row.Row));
        _verified = upTo;
        return lost;
    }

    private async Task OneTimelineAsync(int primary)
    {
        int timeline = await cluster.Node(primary).QueryAsync<int>("select ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int");
        foreach (TestServer standby in cluster.OthersThan(primary))
            await Eventually.EqualAsync(timeline, () => standby.QueryAsync<int>("select received_tli from pg_stat_wal_receiver"), TimeSpan.FromSeconds(20), $"the timeline of {standby.Name}");
    }

    private async Task SameRowsAsync(long upTo)
    {
        string sum = string.Create(CultureInfo.InvariantCulture, $"select count(*) || ' ' || coalesce(sum(id), 0) from written where id <= {upTo}");
        await Eventually.TrueAsync(
            async () => (await Task.WhenAll(cluster.Nodes.Select(node => node.QueryAsync<string>(sum)))).Distinct().Count() == 1, TimeSpan.FromSeconds(30), "all nodes have the same rows");
    }
}
