using Npgsql;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>What there is to be copied, as the source lists it.</summary>
/// <param name="on">The source.</param>
/// <param name="versionDirectory">The directory in each tablespace that belongs to the cluster.</param>
/// <param name="connector">Connects to it.</param>
/// <param name="source">Who is to answer.</param>
internal sealed class SourceListing(Conninfo on, string versionDirectory, PostgresConnector connector, SourceIdentity source)
{
    private const int Attempts = 20;

    /// <summary>The tablespaces of this moment.</summary>
    public async Task<IReadOnlyList<TablespaceView>> TablespacesAsync(CancellationToken cancel) => await OnceMoreAsync(
        connection => ListAsync(connection, SourceSql.Tablespaces, null, row => new TablespaceView(row.GetFieldValue<uint>(0), row.GetString(1), row.GetString(2), null)), cancel).ConfigureAwait(false);

    public async Task<CopyList> FilesAsync(IReadOnlyList<TablespaceView> tablespaces, CancellationToken cancel)
    {
        string closed = string.Join('\n', CopyRules.EmptyDirectories.Append("pg_wal"));
        List<SourceEntry> entries = await OnceMoreAsync(
            connection => ListAsync(connection, SourceSql.List, closed, row => new SourceEntry(row.GetString(0), row.GetBoolean(1), row.GetInt64(2))), cancel).ConfigureAwait(false);
        return CopyList.Of(entries, tablespaces.Select(space => space.Oid), versionDirectory);
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

    private static async Task<List<T>> ListAsync<T>(NpgsqlConnection connection, string sql, string? argument, Func<NpgsqlDataReader, T> read)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await using (command.ConfigureAwait(false))
        {
            if (argument is not null)
                command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = argument });
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                var rows = new List<T>();
                var garbage = new GarbageLimit();
                while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
                {
                    rows.Add(read(reader));
                    if (rows.Count % 1024 == 0)
                        garbage.Hold();
                }

                return rows;
            }
        }
    }
}
