using Npgsql;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Cloning;

/// <summary>Makes the physical slot of a standby on its upstream, reserving WAL at once, so that none can be missed from now on.</summary>
internal static class SlotRunner
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    public static async Task<StepOutcome> ReserveAsync(Step.ReserveSlot step, PostgresConnector connector, CancellationToken cancel)
    {
        ConnectResult connected = await connector.OpenAsync(step.Server, cancel).ConfigureAwait(false);
        if (connected is not ConnectResult.Opened { Session: var session })
            return new StepOutcome.Failed(new Problem($"could not connect to {step.ServerName}", connected.Failure), ExitCode.DbConnection);

        await using (session.ConfigureAwait(false))
        {
            return await session.RunAsync((connection, token) => ReserveAsync(connection, step.Slot, token), Within, cancel).ConfigureAwait(false) switch
            {
                Answer<StepOutcome>.Got got => got.Value,
                Answer<StepOutcome>.Failed failed => new StepOutcome.Failed(
                    new Problem($"could not make replication slot \"{step.Slot}\" on {step.ServerName}", failed.Reason), ExitCode.DbQuery),
                _ => throw new InvalidOperationException("an answer of no known kind"),
            };
        }
    }

    // A slot that was left behind holds WAL from long ago or, when it lost it, none: only then it is made anew.
    private static async Task<StepOutcome> ReserveAsync(NpgsqlConnection connection, string slot, CancellationToken cancel)
    {
        string? state = await ScalarAsync(
            connection,
            "SELECT CASE WHEN wal_status = 'lost' THEN 'lost' WHEN restart_lsn IS NULL THEN 'unreserved' ELSE 'reserved' END FROM pg_replication_slots WHERE slot_name = $1",
            slot,
            cancel).ConfigureAwait(false);
        if (state == "reserved")
            return new StepOutcome.AlreadyDone("it exists and reserves WAL");
        if (state is not null)
            await ScalarAsync(connection, "SELECT pg_drop_replication_slot($1)::text", slot, cancel).ConfigureAwait(false);

        await ScalarAsync(connection, "SELECT slot_name::text FROM pg_create_physical_replication_slot($1, true)", slot, cancel).ConfigureAwait(false);
        return new StepOutcome.Done();
    }

    private static async Task<string?> ScalarAsync(NpgsqlConnection connection, string sql, string argument, CancellationToken cancel)
    {
        var command = new NpgsqlCommand(sql, connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = argument } } };
        await using (command.ConfigureAwait(false))
        {
            NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
                return await reader.ReadAsync(cancel).ConfigureAwait(false) ? reader.TextOrNull(0) : null;
        }
    }
}
