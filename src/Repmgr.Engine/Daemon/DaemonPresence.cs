using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Daemon;

/// <summary>Whether the repmgrd of a node runs, seen by its connections to its server: their name says whose they are.</summary>
public static class DaemonPresence
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(2);

    /// <summary>The <c>application_name</c> of this process.</summary>
    public static string NameOf(NodeId node, int pid) => string.Create(CultureInfo.InvariantCulture, $"repmgrd node {node} pid {pid}");

    /// <summary>Its process ID; 0: it does not run; null: that cannot be seen, since its server is not reached.</summary>
    public static Task<int?> PidAsync(PostgresConnector connector, NodeRecord node, Conninfo own, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(node);
        return PidAsync(connector, node.Id, NodeReach.Of(node, own), cancel);
    }

    /// <inheritdoc cref="PidAsync(PostgresConnector, NodeRecord, Conninfo, CancellationToken)"/>
    /// <param name="node">The node.</param>
    /// <param name="on">How it is reached.</param>
    public static async Task<int?> PidAsync(PostgresConnector connector, NodeId node, Conninfo on, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(connector);
        const string Sql = "SELECT split_part(application_name, ' ', 5)::int FROM pg_catalog.pg_stat_activity WHERE application_name ~ $1 LIMIT 1";
        if (await connector.OpenAsync(on, Within, cancel) is not ConnectResult.Opened opened)
            return null;
        await using PostgresSession session = opened.Session;
        string pattern = string.Create(CultureInfo.InvariantCulture, $"^repmgrd node {node} pid [0-9]+$");
        return await session.QueryAsync(Sql, row => row.GetInt32(0), Within, cancel, new Npgsql.NpgsqlParameter<string> { TypedValue = pattern }) switch
        {
            Answer<IReadOnlyList<int>>.Got { Value: [var pid, ..] } => pid,
            Answer<IReadOnlyList<int>>.Got => 0,
            _ => null,
        };
    }
}
