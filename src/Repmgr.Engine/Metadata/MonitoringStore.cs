using Npgsql;
using Repmgr.Core.Cluster;

namespace Repmgr.Engine.Metadata;

/// <summary>Keeps <c>repmgr.monitoring_history</c> small. Errors are the connection's: <see cref="NpgsqlException"/>.</summary>
public static class MonitoringStore
{
    /// <summary>Deletes rows, and gives their space back.</summary>
    /// <param name="connection">To the primary.</param>
    /// <param name="keepDays">Rows of so many days stay; 0: none.</param>
    /// <param name="standby">Only this standby's rows; null: all.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>How many rows are gone.</returns>
    public static async Task<long> DeleteAsync(NpgsqlConnection connection, int keepDays, NodeId? standby, CancellationToken cancel)
    {
        const string Sql =
            """
            DELETE FROM repmgr.monitoring_history
             WHERE ($1 = 0 OR last_monitor_time < now() - make_interval(days => $1)) AND ($2 IS NULL OR standby_node_id = $2)
            """;
        await using NpgsqlCommand delete = new(Sql, connection)
        {
            Parameters = { new() { Value = keepDays }, new NpgsqlParameter { Value = (object?)standby?.Value ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer } },
        };
        long rows = await delete.ExecuteNonQueryAsync(cancel);
        if (rows == 0)
            return 0;

        // DELETE and VACUUM rather than TRUNCATE: repmgrd inserts all the while, and must not be made to wait. A role that does not own the
        // table gets a warning here and leaves the space to autovacuum.
        await using NpgsqlCommand vacuum = new("VACUUM repmgr.monitoring_history", connection);
        await vacuum.ExecuteNonQueryAsync(cancel);
        return rows;
    }
}
