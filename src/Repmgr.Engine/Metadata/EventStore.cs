using System.Globalization;
using System.Text;
using Npgsql;
using Repmgr.Core.Cluster;

namespace Repmgr.Engine.Metadata;

/// <summary>Which events <see cref="EventStore.ReadAsync"/> returns: all that hold to every condition set.</summary>
/// <param name="Limit">At most so many, the newest; null: all.</param>
/// <param name="Name">Only this event.</param>
/// <param name="Node">Only this node's.</param>
/// <param name="NodeName">Only those of the node with this name.</param>
public sealed record EventFilter(int? Limit = 20, string? Name = null, NodeId? Node = null, string? NodeName = null);

/// <summary>Reads and writes <c>repmgr.events</c>. Errors are the connection's: <see cref="NpgsqlException"/>.</summary>
public static class EventStore
{
    /// <summary>Inserts an event that happens now.</summary>
    /// <returns>The time it was recorded at, by the server's clock.</returns>
    public static Task<DateTimeOffset> InsertAsync(NpgsqlConnection connection, ClusterEvent happened, CancellationToken cancel) =>
        InsertAsync(connection, happened, null, cancel);

    /// <summary>Inserts an event.</summary>
    /// <param name="connection">To the primary.</param>
    /// <param name="happened">The event.</param>
    /// <param name="at">When it happened, if that was not now: the daemon may have had to wait for a primary.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The time that was recorded; the server's clock, if none was given.</returns>
    public static async Task<DateTimeOffset> InsertAsync(
        NpgsqlConnection connection, ClusterEvent happened, DateTimeOffset? at, CancellationToken cancel)
    {
        const string Sql =
            """
            INSERT INTO repmgr.events (node_id, event, successful, event_timestamp, details)
            VALUES ($1, $2, $3, coalesce($5, clock_timestamp()), $4) RETURNING event_timestamp
            """;
        await using NpgsqlCommand command = new(Sql, connection)
        {
            Parameters =
            {
                new() { Value = happened.Node.Value },
                new() { Value = happened.Name },
                new() { Value = happened.Successful },
                new NpgsqlParameter<string?> { TypedValue = happened.Details },
                new NpgsqlParameter<DateTime?> { TypedValue = at?.UtcDateTime, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz },
            },
        };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        return reader.GetFieldValue<DateTimeOffset>(0);
    }

    /// <summary>The newest first.</summary>
    public static async Task<IReadOnlyList<RecordedEvent>> ReadAsync(
        NpgsqlConnection connection, EventFilter filter, CancellationToken cancel)
    {
        await using NpgsqlCommand command = Select(connection, filter);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel);
        List<RecordedEvent> events = [];
        while (await reader.ReadAsync(cancel))
        {
            events.Add(new RecordedEvent(
                new NodeId(reader.GetInt32(0)),
                reader.TextOrNull(1),
                reader.GetString(2),
                reader.GetBoolean(3),
                reader.GetFieldValue<DateTimeOffset>(4),
                reader.TextOrNull(5))
            {
                LocalTime = reader.GetString(6),
            });
        }

        return events;
    }

    private static NpgsqlCommand Select(NpgsqlConnection connection, EventFilter filter)
    {
        NpgsqlCommand command = new() { Connection = connection };
        StringBuilder sql = new(
            """
            SELECT e.node_id, n.node_name, e.event, e.successful, e.event_timestamp, e.details,
                   to_char(e.event_timestamp, 'YYYY-MM-DD HH24:MI:SS')
              FROM repmgr.events e LEFT JOIN repmgr.nodes n ON n.node_id = e.node_id
             WHERE true
            """);
        if (filter.Name is { } name)
            sql.Append(" AND e.event = ").Append(Add(command, name));
        if (filter.Node is { } node)
            sql.Append(" AND e.node_id = ").Append(Add(command, node.Value));
        if (filter.NodeName is { } nodeName)
            sql.Append(" AND n.node_name = ").Append(Add(command, nodeName));

        // ctid settles events of the same microsecond: rows are only ever appended.
        sql.Append(" ORDER BY e.event_timestamp DESC, e.ctid DESC");
        if (filter.Limit is { } limit)
            sql.Append(" LIMIT ").Append(Add(command, limit));

        command.CommandText = sql.ToString();
        return command;
    }

    private static string Add<T>(NpgsqlCommand command, T value)
    {
        command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return string.Create(CultureInfo.InvariantCulture, $"${command.Parameters.Count}");
    }
}
