using Npgsql;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Files;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>What there is to be copied, as the source lists it.</summary>
/// <param name="on">The source.</param>
/// <param name="connector">Connects to it.</param>
/// <param name="source">Who is to answer.</param>
internal sealed class SourceListing(Conninfo on, PostgresConnector connector, SourceIdentity source)
{
    private const int Attempts = 20;

    /// <summary>The tablespaces of this moment.</summary>
    public async Task<IReadOnlyList<TablespaceView>> TablespacesAsync(CancellationToken cancel) => await OnceMoreAsync(
        async connection =>
        {
            var spaces = new List<TablespaceView>();
            await ListAsync(connection, SourceSql.Tablespaces, null, row => spaces.Add(new TablespaceView(row.GetFieldValue<uint>(0), row.GetString(1), row.GetString(2), null))).ConfigureAwait(false);
            return spaces;
        },
        cancel).ConfigureAwait(false);

    /// <summary>All files and directories.</summary>
    /// <param name="tree">Takes them.</param>
    /// <param name="cancel">Gives up.</param>
    public Task ListAsync(ListedTree tree, CancellationToken cancel)
    {
        string closed = string.Join('\n', CopyRules.EmptyDirectories.Append("pg_wal"));
        return OnceMoreAsync(
            connection =>
            {
                tree.Clear();
                return ListAsync(connection, SourceSql.List, closed, row => tree.Add(new SourceEntry(row.GetString(0), row.GetBoolean(1), row.GetInt64(2))));
            },
            cancel);
    }

    // A link or a directory that goes while it is looked at is an error of the functions that look; and Npgsql gives up a connection
    // on which the server had an error of the operating system. So this is asked on connections of its own.
    private async Task<T> OnceMoreAsync<T>(Func<NpgsqlConnection, Task<T>> ask, CancellationToken cancel)
    {
        for (int attempt = 1; ; attempt++)
        {
            SourceConnections one = await SourceConnections.OpenAsync(on, wanted: 1, connector, source, cancel).ConfigureAwait(false);
            await using (one.ConfigureAwait(false))
            {
                try
                {
                    return await one.OnOneAsync(ask, cancel).ConfigureAwait(false);
                }
                catch (PostgresException e) when (attempt < Attempts && e.SqlState.StartsWith("58", StringComparison.Ordinal))
                {
                    // Class 58 are the operating system's own errors, among them that a file is not there. The next look may be luckier.
                }
            }
        }
    }

    /// <returns>How many rows there were.</returns>
    private static async Task<long> ListAsync(NpgsqlConnection connection, string sql, string? argument, Action<NpgsqlDataReader> take)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await using (command.ConfigureAwait(false))
        {
            if (argument is not null)
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = argument });
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                long rows = 0;
                var garbage = new GarbageLimit();
                while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
                {
                    take(reader);
                    if (++rows % 1024 == 0)
                        garbage.Hold();
                }

                return rows;
            }
        }
    }
}
