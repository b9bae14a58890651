using System.Globalization;
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
        return AsOwn(Conninfo.TryParse(node.Conninfo, out Conninfo? parsed, out _) ? parsed : Conninfo.Empty, own);
    }

    /// <summary>The same from a registered conninfo; null when it is empty or cannot be read.</summary>
    public static Conninfo? Of(string registered, Conninfo own) =>
        registered is { Length: > 0 } && Conninfo.TryParse(registered, out Conninfo? conninfo, out _) ? AsOwn(conninfo, own) : null;

    /// <summary>Another node's conninfo, with the own node's password where that is the same role's.</summary>
    /// <param name="other">As it is registered.</param>
    /// <param name="own">The own node's conninfo.</param>
    public static Conninfo AsOwn(Conninfo other, Conninfo own)
    {
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(own);
        return own["password"] is { } password && other["user"] == own["user"] ? other.WithDefault("password", password) : other;
    }

    /// <summary>The server that a standby streams from, as the own node's role reaches it; null when the standby does not say which it is.</summary>
    /// <param name="probe">What the standby says of itself.</param>
    /// <param name="own">The own node's conninfo.</param>
    public static Conninfo? Upstream(NodeProbe probe, Conninfo own) =>
        probe is NodeProbe.Standby { Receiver: { SenderHost: { } host, SenderPort: { } port } }
            ? own.Without("hostaddr").With("host", host).With("port", port.ToString(CultureInfo.InvariantCulture))
            : null;

    /// <summary>Whether a standby's WAL receiver is connected to this node, by the address it names.</summary>
    /// <remarks>https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-WAL-RECEIVER-VIEW</remarks>
    public static bool Serves(NodeRecord node, WalReceiverFacts? receiver) =>
        receiver is { SenderHost: { } host, SenderPort: { } port }
        && Conninfo.TryParse(node.Conninfo, out Conninfo? conninfo, out _)
        && (Names(conninfo, "host", host, port) || Names(conninfo, "hostaddr", host, port));

    // Where a string names several hosts, it names one port for all or one for each.
    private static bool Names(Conninfo conninfo, string keyword, string host, int port)
    {
        string[] hosts = conninfo[keyword]?.Split(',') ?? [];
        string[] ports = (conninfo["port"] ?? "5432").Split(',');
        return hosts.Index().Any(at =>
            (at.Item == host || (IsLoopback(at.Item) && IsLoopback(host)))
            && ports[ports.Length == hosts.Length ? at.Index : 0] == port.ToString(CultureInfo.InvariantCulture));
    }

    private static bool IsLoopback(string host) => host is "localhost" or "127.0.0.1" or "::1";
}
