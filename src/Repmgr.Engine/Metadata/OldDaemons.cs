using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Metadata;

/// <summary>Finds out where the repmgrd of repmgr 5 runs, by the functions of its extension.</summary>
public static class OldDaemons
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(2);

    /// <summary>The nodes that say so. Where the library is not loaded the function fails, and no such daemon can work.</summary>
    public static async Task<IReadOnlyList<NodeRecord>> FindAsync(
        PostgresConnector connector, ClusterView cluster, Conninfo own, CancellationToken cancel)
    {
        NodeRecord[] running = [.. cluster.Nodes.Where(node => node.Probe.Running is not null).Select(node => node.Record)];
        bool[] answers = await Task.WhenAll(running.Select(node => RunsAsync(connector, NodeReach.Of(node, own), cancel)));
        return [.. running.Zip(answers).Where(pair => pair.Second).Select(pair => pair.First)];
    }

    private static async Task<bool> RunsAsync(PostgresConnector connector, Conninfo node, CancellationToken cancel)
    {
        if (await connector.OpenAsync(node, cancel) is not ConnectResult.Opened opened)
            return false;

        await using (opened.Session)
            return await opened.Session.ScalarAsync<bool>("SELECT repmgr.repmgrd_is_running()", Within, cancel) is Answer<bool>.Got { Value: true };
    }
}
