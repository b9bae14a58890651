using System.Diagnostics;
using Npgsql;
using Repmgr.Core.Cloning.Direct;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Reads a little of the source's files, to say how long all of them may take.</summary>
/// <remarks>An estimate: what it reads may lie in memory there, and several connections may bring more than one.</remarks>
internal static class ReadRate
{
    private const long MostBytes = 64 << 20;
    private static readonly TimeSpan Within = TimeSpan.FromMilliseconds(300);

    private const string LargestSql =
        "SELECT pg_relation_filepath(oid), pg_relation_size(oid) FROM pg_class WHERE relkind IN ('r', 't', 'm', 'i') AND relpersistence = 'p' ORDER BY relpages DESC LIMIT 1";

    /// <returns>Bytes a second.</returns>
    public static async Task<long?> MeasureAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        if (await LargestAsync(connection, cancel).ConfigureAwait(false) is not (var path, > 0 and var size))
            return null;

        long began = Stopwatch.GetTimestamp();
        long read = 0;
        while (read < MostBytes && Stopwatch.GetElapsedTime(began) < Within)
        {
            int bytes = await ReadAsync(connection, path, read % size, cancel).ConfigureAwait(false);
            if (bytes == 0)
                break;
            read += bytes;
        }

        return (long)(read / Stopwatch.GetElapsedTime(began).TotalSeconds);
    }

    private static async Task<(string Path, long Size)?> LargestAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        var command = new NpgsqlCommand(LargestSql, connection);
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
                return await reader.ReadAsync(cancel).ConfigureAwait(false) && !await reader.IsDBNullAsync(0, cancel).ConfigureAwait(false) ? (reader.GetString(0), reader.GetInt64(1)) : null;
        }
    }

    private static async Task<int> ReadAsync(NpgsqlConnection connection, string path, long offset, CancellationToken cancel)
    {
        var command = new NpgsqlCommand(SourceSql.Read, connection)
        {
            Parameters =
            {
                new NpgsqlParameter<string> { TypedValue = path },
                new NpgsqlParameter<long> { TypedValue = offset },
                new NpgsqlParameter<long> { TypedValue = CopyParts.Chunk },
            },
        };
        await using (command.ConfigureAwait(false))
            return (await command.ExecuteScalarAsync(cancel).ConfigureAwait(false) as byte[])?.Length ?? 0;
    }
}
