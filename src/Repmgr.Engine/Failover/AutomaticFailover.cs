using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>Whether agents decide, for commands that would decide something else.</summary>
public static class AutomaticFailover
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(3);

    /// <summary>Why a command that promotes a server, or points a standby elsewhere, must not; null: nothing speaks against it.</summary>
    /// <param name="connector">Makes connections.</param>
    /// <param name="server">The local server, as it is reached.</param>
    /// <param name="mode">What the node's <c>failover</c> is set to. Without a founding in the database nobody decides, whatever it is.</param>
    /// <param name="cancel">The caller gives up.</param>
    public static async Task<Problem?> WhyNotByHandAsync(PostgresConnector connector, Conninfo server, FailoverMode mode, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(connector);
        if (mode != FailoverMode.Automatic || await connector.OpenAsync(server, Within, cancel) is not ConnectResult.Opened opened)
            return null;
        await using PostgresSession session = opened.Session;
        return await session.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM repmgr.founding)", Within, cancel) is Answer<bool>.Got { Value: true }
            ? new Problem(
                "failover is automatic: the agents decide which server is the primary, and whom standbys follow",
                "They would undo it: a server that is promoted by hand is taken out of service by its agent.",
                "Their log says what they wait for. To decide by hand, end automatic failover on all nodes first, as docs/failover.md says, and set failover = manual.")
            : null;
    }
}
