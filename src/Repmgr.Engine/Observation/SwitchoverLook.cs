using Npgsql;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Switchover;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Observation;

/// <summary>Looks at what decides, beyond who is who, whether two servers can exchange their roles.</summary>
public sealed class SwitchoverLook(PostgresConnector connector)
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(5);

    private const string Capacities =
        """
        SELECT name, setting::bigint FROM pg_catalog.pg_settings
         WHERE name IN ('max_connections', 'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions', 'max_locks_per_transaction')
        """;

    // The function that lists the directory is pg_monitor's: https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-GENFILE
    private const string Backlog =
        """
        SELECT CASE WHEN current_setting('archive_mode') IN ('on', 'always') AND has_function_privilege('pg_catalog.pg_ls_archive_statusdir()', 'EXECUTE')
                    THEN (SELECT count(*) FROM pg_catalog.pg_ls_archive_statusdir() WHERE name LIKE '%.ready') END
        """;

    /// <summary>Asks one server.</summary>
    /// <returns>Null: it does not answer, which the look at the cluster tells too.</returns>
    public async Task<SwitchoverServer?> LookAsync(NodeRecord node, Conninfo own, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(own);
        if (await connector.OpenAsync(NodeReach.Of(node, own), Within, cancel) is not ConnectResult.Opened opened)
            return null;

        await using PostgresSession session = opened.Session;
        return await ReplicationLook.AskAsync(session, Within, cancel) is Answer<ReplicationLook>.Got { Value: var replication }
            && await session.QueryAsync(Capacities, Capacity, Within, cancel) is Answer<IReadOnlyList<(string Name, long Value)>>.Got { Value: var capacities }
            ? new SwitchoverServer(
                replication.Room,
                capacities.ToDictionary(setting => setting.Name, setting => setting.Value),
                await session.ScalarAsync<long?>(Backlog, Within, cancel) is Answer<long?>.Got { Value: var files } ? files : null,
                session.Version.Major < 15 && await session.ScalarAsync<bool>("SELECT pg_catalog.pg_is_in_backup()", Within, cancel) is Answer<bool>.Got { Value: true })
            : null;
    }

    private static (string Name, long Value) Capacity(NpgsqlDataReader row) => (row.GetString(0), row.GetInt64(1));
}
