using Npgsql;
using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>Cuts the server off from whom it receives WAL from, so that what its agent reports of its position stays true (R8).</summary>
/// <param name="node">The node.</param>
/// <param name="eyes">How far its WAL was seen to go.</param>
internal sealed class ReceiverCut(AgentNode node, ServerEyes eyes)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan CutWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    /// <summary>Ends the receiver and sees that it is gone (R8).</summary>
    public async Task<StepOutcome> CutAsync(CancellationToken cancel)
    {
        bool isChanged = AutoConf.Merge(node.DataDirectory, new Dictionary<string, string?> { ["primary_conninfo"] = "", ["primary_slot_name"] = null });
        if (LocalServer.Look(node.DataDirectory) is not LocalServerState.Running running)
        {
            SafeBoot.Open(node.DataDirectory);
            return new StepOutcome.Stopped(await WalOnDisk.EndAsync(node.DataDirectory, eyes.Flushed, node.Binaries, cancel));
        }

        if (isChanged)
            LocalServer.Reload(node.DataDirectory);
        ConnectResult connected = await node.Connector.OpenAsync(node.Conninfo, AnswerWithin, cancel);
        if (connected is not ConnectResult.Opened opened)
            return new StepOutcome.Failed($"the server cannot be reached: {connected.Failure}");
        await using PostgresSession session = opened.Session;
        TimeSpan began = BootClock.Now;
        int clean = 0;
        while (true)
        {
            Answer<ReceiverLook?> answer = await session.RunAsync(ReceiverAsync, AnswerWithin, cancel);
            if (answer is not Answer<ReceiverLook?>.Got { Value: { } look })
                return new StepOutcome.Failed($"the receiver cannot be looked at: {(answer as Answer<ReceiverLook?>.Failed)?.Reason}");
            if (!look.InRecovery)
                return new StepOutcome.Failed("the server is not in recovery");
            // A reload alone was seen to leave it running.
            if (look.Receiver is { } receiver)
                _ = ProcessSweep.Send(receiver, ProcessSweep.SigTerm);
            clean = look is { Receiver: null, IsDetached: true } ? clean + 1 : 0;
            if (clean >= 2)
                return new StepOutcome.Stopped(await WalOnDisk.EndAsync(node.DataDirectory, look.End, node.Binaries, cancel) ?? look.End);
            if (BootClock.Now - began >= CutWithin)
                return new StepOutcome.Failed(look.Receiver is { } pid ? $"the receiver, process {pid}, is still there" : "the server has not taken the new configuration over");
            await Task.Delay(Tick, cancel);
        }
    }

    private static async Task<ReceiverLook?> ReceiverAsync(NpgsqlConnection connection, CancellationToken cancel)
    {
        const string Sql =
            """
            SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('primary_conninfo') = '',
                   (SELECT pid FROM pg_catalog.pg_stat_activity WHERE backend_type = 'walreceiver' LIMIT 1),
                   CASE WHEN pg_catalog.pg_is_in_recovery() THEN
                       greatest(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())::text END
            """;
        await using NpgsqlCommand command = new(Sql, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancel);
        if (!await reader.ReadAsync(cancel))
            return null;
        Lsn? end = !reader.IsDBNull(3) && Lsn.TryParse(reader.GetString(3), out Lsn lsn) ? lsn : null;
        return new ReceiverLook(reader.GetBoolean(0), reader.GetBoolean(1), reader.IsDBNull(2) ? null : reader.GetInt32(2), end);
    }

    private sealed record ReceiverLook(bool InRecovery, bool IsDetached, int? Receiver, Lsn? End);
}
