using Npgsql;
using Repmgr.Core.Cloning.Direct;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>The requests for contents of the source's files. They take as long as the disks take, and have no deadline.</summary>
internal static class SourceCommands
{
    /// <summary>A stretch of one file; null when it is gone.</summary>
    public static NpgsqlCommand Read(NpgsqlConnection connection, string path, long offset, long bytes) => Make(
        connection,
        SourceSql.Read,
        new NpgsqlParameter<string> { TypedValue = path },
        new NpgsqlParameter<long> { TypedValue = offset },
        new NpgsqlParameter<long> { TypedValue = bytes });

    /// <summary>Stretches of files, in pieces that each come as one row.</summary>
    /// <param name="connection">To the source.</param>
    /// <param name="stretches">Where each begins, and how many pieces it has.</param>
    /// <param name="pieceBytes">How long a piece is.</param>
    public static NpgsqlCommand Fetch(NpgsqlConnection connection, IReadOnlyList<Stretch> stretches, long pieceBytes) => Make(
        connection,
        SourceSql.Fetch,
        [.. Places(stretches), new NpgsqlParameter<long> { TypedValue = pieceBytes }]);

    /// <summary>Those pages of stretches of files whose hashes are others than ours.</summary>
    /// <param name="connection">To the source.</param>
    /// <param name="stretches">Where each begins, and how many pages it has.</param>
    /// <param name="pageBytes">How long a page is.</param>
    /// <param name="hashes">For each stretch the hashes of our pages.</param>
    public static NpgsqlCommand Compare(NpgsqlConnection connection, IReadOnlyList<Stretch> stretches, int pageBytes, IEnumerable<byte[]> hashes) => Make(
        connection,
        SourceSql.Compare,
        [
            .. Places(stretches),
            new NpgsqlParameter<int> { TypedValue = pageBytes },
            new NpgsqlParameter<byte[][]> { TypedValue = [.. hashes] },
            new NpgsqlParameter<int> { TypedValue = CopyParts.Chunk / pageBytes },
        ]);

    private static NpgsqlParameter[] Places(IReadOnlyList<Stretch> stretches) =>
    [
        new NpgsqlParameter<string[]> { TypedValue = [.. stretches.Select(stretch => stretch.Path)] },
        new NpgsqlParameter<long[]> { TypedValue = [.. stretches.Select(stretch => stretch.Offset)] },
        new NpgsqlParameter<int[]> { TypedValue = [.. stretches.Select(stretch => stretch.Pieces)] },
    ];

    private static NpgsqlCommand Make(NpgsqlConnection connection, string sql, params NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        command.Parameters.AddRange(parameters);
        return command;
    }

    /// <summary>A stretch of a file that consists of pieces of one length.</summary>
    public readonly record struct Stretch(string Path, long Offset, int Pieces);
}
