using Repmgr.Core.Postgres;

namespace Repmgr.Core.Cluster;

/// <summary>
/// What is registered as the conninfo of a witness: where its agent listens, since it has no server. The application name tells it from the server that a witness of
/// repmgr 5.x has (docs/adr/0103).
/// </summary>
public static class WitnessConninfo
{
    private const string Mark = "repmgrd";

    /// <param name="address"><c>host:port</c></param>
    public static Conninfo Of(string address)
    {
        int colon = address.LastIndexOf(':');
        return Conninfo.Empty.With("host", address[..colon].Trim('[', ']')).With("port", address[(colon + 1)..]).With("application_name", Mark);
    }

    /// <summary>Where the agent listens; null: this leads to a server.</summary>
    public static string? AddressIn(Conninfo conninfo)
    {
        if (conninfo["application_name"] != Mark || conninfo["host"] is not { } host || conninfo["port"] is not { } port)
            return null;
        return host.Contains(':', StringComparison.Ordinal) ? $"[{host}]:{port}" : $"{host}:{port}";
    }
}
