using System.Globalization;
using System.Text;
using Npgsql;
using Repmgr.Core.Postgres;
using Repmgr.Core.Verification;
using Repmgr.Engine.Cloning.Direct;
using Repmgr.Engine.Metadata;

namespace Repmgr.Engine.Verification;

/// <summary>Where a running server is in the log.</summary>
/// <param name="InRecovery">It is a standby.</param>
/// <param name="Redo">All changes before this position are in its files.</param>
/// <param name="Timeline">The timeline it is on.</param>
/// <param name="Reached">The end of a primary's WAL, flushed or not, since a file can be extended before the WAL of that is flushed; what a standby has replayed.</param>
internal sealed record ServerPosition(bool InRecovery, Lsn Redo, int Timeline, Lsn Reached);

/// <summary>What is asked of the servers besides the contents of files. Errors are the connection's.</summary>
internal static class VerifySource
{
    private const string PositionSql =
        """
        SELECT pg_is_in_recovery(), c.redo_lsn::text,
               CASE WHEN pg_is_in_recovery() THEN c.timeline_id
                    ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int4 END,
               CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                    -- Where nothing is written, the next record's place can lie behind a page header (40 bytes at most) that is not there yet.
                    WHEN pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn() <= 40 THEN pg_current_wal_flush_lsn()
                    ELSE pg_current_wal_insert_lsn() END::text
          FROM pg_control_checkpoint() AS c
        """;

    // DROP DATABASE and ALTER DATABASE SET TABLESPACE lock the database, CREATE DATABASE its template (get_db_info in commands/dbcommands.c).
    private const string DatabaseChangesSql =
        """
        SELECT objid || ' ' || pid || ' ' || mode FROM pg_locks
         WHERE locktype = 'object' AND classid = 'pg_database'::regclass AND mode IN ('ShareLock', 'AccessExclusiveLock') AND granted
        """;

    private const string EndSql = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_insert_lsn() END::text";

    private const string DatabasesSql = "SELECT oid::int8, datname::text, datname = current_database() FROM pg_database";

    private const string RelationSql = "SELECT pg_filenode_relation($1, $2)::regclass::text";

    public static async Task<ServerPosition> PositionAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        var command = new NpgsqlCommand(PositionSql, connection) { CommandTimeout = 0 };
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                await reader.ReadAsync(cancel).ConfigureAwait(false);
                return new ServerPosition(reader.GetBoolean(0), Position(reader.GetString(1)), reader.GetInt32(2), Position(reader.TextOrNull(3)));
            }
        }
    }

    /// <summary>Databases that are being created, moved or dropped, and by whom.</summary>
    public static async Task<HashSet<string>> DatabaseChangesAsync(NpgsqlConnection connection)
    {
        var command = new NpgsqlCommand(DatabaseChangesSql, connection) { CommandTimeout = 0 };
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                var changes = new HashSet<string>();
                while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
                    changes.Add(reader.GetString(0));
                return changes;
            }
        }
    }

    /// <summary>The end of a primary's WAL: no page on it or on its standbys has changed after it. Null on a standby.</summary>
    public static async Task<Lsn?> EndAsync(NpgsqlConnection connection)
    {
        var command = new NpgsqlCommand(EndSql, connection) { CommandTimeout = 0 };
        await using (command.ConfigureAwait(false))
            return await command.ExecuteScalarAsync(CancellationToken.None).ConfigureAwait(false) is string text ? Position(text) : null;
    }

    /// <summary>The history of a timeline, where the server has its file.</summary>
    public static async Task<TimelineHistory?> HistoryAsync(NpgsqlConnection connection, int timeline)
    {
        if (timeline == 1)
            return TimelineHistory.First;
        byte[] content = await ReadAsync(connection, "pg_wal/" + TimelineHistory.FileName(timeline), 0, 1 << 20).ConfigureAwait(false);
        return content.Length > 0 && TimelineHistory.TryParse(timeline, Encoding.UTF8.GetString(content), out TimelineHistory history) ? history : null;
    }

    /// <summary>A stretch of a file; nothing when it is not there.</summary>
    public static async Task<byte[]> ReadAsync(NpgsqlConnection connection, string path, long offset, long bytes)
    {
        NpgsqlCommand command = SourceCommands.Read(connection, path, offset, bytes);
        await using (command.ConfigureAwait(false))
            return await command.ExecuteScalarAsync(CancellationToken.None).ConfigureAwait(false) as byte[] ?? [];
    }

    /// <summary>Names whose tables the files hold, as far as the database that we are connected to can tell.</summary>
    public static async Task<IReadOnlyList<FileFinding>> NameAsync(NpgsqlConnection connection, IReadOnlyList<FileFinding> findings)
    {
        const int most = 200;
        var databases = new Dictionary<uint, (string Name, bool IsOurs)>();
        var command = new NpgsqlCommand(DatabasesSql, connection) { CommandTimeout = 0 };
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(CancellationToken.None).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                while (await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false))
                    databases[(uint)reader.GetInt64(0)] = (reader.GetString(1), reader.GetBoolean(2));
            }
        }

        var named = new List<FileFinding>(findings.Count);
        foreach (FileFinding finding in findings)
        {
            RelationPlace? place = RelationPlace.TryRead(finding.Path);
            (string? database, bool isOurs) = place is { Database: { } oid } && databases.TryGetValue(oid, out (string, bool) known) ? known : (null, place is { Database: null });
            string? relation = place is not null && isOurs && named.Count < most ? await RelationAsync(connection, place).ConfigureAwait(false) : null;
            named.Add(finding with { Database = database, Relation = relation });
        }

        return named;
    }

    private static async Task<string?> RelationAsync(NpgsqlConnection connection, RelationPlace place)
    {
        var command = new NpgsqlCommand(RelationSql, connection)
        {
            CommandTimeout = 0,
            Parameters = { new NpgsqlParameter<uint> { TypedValue = place.Tablespace, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid }, new NpgsqlParameter<uint> { TypedValue = place.Number, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Oid } },
        };
        await using (command.ConfigureAwait(false))
            return await command.ExecuteScalarAsync(CancellationToken.None).ConfigureAwait(false) as string;
    }

    private static Lsn Position(string? text) => text is not null && Lsn.TryParse(text, out Lsn lsn) ? lsn
        : text is null ? Lsn.Zero
        : throw new NpgsqlException(string.Create(CultureInfo.InvariantCulture, $"the server gave a position that cannot be read: \"{text}\""));
}
