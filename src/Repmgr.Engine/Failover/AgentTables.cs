using System.Text.Json;
using Npgsql;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>What agents find in the database: the secret, each other, and the first membership.</summary>
/// <param name="Nodes">All registered nodes.</param>
/// <param name="Agents">The agents that have said so, by node.</param>
/// <param name="Secret">The cluster's secret.</param>
/// <param name="Founding">The first membership; null: there is none yet.</param>
/// <param name="IsPrimary">It was read from a server that takes writes.</param>
internal sealed record AgentTables(
    IReadOnlyList<NodeRecord> Nodes, IReadOnlyDictionary<NodeId, (VoterId Voter, string Address)> Agents, byte[] Secret, FoundingDocument? Founding, bool IsPrimary)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(3);

    /// <summary>A connection for who reads them again and again.</summary>
    public static KeptSession Keep(PostgresConnector connector, Conninfo server) => new(connector, server, Within);

    /// <summary>Reads them all; a failure has its reason.</summary>
    public static Task<Answer<AgentTables>> ReadAsync(KeptSession session, CancellationToken cancel) => session.RunAsync(ReadAsync, cancel);

    /// <summary>Reads them all by a connection of its own.</summary>
    public static async Task<Answer<AgentTables>> ReadAsync(PostgresConnector connector, Conninfo server, CancellationToken cancel)
    {
        ConnectResult connected = await connector.OpenAsync(server, Within, cancel);
        if (connected is not ConnectResult.Opened opened)
            return new Answer<AgentTables>.Failed(null, connected.Failure ?? "");
        await using PostgresSession session = opened.Session;
        return await session.RunAsync(ReadAsync, Within, cancel);
    }

    /// <summary>The rights that the agent's role lacks on its own server, as a DBA names them; empty: none. Without them it would not see what it decides on.</summary>
    public static async Task<Answer<IReadOnlyList<string>>> LackingAsync(PostgresConnector connector, Conninfo server, CancellationToken cancel)
    {
        const string Sql =
            """
            SELECT lacking FROM (VALUES
                (1, 'pg_monitor', pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AND pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')),
                (2, 'REPLICATION', (SELECT rolsuper OR rolreplication FROM pg_catalog.pg_roles WHERE rolname = current_user)),
                (3, 'EXECUTE on pg_promote', pg_catalog.has_function_privilege('pg_catalog.pg_promote(boolean,integer)', 'EXECUTE')),
                (4, 'EXECUTE on pg_logical_emit_message', pg_catalog.has_function_privilege(
                    (SELECT oid FROM pg_catalog.pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = 'pg_logical_emit_message' ORDER BY oid LIMIT 1), 'EXECUTE'))
            ) AS rights (place, lacking, is_there) WHERE NOT is_there ORDER BY place
            """;
        if (await connector.OpenAsync(server, Within, cancel) is not ConnectResult.Opened opened)
            return new Answer<IReadOnlyList<string>>.Failed(null, "the own server cannot be reached");
        await using PostgresSession session = opened.Session;
        return await session.QueryAsync(Sql, row => row.GetString(0), Within, cancel);
    }

    /// <summary>The names under which standbys stream from a primary.</summary>
    public static async Task<IReadOnlyList<string>> StreamingAsync(PostgresConnector connector, Conninfo primary, CancellationToken cancel)
    {
        if (await connector.OpenAsync(primary, Within, cancel) is not ConnectResult.Opened opened)
            return [];
        await using PostgresSession session = opened.Session;
        return await session.QueryAsync(
            "SELECT application_name FROM pg_catalog.pg_stat_replication WHERE state = 'streaming'", row => row.GetString(0), Within, cancel)
            is Answer<IReadOnlyList<string>>.Got { Value: var names } ? names : [];
    }

    /// <summary>Says who the agent of a node is. Why not; null when it stands there.</summary>
    public static Task<string?> AnnounceAsync(PostgresConnector connector, Conninfo primary, VoterId voter, string address, CancellationToken cancel) => ExecuteAsync(
        connector, primary,
        """
        INSERT INTO repmgr.agents AS a (node_id, voter, address) VALUES ($1, $2, $3)
        ON CONFLICT (node_id) DO UPDATE SET (voter, address) = (excluded.voter, excluded.address)
         WHERE (a.voter, a.address) IS DISTINCT FROM (excluded.voter, excluded.address)
        """,
        cancel,
        new NpgsqlParameter<int> { TypedValue = voter.Node.Value },
        new NpgsqlParameter<string> { TypedValue = voter.ToString() },
        new NpgsqlParameter<string> { TypedValue = address });

    /// <summary>An agent that votes no more, of a node that is registered no more, is forgotten. Why not; null when it is.</summary>
    public static Task<string?> ForgetAsync(PostgresConnector connector, Conninfo primary, NodeId node, CancellationToken cancel) => ExecuteAsync(
        connector, primary,
        "DELETE FROM repmgr.agents a WHERE node_id = $1 AND NOT EXISTS (SELECT FROM repmgr.nodes n WHERE n.node_id = a.node_id)",
        cancel,
        new NpgsqlParameter<int> { TypedValue = node.Value });

    /// <summary>Writes the first membership. Why not; null when it stands there. There is one for ever: a second one is refused.</summary>
    public static Task<string?> FoundAsync(PostgresConnector connector, Conninfo primary, FoundingDocument document, CancellationToken cancel) => ExecuteAsync(
        connector, primary,
        "INSERT INTO repmgr.founding (document) VALUES ($1)",
        cancel,
        new NpgsqlParameter<string> { TypedValue = JsonSerializer.Serialize(document, AgentJson.Default.FoundingDocument) });

    /// <summary>The timeline that a primary writes on.</summary>
    public static async Task<int?> TimelineAsync(PostgresConnector connector, Conninfo primary, CancellationToken cancel)
    {
        if (await connector.OpenAsync(primary, Within, cancel) is not ConnectResult.Opened opened)
            return null;
        await using PostgresSession session = opened.Session;
        Answer<string?> answer = await session.ScalarAsync<string>("SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn())", Within, cancel);
        return answer is Answer<string?>.Got { Value: [_, _, _, _, _, _, _, _, ..] name }
            ? int.Parse(name.AsSpan(0, 8), System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture)
            : null;
    }

    private static async Task<string?> ExecuteAsync(PostgresConnector connector, Conninfo primary, string sql, CancellationToken cancel, params NpgsqlParameter[] parameters)
    {
        ConnectResult connected = await connector.OpenAsync(primary, Within, cancel);
        if (connected is not ConnectResult.Opened opened)
            return connected.Failure;
        await using PostgresSession session = opened.Session;
        return await session.ExecuteAsync(sql, Within, cancel, parameters) is Answer<int>.Failed failed ? failed.Reason : null;
    }

    private static async Task<AgentTables> ReadAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        IReadOnlyList<NodeRecord> nodes = await NodeStore.ReadAllAsync(connection, cancel);
        var agents = new Dictionary<NodeId, (VoterId, string)>();
        await using NpgsqlCommand command = new("SELECT voter, address FROM repmgr.agents", connection);
        await using (NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel))
        {
            while (await reader.ReadAsync(cancel))
            {
                if (SealedBy.Read(reader.GetString(0), "0.0", "0") is { Sender: var voter })
                    agents[voter.Node] = (voter, reader.GetString(1));
            }
        }

        command.CommandText = "SELECT (SELECT secret FROM repmgr.cluster_secret), (SELECT document FROM repmgr.founding), NOT pg_catalog.pg_is_in_recovery()";
        await using NpgsqlDataReader rest = await command.ExecuteReaderAsync(cancel);
        await rest.ReadAsync(cancel);
        FoundingDocument? founding = rest.IsDBNull(1) ? null : JsonSerializer.Deserialize(rest.GetString(1), AgentJson.Default.FoundingDocument);
        return new AgentTables(nodes, agents, rest.GetFieldValue<byte[]>(0), founding, rest.GetBoolean(2));
    }
}
