using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Npgsql.Replication;

namespace Repmgr.Engine.Postgres;

/// <summary>
/// Asks replication commands over a connection of the one mapping. Npgsql sends them, in the simple protocol that a WAL sender
/// understands, only through a class that makes its connection itself, from a string: the accessors below hand it ours. They are
/// bound when the program is built, and tests on every major notice when a new Npgsql moves what they reach.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/protocol-replication.html</remarks>
internal sealed class ReplicationCommands : IAsyncDisposable
{
    private readonly PhysicalReplicationConnection _commands = new();

    /// <param name="connection">Open, and in replication mode.</param>
    public ReplicationCommands(NpgsqlConnection connection)
    {
        ConnectionOf(_commands) = connection;
        UseLogger(_commands, NullLogger.Instance); // As its own way of opening a connection would.
    }

    /// <summary>The one row of an answer. Npgsql's own methods for the commands expect types that newer servers no longer send.</summary>
    public Task<object?[]> RowAsync(string command, CancellationToken cancel) => ReadSingleRow(_commands, command, cancel)!;

    /// <summary>Closes the connection too.</summary>
    public ValueTask DisposeAsync() => _commands.DisposeAsync();

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_npgsqlConnection")]
    private static extern ref NpgsqlConnection ConnectionOf(ReplicationConnection commands);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_ReplicationLogger")]
    private static extern void UseLogger(ReplicationConnection commands, ILogger logger);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "ReadSingleRow")]
    private static extern Task<object[]> ReadSingleRow(ReplicationConnection commands, string command, CancellationToken cancel);
}
