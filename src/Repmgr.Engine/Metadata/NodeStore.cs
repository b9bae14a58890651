using System.Data.Common;
using Npgsql;
using Repmgr.Core.Cluster;

namespace Repmgr.Engine.Metadata;

/// <summary>Reads and writes <c>repmgr.nodes</c>. Errors are the connection's: <see cref="NpgsqlException"/>.</summary>
public static class NodeStore
{
    // 'bdr' rows can only stem from repmgr 4 with BDR 1 or 2, which no supported PostgreSQL runs.
    internal const string SelectAll =
        """
        SELECT node_id, upstream_node_id, active, node_name, type, location, priority, conninfo, repluser::text, slot_name, config_file
          FROM repmgr.nodes WHERE type IN ('primary', 'standby', 'witness') ORDER BY node_id
        """;

    /// <summary>All nodes by ascending id.</summary>
    public static async Task<IReadOnlyList<NodeRecord>> ReadAllAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using NpgsqlCommand command = new(SelectAll, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel);
        List<NodeRecord> records = [];
        while (await reader.ReadAsync(cancel))
            records.Add(ReadRow(reader));

        return records;
    }

    /// <summary>
    /// Inserts the record or brings its row up to date, and marks other nodes inactive, as one change.
    /// </summary>
    /// <param name="connection">To the primary.</param>
    /// <param name="record">What is to stand there. Its conninfo must hold no password.</param>
    /// <param name="deactivate">Nodes that are not to count as active any more: former primaries.</param>
    /// <param name="replace">May an existing row of this id that says something else be replaced?</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<WriteResult> WriteAsync(
        NpgsqlConnection connection,
        NodeRecord record,
        IReadOnlyCollection<NodeId> deactivate,
        bool replace,
        CancellationToken cancel)
    {
        await using NpgsqlTransaction transaction = await MetadataLock.BeginAsync(connection, cancel);
        IReadOnlyList<NodeRecord> before = await ReadAllAsync(connection, cancel);
        NodeRecord? existing = before.FirstOrDefault(node => node.Id == record.Id);
        List<NodeId> stillActive = [.. before.Where(node => node.Active && deactivate.Contains(node.Id)).Select(node => node.Id)];
        if (existing == record && stillActive.Count == 0)
            return new WriteResult.Unchanged();

        if (existing is not null && existing != record && !replace)
            return new WriteResult.Occupied(existing);

        if (before.FirstOrDefault(node => node.Id != record.Id && node.Active && node.Name == record.Name && !deactivate.Contains(node.Id)) is { } namesake)
            return new WriteResult.Occupied(namesake);

        await DeactivateAsync(connection, stillActive, cancel);
        await UpsertAsync(connection, record, cancel);
        await transaction.CommitAsync(cancel);
        return new WriteResult.Written();
    }

    /// <summary>Deletes a node's row.</summary>
    /// <returns>False when there was none.</returns>
    public static async Task<bool> DeleteAsync(NpgsqlConnection connection, NodeId id, CancellationToken cancel)
    {
        await using NpgsqlTransaction transaction = await MetadataLock.BeginAsync(connection, cancel);
        await using NpgsqlCommand command = new("DELETE FROM repmgr.nodes WHERE node_id = $1", connection)
        {
            Parameters = { new() { Value = id.Value } },
        };
        int rows = await command.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
        return rows > 0;
    }

    internal static NodeRecord ReadRow(DbDataReader reader) => new(
        Id: new NodeId(reader.GetInt32(0)),
        Upstream: reader.IntOrNull(1) is { } upstream ? new NodeId(upstream) : null,
        Active: reader.GetBoolean(2),
        Name: reader.GetString(3),
        Type: reader.GetString(4) switch
        {
            "primary" => NodeType.Primary,
            "standby" => NodeType.Standby,
            _ => NodeType.Witness,
        },
        Location: reader.GetString(5),
        Priority: reader.GetInt32(6),
        Conninfo: reader.GetString(7),
        ReplicationUser: reader.GetString(8),
        SlotName: reader.TextOrNull(9),
        ConfigFile: reader.GetString(10));

    private static async Task DeactivateAsync(NpgsqlConnection connection, List<NodeId> ids, CancellationToken cancel)
    {
        foreach (NodeId id in ids)
        {
            await using NpgsqlCommand command = new("UPDATE repmgr.nodes SET active = false WHERE node_id = $1", connection)
            {
                Parameters = { new() { Value = id.Value } },
            };
            await command.ExecuteNonQueryAsync(cancel);
        }
    }

    private static async Task UpsertAsync(NpgsqlConnection connection, NodeRecord record, CancellationToken cancel)
    {
        const string Sql =
            """
            INSERT INTO repmgr.nodes AS n (node_id, upstream_node_id, active, node_name, type, location, priority, conninfo, repluser, slot_name, config_file)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            ON CONFLICT (node_id) DO UPDATE SET (upstream_node_id, active, node_name, type, location, priority, conninfo, repluser, slot_name, config_file)
              = (excluded.upstream_node_id, excluded.active, excluded.node_name, excluded.type, excluded.location, excluded.priority,
                 excluded.conninfo, excluded.repluser, excluded.slot_name, excluded.config_file)
            """;
        await using NpgsqlCommand command = new(Sql, connection)
        {
            Parameters =
            {
                new() { Value = record.Id.Value },
                new NpgsqlParameter<int?> { TypedValue = record.Upstream?.Value },
                new() { Value = record.Active },
                new() { Value = record.Name },
                new() { Value = record.Type.Name() },
                new() { Value = record.Location },
                new() { Value = record.Priority },
                new() { Value = record.Conninfo },
                new() { Value = record.ReplicationUser },
                new NpgsqlParameter<string?> { TypedValue = record.SlotName },
                new() { Value = record.ConfigFile },
            },
        };
        await command.ExecuteNonQueryAsync(cancel);
    }
}

/// <summary>What came of writing a record.</summary>
public abstract record WriteResult
{
    private WriteResult() { }

    public sealed record Written : WriteResult;

    /// <summary>It stood there already.</summary>
    public sealed record Unchanged : WriteResult;

    /// <summary>The id or the name belongs to this row, which was not to be replaced.</summary>
    public sealed record Occupied(NodeRecord By) : WriteResult;
}
