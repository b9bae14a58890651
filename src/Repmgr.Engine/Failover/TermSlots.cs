using Npgsql;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Failover;

/// <summary>Makes and drops the slots through which standbys stream from the holder of a term (docs/adr/0081).</summary>
/// <param name="node">The node.</param>
/// <param name="known">How a node is reached.</param>
/// <param name="members">The nodes with data.</param>
internal sealed class TermSlots(AgentNode node, Func<NodeId, KnownNode?> known, Func<IReadOnlyList<NodeId>> members)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    /// <summary>Makes the slot of the term on the holder, so that it keeps the WAL from here on. Why not; null when it is there.</summary>
    public async Task<string?> ReserveAsync(Term term, NodeId holder, CancellationToken cancel)
    {
        if (known(holder) is not { } upstream || !Conninfo.TryParse(upstream.Conninfo, out Conninfo? conninfo, out _))
            return $"it is not known how node {holder} is reached";
        ConnectResult connected = await node.Connector.OpenAsync(NodeReach.AsOwn(conninfo, node.Conninfo), AnswerWithin, cancel);
        if (connected is not ConnectResult.Opened opened)
            return $"node {holder} cannot be reached: {connected.Failure}";
        await using PostgresSession session = opened.Session;
        return await MakeAsync(session, TermSlot.Name(term, holder, node.Id), cancel);
    }

    /// <summary>Slots under the new term, for all who may follow; then those of older terms go, and with them who streams through them.</summary>
    public async Task<string?> RenewAsync(PostgresSession session, Term term, CancellationToken cancel)
    {
        foreach (NodeId standby in members().Where(member => member != node.Id))
        {
            if (await MakeAsync(session, TermSlot.Name(term, node.Id, standby), cancel) is { } obstacle)
                return obstacle;
        }

        return await DropAsync(session, name => TermSlot.Read(name) is not { } of || of.Term < term || of.Holder != node.Id, cancel);
    }

    /// <summary>
    /// Nobody streams from a node that follows, or receives through it what was written in a term that he does not know (docs/adr/0086). Of a server
    /// that is down the slots are directories: nothing writes them meanwhile.
    /// </summary>
    public async Task<string?> DropOwnAsync(CancellationToken cancel)
    {
        if (LocalServer.Look(node.DataDirectory) is not LocalServerState.Running)
        {
            string slots = Path.Combine(node.DataDirectory, "pg_replslot");
            foreach (string slot in Directory.EnumerateDirectories(slots, TermSlot.FilePattern))
                Directory.Delete(slot, recursive: true);
            DurableFile.FlushDirectory(slots);
            return null;
        }

        ConnectResult connected = await node.Connector.OpenAsync(node.Conninfo, AnswerWithin, cancel);
        if (connected is not ConnectResult.Opened opened)
            return $"the server cannot be reached: {connected.Failure}";
        await using PostgresSession session = opened.Session;
        return await DropAsync(session, _ => true, cancel);
    }

    private static async Task<string?> MakeAsync(PostgresSession session, string name, CancellationToken cancel) =>
        await session.ScalarAsync<string>(
            "SELECT (pg_catalog.pg_create_physical_replication_slot($1, true)).slot_name::text WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = $1)",
            AnswerWithin, cancel, new NpgsqlParameter<string> { TypedValue = name }) is Answer<string?>.Failed { SqlState: not PostgresErrorCodes.DuplicateObject } failed
            ? $"replication slot \"{name}\" could not be made: {failed.Reason}"
            : null;

    private static async Task<string?> DropAsync(PostgresSession session, Func<string, bool> which, CancellationToken cancel)
    {
        TimeSpan began = BootClock.Now;
        while (true)
        {
            Answer<IReadOnlyList<(string Name, int? Pid)>> answer = await session.QueryAsync(
                $"SELECT slot_name::text, active_pid FROM pg_catalog.pg_replication_slots WHERE slot_type = 'physical' AND slot_name LIKE '{TermSlot.Pattern}'",
                row => (row.GetString(0), row.IsDBNull(1) ? (int?)null : row.GetInt32(1)), AnswerWithin, cancel);
            if (answer is not Answer<IReadOnlyList<(string Name, int? Pid)>>.Got { Value: var slots })
                return (answer as Answer<IReadOnlyList<(string Name, int? Pid)>>.Failed)?.Reason;
            (string Name, int? Pid)[] old = [.. slots.Where(slot => which(slot.Name))];
            if (old.Length == 0)
                return null;
            if (BootClock.Now - began >= AnswerWithin)
                return $"replication slot \"{old[0].Name}\" is still used by process {old[0].Pid}";
            foreach ((string name, int? pid) in old)
            {
                if (pid is { } sender)
                    _ = ProcessSweep.Send(sender, ProcessSweep.SigTerm);
                else
                    await session.ExecuteAsync("SELECT pg_catalog.pg_drop_replication_slot($1)", AnswerWithin, cancel, new NpgsqlParameter<string> { TypedValue = name });
            }

            await Task.Delay(Tick, cancel);
        }
    }
}
