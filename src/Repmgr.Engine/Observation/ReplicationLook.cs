using Npgsql;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Observation;

/// <summary>What a server says of replication beyond who it is.</summary>
/// <param name="Rights">What the role may do there.</param>
/// <param name="Source">Where it is told to stream from; null when that is unset or may not be seen.</param>
/// <param name="Room">What it has left for standbys.</param>
/// <param name="Port">The port it listens on, by which a server on this machine is recognised.</param>
public sealed record ReplicationLook(ReplicationRights Rights, ReplicationSource? Source, ServerRoom Room, int Port)
{
    // Both settings at once, or a standby could be left with the slot of one server and the address of another. The privilege on
    // a parameter exists from 15 on; allow_alter_system from 17 on.
    private const string AltersFrom15 =
        "has_parameter_privilege('primary_conninfo', 'ALTER SYSTEM') AND has_parameter_privilege('primary_slot_name', 'ALTER SYSTEM')";

    /// <summary>Asks over an open connection, in one round trip.</summary>
    public static Task<Answer<ReplicationLook>> AskAsync(PostgresSession session, TimeSpan within, CancellationToken cancel) =>
        session.RunAsync((connection, token) => ReadAsync(connection, session.Version, token), within, cancel);

    private static async Task<ReplicationLook> ReadAsync(NpgsqlConnection connection, PostgresVersion version, CancellationToken cancel)
    {
        string alters = version.Major >= 15 ? AltersFrom15 : "rolsuper";
        NpgsqlBatch batch = new(connection)
        {
            BatchCommands =
            {
                new NpgsqlBatchCommand($"""
                    SELECT current_user::text, rolsuper,
                           ({alters}) AND coalesce(current_setting('allow_alter_system', true), 'on') <> 'off',
                           has_function_privilege('pg_catalog.pg_reload_conf()', 'EXECUTE'),
                           pg_has_role('pg_read_all_stats', 'USAGE'),
                           rolsuper OR rolreplication,
                           (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'primary_conninfo'),
                           (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'primary_slot_name'),
                           current_setting('max_wal_senders')::int,
                           (SELECT count(*)::int FROM pg_catalog.pg_stat_get_wal_senders()),
                           current_setting('max_replication_slots')::int,
                           current_setting('port')::int,
                           current_database()::text
                      FROM pg_catalog.pg_roles WHERE rolname = current_user
                    """),
                new NpgsqlBatchCommand(
                    """
                    SELECT slot_name::text, slot_type = 'physical', active_pid, coalesce(wal_status = 'lost', false)
                      FROM pg_catalog.pg_replication_slots
                    """),
            },
        };
        await using (batch.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await batch.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                await reader.ReadAsync(cancel).ConfigureAwait(false);
                var rights = new ReplicationRights(
                    reader.GetString(0), reader.GetBoolean(1), reader.GetBoolean(2), reader.GetBoolean(3), reader.GetBoolean(4), reader.GetBoolean(5), reader.GetString(12));
                ReplicationSource? source = SourceFrom(reader.TextOrNull(6), reader.TextOrNull(7));
                (int senders, int used, int slots, int port) = (reader.GetInt32(8), reader.GetInt32(9), reader.GetInt32(10), reader.GetInt32(11));
                await reader.NextResultAsync(cancel).ConfigureAwait(false);
                List<SlotView> present = [];
                while (await reader.ReadAsync(cancel).ConfigureAwait(false))
                    present.Add(new SlotView(reader.GetString(0), reader.GetBoolean(1), reader.IntOrNull(2), reader.GetBoolean(3)));
                return new ReplicationLook(rights, source, new ServerRoom(senders, used, slots, present), port);
            }
        }
    }

    internal static ReplicationSource? SourceFrom(string? conninfo, string? slot) =>
        conninfo is { Length: > 0 } && Conninfo.TryParse(conninfo, out Conninfo? parsed, out _)
            ? new ReplicationSource(parsed, slot is { Length: > 0 } ? slot : null)
            : null;
}
