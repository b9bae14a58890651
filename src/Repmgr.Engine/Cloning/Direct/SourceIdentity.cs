using Npgsql;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Cloning.Direct;

/// <summary>Which server answers, and how its files are laid out.</summary>
/// <param name="SystemIdentifier">Of the cluster.</param>
/// <param name="Started">When the server started, as it writes it: another server, or the same after a restart, says something else.</param>
/// <param name="InRecovery">It is a standby.</param>
/// <param name="HasChecksums">Every page carries one.</param>
/// <param name="PageBytes"><c>block_size</c></param>
/// <param name="SegmentPages">Pages in each file of a relation but the last.</param>
/// <param name="GroupMayRead">Files and directories are readable by the group (<c>initdb --allow-group-access</c>).</param>
internal sealed record SourceIdentity(
    ulong SystemIdentifier, string Started, bool InRecovery, bool HasChecksums, int PageBytes, int SegmentPages, bool GroupMayRead)
{
    public UnixFileMode FileMode => UnixFileMode.UserRead | UnixFileMode.UserWrite | (GroupMayRead ? UnixFileMode.GroupRead : 0);

    public UnixFileMode DirectoryMode => UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | (GroupMayRead ? UnixFileMode.GroupRead | UnixFileMode.GroupExecute : 0);

    public static async Task<SourceIdentity> ReadAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        var command = new NpgsqlCommand(SourceSql.Identity, connection) { CommandTimeout = 0 };
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                await reader.ReadAsync(cancel).ConfigureAwait(false);
                return new SourceIdentity(
                    unchecked((ulong)reader.GetInt64(0)),
                    reader.GetString(1),
                    reader.GetBoolean(2),
                    reader.GetBoolean(3),
                    reader.GetInt32(4),
                    reader.GetInt32(5),
                    reader.GetString(6).EndsWith("50", StringComparison.Ordinal));
            }
        }
    }

    /// <summary>Refuses a connection that leads elsewhere: behind one name there may be another server by now.</summary>
    /// <exception cref="CopyFailure">It does.</exception>
    public void MustBe(SourceIdentity other)
    {
        if ((SystemIdentifier, Started) != (other.SystemIdentifier, other.Started))
        {
            throw new CopyFailure(
                new Problem(
                    "the source is not the same server any more",
                    $"One connection led to a server that started at {other.Started}, another to one that started at {Started}.",
                    "Run the command again; what is copied already is not copied again."),
                ExitCode.DbConnection);
        }
    }
}
