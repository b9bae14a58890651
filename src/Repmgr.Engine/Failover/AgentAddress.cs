using Repmgr.Core.Settings;

namespace Repmgr.Engine.Failover;

/// <summary>Where the agent of a node is reached by the others.</summary>
public static class AgentAddress
{
    /// <summary>As configured (<c>api_address</c>), else at the name of a host and the port that the agent listens at.</summary>
    /// <param name="settings">The node's configuration.</param>
    /// <param name="host">The host of the node's server as others reach it; null: it has none, and the machine's name is taken.</param>
    public static string Of(Settings settings, string? host)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (settings.ApiAddress is { } configured)
            return configured;
        string named = host is { Length: > 0 } && host[0] is not ('/' or '@') ? host : Environment.MachineName;
        string port = settings.ApiListen[(settings.ApiListen.LastIndexOf(':') + 1)..];
        return named.Contains(':', StringComparison.Ordinal) ? $"[{named}]:{port}" : $"{named}:{port}";
    }
}
