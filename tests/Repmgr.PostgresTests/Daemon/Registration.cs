using System.Globalization;
using Npgsql;
using Repmgr.Core.Cluster;
using Repmgr.Engine.Metadata;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Daemon;

/// <summary>Metadata as the commands make them, without the commands: these tests are about the daemon.</summary>
internal static class Registration
{
    /// <summary>Registers a primary and its standbys, and waits until each standby knows all.</summary>
    public static async Task OfAsync(TestCluster cluster)
    {
        await OfAsync(cluster.Primary, null, [.. cluster.Standbys]);
        foreach (TestServer standby in cluster.Standbys)
        {
            await Eventually.EqualAsync(
                cluster.All.Count, () => standby.QueryAsync<int>("select count(*)::int from repmgr.nodes"), TimeSpan.FromSeconds(15), $"the number of nodes that {standby.Name} knows");
        }
    }

    /// <param name="name">The <c>cluster</c> of 1.x; null: none of its views.</param>
    public static async Task OfAsync(TestServer primary, string? name, params TestServer[] standbys)
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        await using var connection = new NpgsqlConnection(string.Create(
            CultureInfo.InvariantCulture, $"Host={primary.Directory};Port={primary.Port};Username=repmgr;Database=repmgr;Pooling=false"));
        await connection.OpenAsync(cancel);
        await MetadataSchema.EnsureAsync(connection, name, takeOver: false, owner: null, "a test", cancel);
        await NodeStore.WriteAsync(connection, Record(primary, NodeType.Primary, null), [], replace: true, cancel);
        foreach (TestServer standby in standbys)
            await NodeStore.WriteAsync(connection, Record(standby, NodeType.Standby, new NodeId(primary.NodeId)), [], replace: true, cancel);
    }

    /// <summary>Starts a daemon that writes a row every second, and waits for the first: both servers were seen, over sessions that stay open.</summary>
    public static async Task<RepmgrdProcess> WatchAsync(TestServer standby, TestServer primary)
    {
        await standby.WriteConfAsync("monitor_interval_secs = 1", "monitoring_history = yes");
        RepmgrdProcess daemon = standby.StartRepmgrd();
        await Eventually.TrueAsync(
            () => primary.QueryAsync<bool>("select exists (select from repmgr.monitoring_history)"), TimeSpan.FromSeconds(20), "a row is written");
        return daemon;
    }

    private static NodeRecord Record(TestServer server, NodeType type, NodeId? upstream) => new(
        new NodeId(server.NodeId), upstream, true, server.Name, type, "default", 100, server.Conninfo, "repmgr", null, server.ConfPath);
}
