using Repmgr.Core.Cluster;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Monitoring;

/// <summary>What the configuration says about watching.</summary>
/// <param name="Self">This node as it registers itself: as a standby, with no upstream yet.</param>
/// <param name="GiveUpAfter">How long the upstream may be gone before watching counts as degraded.</param>
/// <param name="KeepsHistory">A monitoring row is written in every turn.</param>
/// <param name="StatusEvery">How often a line says that all is well, or what is not; zero: never.</param>
/// <param name="ExitOnInactive">Exit when the node is marked inactive, rather than to mark it active.</param>
/// <param name="Children">How the nodes below a primary are watched.</param>
public sealed record WatchPolicy(
    NodeRecord Self,
    TimeSpan GiveUpAfter,
    bool KeepsHistory,
    TimeSpan StatusEvery,
    bool ExitOnInactive,
    ChildPolicy Children)
{
    /// <summary>How often all nodes are looked at when nothing else asks for it: a second primary is seen then.</summary>
    public TimeSpan ScanEvery { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a change of a record is waited for before it is asked for again.</summary>
    public TimeSpan WriteAgainAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <param name="settings">With node and conninfo set.</param>
    /// <param name="configFile">Absolute.</param>
    /// <param name="environment">Looks an environment variable up; null when it is not set.</param>
    public static WatchPolicy From(Settings.Settings settings, string configFile, Func<string, string?> environment)
    {
        NodeId id = settings.NodeId ?? throw new ArgumentException("the node has no number", nameof(settings));
        Conninfo conninfo = settings.Conninfo ?? throw new ArgumentException("the node has no conninfo", nameof(settings));
        var self = new NodeRecord(
            id,
            Upstream: null,
            Active: true,
            HostDetection.NodeName(settings.NodeName, id, registered: null, applicationName: null).Value,
            NodeType.Standby,
            settings.Location,
            settings.Priority,
            RegisteredConninfo.From(conninfo, environment).Conninfo.Reveal(),
            settings.ReplicationUser ?? conninfo["user"] ?? environment("PGUSER") ?? environment("USER") ?? "",
            settings.UseReplicationSlots ? $"repmgr_slot_{id}" : null,
            configFile);
        var children = new ChildPolicy(
            settings.ChildNodesCheckInterval,
            settings.ChildNodesConnectedMinCount,
            settings.ChildNodesDisconnectMinCount,
            settings.ChildNodesDisconnectTimeout,
            settings.ChildNodesDisconnectCommand);
        return new WatchPolicy(
            self,
            settings.ReconnectAttempts * settings.ReconnectInterval,
            settings.KeepsMonitoringHistory,
            settings.LogStatusInterval,
            settings.RepmgrdExitOnInactiveNode,
            children);
    }
}

/// <summary>The <c>child_node…</c> settings.</summary>
/// <param name="Every"><c>child_nodes_check_interval</c>; zero: they are not watched.</param>
/// <param name="ConnectedMin"><c>child_nodes_connected_min_count</c>; null: not set.</param>
/// <param name="DisconnectedMin"><c>child_nodes_disconnect_min_count</c>; null: not set. The other one wins.</param>
/// <param name="DisconnectTimeout">How long the last of the missing has to be gone.</param>
/// <param name="DisconnectCommand">What is run then; null: nothing.</param>
public sealed record ChildPolicy(
    TimeSpan Every,
    int? ConnectedMin = null,
    int? DisconnectedMin = null,
    TimeSpan DisconnectTimeout = default,
    string? DisconnectCommand = null)
{
    /// <summary>How many of <paramref name="children"/> have to be connected.</summary>
    public int Needed(int children) => (ConnectedMin, DisconnectedMin) switch
    {
        ({ } connected, _) => connected,
        (null, { } disconnected) => children - disconnected + 1,
        _ => 1,
    };
}
