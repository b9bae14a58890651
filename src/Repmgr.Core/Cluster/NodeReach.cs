using Repmgr.Core.Postgres;

namespace Repmgr.Core.Cluster;

/// <summary>How this process reaches a registered node.</summary>
public static class NodeReach
{
    /// <summary>
    /// The registered conninfo, with the password that the configuration file gives for the own node: none is registered. It is used
    /// only where it would be the same role's.
    /// </summary>
    /// <param name="node">The node. A conninfo that cannot be read counts as empty.</param>
    /// <param name="own">The own node's conninfo.</param>
    public static Conninfo Of(NodeRecord node, Conninfo own)
    {
        Conninfo conninfo = Conninfo.TryParse(node.Conninfo, out Conninfo? parsed, out _) ? parsed : Conninfo.Empty;
        string? password = own["password"];
        return password is not null && conninfo["user"] == own["user"] ? conninfo.WithDefault("password", password) : conninfo;
    }
}
