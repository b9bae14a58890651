using Npgsql;
using Repmgr.Core.Checks.Nodes;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Observation;

/// <summary>Looks at how a server archives its WAL.</summary>
internal static class ArchivingLook
{
    private const string Settings =
        """
        SELECT current_setting('archive_mode'),
               (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'archive_command'),
               (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'archive_library'),
               (SELECT last_failed_wal FROM pg_catalog.pg_stat_archiver WHERE last_failed_time > coalesce(last_archived_time, '-infinity'))
        """;

    // Its executor asks for the right before it runs, so that it has to be a statement of its own.
    private const string Ready = "SELECT count(*)::int FROM pg_catalog.pg_ls_archive_statusdir() WHERE name LIKE '%.ready'";

    /// <param name="session">To the server.</param>
    /// <param name="dataDirectory">Its data directory, as it may be on this machine: there the files are counted when the role may not list them.</param>
    /// <param name="within">How long each answer may take.</param>
    /// <param name="cancel">Gives up.</param>
    /// <remarks>https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-GENFILE</remarks>
    public static async Task<Answer<ArchivingView>> AskAsync(PostgresSession session, string? dataDirectory, TimeSpan within, CancellationToken cancel)
    {
        Answer<ArchivingView> settings = await session.RunAsync((connection, token) => ReadAsync(connection, token), within, cancel);
        if (settings is not Answer<ArchivingView>.Got seen)
            return settings;

        int? pending = await session.ScalarAsync<int>(Ready, within, cancel) switch
        {
            Answer<int>.Got counted => counted.Value,
            Answer<int>.Failed { IsForLackOfRights: true } => Count(dataDirectory),
            _ => null,
        };
        return new Answer<ArchivingView>.Got(seen.Value with { Pending = pending });
    }

    private static async Task<ArchivingView> ReadAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        await using NpgsqlCommand command = new(Settings, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        return new ArchivingView(reader.GetString(0), Set(reader.TextOrNull(1)), Set(reader.TextOrNull(2)), null, reader.TextOrNull(3));
    }

    // What the server shows for an archive_command that does not apply, since archive_mode is off.
    private static string? Set(string? setting) => setting is "" or "(disabled)" ? null : setting;

    private static int? Count(string? dataDirectory)
    {
        try
        {
            return dataDirectory is null ? null : Directory.EnumerateFiles(Path.Combine(dataDirectory, "pg_wal", "archive_status"), "*.ready").Count();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
