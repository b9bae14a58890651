using Npgsql;
using Repmgr.Core.Cluster;

namespace Repmgr.Engine.Metadata;

/// <summary>What the metadata say of the voters of automatic failover.</summary>
internal static class VoterStore
{
    /// <summary>
    /// Whether the agents may still count a node that is registered no more. Where failover has not begun nobody votes, and what its agent has written about itself is removed.
    /// </summary>
    public static async Task<bool> IsCountedAsync(NpgsqlConnection connection, NodeId node, CancellationToken cancel)
    {
        await using NpgsqlCommand command = new("SELECT pg_catalog.to_regclass('repmgr.agents') IS NOT NULL AND pg_catalog.to_regclass('repmgr.founding') IS NOT NULL", connection);
        if (await command.ExecuteScalarAsync(cancel) is not true)
            return false;
        command.CommandText = "DELETE FROM repmgr.agents WHERE node_id = $1 AND NOT EXISTS (SELECT FROM repmgr.founding)";
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = node.Value });
        await command.ExecuteNonQueryAsync(cancel);
        command.CommandText = "SELECT EXISTS (SELECT FROM repmgr.agents WHERE node_id = $1)";
        return await command.ExecuteScalarAsync(cancel) is true;
    }
}
