namespace Repmgr.PostgresTests.Harness;

/// <summary>A primary and standbys that stream from it, on loopback.</summary>
public sealed record TestCluster(TestServer Primary, IReadOnlyList<TestServer> Standbys)
{
    public IReadOnlyList<TestServer> All => [Primary, .. Standbys];

    internal static async Task<TestCluster> StartAsync(Lab lab, int major, int standbys, bool slots)
    {
        // Copies of one stopped server are one system at one position: a standby needs no base backup to begin from.
        var primary = await lab.ServerAsync(major);
        var others = new List<TestServer>();
        for (int id = 2; id < 2 + standbys; id++)
        {
            var standby = await lab.ServerAsync(major, id);
            await standby.MakeStandbyAsync(primary, slots ? Slot(standby) : null);
            others.Add(standby);
        }

        await primary.StartAsync();
        foreach (var standby in others)
        {
            if (slots)
                await primary.ExecuteAsync($"select pg_create_physical_replication_slot('{Slot(standby)}', true)");
            await standby.StartAsync();
        }

        foreach (var standby in others)
            await standby.StreamsFromAsync(primary);
        return new TestCluster(primary, others);
    }

    /// <summary>Registers every node with the program under test, the primary first, and waits until each standby knows all.</summary>
    public async Task RegisterAsync()
    {
        (await Primary.RepmgrAsync("primary", "register")).ShouldSucceed();
        foreach (var standby in Standbys)
            (await standby.RepmgrAsync("standby", "register")).ShouldSucceed();
        foreach (var standby in Standbys)
        {
            await Eventually.EqualAsync(All.Count, () => standby.QueryAsync<int>("select count(*)::int from repmgr.nodes"),
                TimeSpan.FromSeconds(15), $"the number of nodes that {standby.Name} knows");
        }
    }

    private static string Slot(TestServer standby) => $"repmgr_slot_{standby.NodeId}";
}
