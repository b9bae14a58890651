using Repmgr.Core.Checks.Nodes;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Postgres;
using Repmgr.Core.Settings;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Observation;

/// <summary>What came of a look at the local node.</summary>
public abstract record NodeHealth
{
    private NodeHealth() { }

    public sealed record Seen(NodeHealthView View) : NodeHealth;

    /// <summary>Its server was not seen running.</summary>
    public sealed record Unreached(NodeProbe Probe) : NodeHealth;

    /// <summary>It runs, and knows nothing of this node.</summary>
    /// <param name="Table">Its table of nodes.</param>
    public sealed record Unregistered(NodeTable Table) : NodeHealth;
}

/// <summary>Looks at all that tells how the local node does.</summary>
/// <param name="connector">Makes connections.</param>
/// <param name="cluster">Looks at the others.</param>
public sealed class NodeHealthLook(PostgresConnector connector, ClusterObserver cluster)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(5);

    // A database's size is found by asking for that of each of its files.
    private static readonly TimeSpan SizeWithin = TimeSpan.FromSeconds(10);

    /// <param name="self">The local node.</param>
    /// <param name="on">How it is reached.</param>
    /// <param name="settings">The configuration.</param>
    /// <param name="wanted">What else is to be looked at.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<NodeHealth> LookAsync(NodeId self, Conninfo on, Settings settings, HealthWish wanted, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ConnectResult connected = await connector.OpenAsync(on, cancel);
        if (connected is not ConnectResult.Opened opened)
            return new NodeHealth.Unreached(NodeLook.ProbeOf(connected));

        await using PostgresSession session = opened.Session;
        NodeLook local = await NodeObserver.LookAsync(session, Within, cancel);
        if (local.Probe.Running is not { } server)
            return new NodeHealth.Unreached(local.Probe);

        ClusterView view = wanted.HasFlag(HealthWish.Others) ? await cluster.LookAtAllAsync(local, on, self, cancel) : Alone(self, local);
        if (view.Find(self) is not { Record: var record })
            return new NodeHealth.Unregistered(local.Table);

        ServerRoom? room = await ReplicationLook.AskAsync(session, Within, cancel) is Answer<ReplicationLook>.Got look ? look.Value.Room : null;
        Answer<ArchivingView> archiving = await ArchivingLook.AskAsync(session, settings.DataDirectory ?? server.DataDirectory, Within, cancel);
        if (room is null || archiving is not Answer<ArchivingView>.Got archives)
            return new NodeHealth.Unreached(new NodeProbe.Silent("the server ended, or did not answer, while it was looked at"));

        return new NodeHealth.Seen(new NodeHealthView(
            record, view, room, archives.Value, Directory(settings.DataDirectory, server, session), settings.Failover)
        {
            DataBytes = wanted.HasFlag(HealthWish.Size) ? await SizeAsync(session, cancel) : null,
        });
    }

    private static ClusterView Alone(NodeId self, NodeLook local) => new(
        TimeProvider.System.GetUtcNow(),
        [.. local.Table.RecordsOrNone.Select(node => new NodeView(node, node.Id == self ? local.Probe : new NodeProbe.Silent("it was not looked at")))]);

    private static DataDirectoryView Directory(string? configured, ServerFacts server, PostgresSession session)
    {
        if (configured is null)
            return new DataDirectoryView(null, server.DataDirectory, null);
        if (server.DataDirectory is { } told)
            return new DataDirectoryView(configured, told, told.TrimEnd('/') == configured.TrimEnd('/') || (NativeFile.IsSame(configured, told) ?? false));

        // A role that is not shown the setting may still be the user that the server runs as.
        return new DataDirectoryView(configured, null, LocalServer.WhyNotOurs(configured, session.Connection.ProcessID) is null ? true : null);
    }

    private static async Task<long?> SizeAsync(PostgresSession session, CancellationToken cancel) =>
        await session.ScalarAsync<long?>(
            """
            SELECT CASE WHEN pg_has_role('pg_read_all_stats', 'USAGE') THEN (SELECT sum(pg_database_size(oid))::int8 FROM pg_catalog.pg_database) END
            """,
            SizeWithin,
            cancel) is Answer<long?>.Got size ? size.Value : null;
}

/// <summary>What costs more than a look at the local server.</summary>
[Flags]
public enum HealthWish
{
    None = 0,

    /// <summary>Look at the other nodes: one that is away costs its connect_timeout.</summary>
    Others = 1,

    /// <summary>Add up the sizes of all databases.</summary>
    Size = 2,
}
