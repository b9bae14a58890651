namespace Repmgr.Core.Cluster;

/// <summary>What a node is registered as.</summary>
public enum NodeType
{
    Primary,
    Standby,
    Witness,
}

/// <summary>What a type is called.</summary>
public static class NodeTypeNames
{
    /// <summary>As it stands in <c>repmgr.nodes.type</c>, on the command line and in messages.</summary>
    public static string Name(this NodeType type) => type switch
    {
        NodeType.Primary => "primary",
        NodeType.Standby => "standby",
        _ => "witness",
    };
}

/// <summary>A row of <c>repmgr.nodes</c>, with the columns of repmgr 5.x.</summary>
/// <param name="Id"><c>node_id</c></param>
/// <param name="Upstream"><c>upstream_node_id</c>; null for a primary, or when it is not known.</param>
/// <param name="Active"><c>active</c>: false for a node that was taken out (a failed former primary, for instance).</param>
/// <param name="Name"><c>node_name</c>; also the standby's application_name.</param>
/// <param name="Type"><c>type</c></param>
/// <param name="Location"><c>location</c>: a data centre's name; <c>default</c> when nothing is said.</param>
/// <param name="Priority"><c>priority</c>; 0 means never to be promoted.</param>
/// <param name="Conninfo"><c>conninfo</c>: how every node reaches this one. Never holds a password.</param>
/// <param name="ReplicationUser"><c>repluser</c></param>
/// <param name="SlotName"><c>slot_name</c>: the physical slot this node uses on its upstream, or null.</param>
/// <param name="ConfigFile"><c>config_file</c>: absolute path of <c>repmgr.conf</c> on that node.</param>
public sealed record NodeRecord(
    NodeId Id,
    NodeId? Upstream,
    bool Active,
    string Name,
    NodeType Type,
    string Location,
    int Priority,
    string Conninfo,
    string ReplicationUser,
    string? SlotName,
    string ConfigFile)
{
    /// <summary><c>node "node2" (ID: 2)</c></summary>
    public string Label => $"node {Quoted}";

    /// <summary><c>"node2" (ID: 2)</c></summary>
    public string Quoted => $"\"{Name}\" (ID: {Id})";
}
