using Npgsql;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Postgres;
using Planned = Repmgr.Core.Planning;
using StepOutcome = Repmgr.Core.Failover.StepOutcome;

namespace Repmgr.Engine.Failover;

/// <summary>Does what the machine orders on this host. Each step has a deadline, looks before it acts, and can be repeated.</summary>
/// <param name="node">The node.</param>
/// <param name="eyes">How far its WAL was seen to go.</param>
/// <param name="hooks">The operator's commands.</param>
/// <param name="known">How a node is reached.</param>
/// <param name="members">The nodes with data.</param>
/// <param name="isSynchronous">The cluster remembers a synchronous set (R9).</param>
/// <param name="log">Hears what goes on.</param>
internal sealed class ServerSteps(
    AgentNode node, ServerEyes eyes, AgentHooks hooks, Func<NodeId, KnownNode?> known, Func<IReadOnlyList<NodeId>> members, Func<bool> isSynchronous, ILog log)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StartWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CutWithin = TimeSpan.FromSeconds(2);
    // A lease that is not renewed any more lasts a little longer than this.
    private static readonly TimeSpan OrderlyWithin = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan KillWithin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan QuitWithin = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    /// <summary>Immediate shutdown, then SIGKILL, until no process is left (R3).</summary>
    /// <param name="isOrderly">A fast shutdown comes first: it sends the standbys all there is. What it takes too long for, the others do.</param>
    /// <param name="cancel">The step is overtaken.</param>
    public async Task<StepOutcome> FenceAsync(bool isOrderly, CancellationToken cancel)
    {
        TimeSpan began = BootClock.Now;
        int postmaster = ProcessSweep.Postmaster(node.Canonical);
        if (isOrderly && LocalServer.Look(node.DataDirectory) is LocalServerState.Running)
        {
            _ = ProcessSweep.Send(postmaster, ProcessSweep.SigInt);
            while (LocalServer.Look(node.DataDirectory) is LocalServerState.Running && BootClock.Now - began < OrderlyWithin)
                await Task.Delay(Tick, cancel);
            began = BootClock.Now;
        }

        if (LocalServer.Look(node.DataDirectory) is LocalServerState.Running)
            _ = ProcessSweep.Send(postmaster, ProcessSweep.SigQuit);
        while (ProcessSweep.Signal(node.Canonical, 0, 0) > 0 && BootClock.Now - began < QuitWithin && LocalServer.Look(node.DataDirectory) is LocalServerState.Running)
            await Task.Delay(Tick, cancel);
        await SweepAsync(postmaster, cancel);
        Secure();
        return new StepOutcome.Stopped(await EndAsync(eyes.Flushed, cancel));
    }

    /// <summary>SIGKILL until nothing is left. For what does not go, a disk that hangs for instance, there is the operator's command, once.</summary>
    private async Task SweepAsync(int postmaster, CancellationToken cancel)
    {
        TimeSpan began = BootClock.Now;
        bool asked = false;
        while (ProcessSweep.Signal(node.Canonical, ProcessSweep.SigKill, postmaster) != 0)
        {
            if (!asked && BootClock.Now - began >= KillWithin)
            {
                asked = true;
                log.Error("processes of the server do not end, though they were killed", "They are waiting for something in the kernel, usually for a disk.");
                if (await hooks.FenceAsync(cancel))
                    return;
            }

            await Task.Delay(Tick, cancel);
        }
    }

    /// <summary>Ends the receiver and sees that it is gone (R8).</summary>
    public async Task<StepOutcome> CutAsync(CancellationToken cancel)
    {
        bool isChanged = AutoConf.Merge(node.DataDirectory, new Dictionary<string, string?> { ["primary_conninfo"] = "", ["primary_slot_name"] = null });
        if (LocalServer.Look(node.DataDirectory) is not LocalServerState.Running running)
        {
            SafeBoot.Open(node.DataDirectory);
            return new StepOutcome.Stopped(await EndAsync(eyes.Flushed, cancel));
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
                return new StepOutcome.Stopped(await EndAsync(look.End, cancel) ?? look.End);
            if (BootClock.Now - began >= CutWithin)
                return new StepOutcome.Failed(look.Receiver is { } pid ? $"the receiver, process {pid}, is still there" : "the server has not taken the new configuration over");
            await Task.Delay(Tick, cancel);
        }
    }

    /// <summary>Starts the server; it comes up as a standby.</summary>
    public async Task<StepOutcome> StartAsync(CancellationToken cancel)
    {
        SafeBoot.Open(node.DataDirectory);
        if (isSynchronous() && LocalServer.Look(node.DataDirectory) is not LocalServerState.Running)
            AutoConf.Merge(node.DataDirectory, SynchronousSteps.OfStandbys);
        Detected<ServerControl> control = await node.ControlAsync(cancel);
        if (control is not Detected<ServerControl>.Found found)
            return new StepOutcome.Failed(((Detected<ServerControl>.Unclear)control).Problem.Message);
        if (await found.Value.StartAsync(StartWithin, cancel) is Planned.StepOutcome.Failed failed)
        {
            log.Error(failed.Problem.Message, failed.Problem.Detail, failed.Problem.Hint);
            return new StepOutcome.Failed(failed.Problem.Message);
        }

        return new StepOutcome.Done();
    }

    /// <summary>Promotes the server, not later than told (R8).</summary>
    public async Task<StepOutcome> PromoteAsync(AgentStep.Promote step, TimeSpan within, CancellationToken cancel)
    {
        ConnectResult connected = await node.Connector.OpenAsync(node.Conninfo, AnswerWithin, cancel);
        if (connected is not ConnectResult.Opened opened)
            return new StepOutcome.Failed($"the server cannot be reached: {connected.Failure}");
        await using PostgresSession session = opened.Session;
        if (await RenewSlotsAsync(session, step.Term, cancel) is { } obstacle)
            return new StepOutcome.Failed(obstacle);
        SafeBoot.Close(node.DataDirectory);
        TimeSpan began = BootClock.Now;
        if (began > step.NotAfter)
        {
            SafeBoot.Open(node.DataDirectory);
            return new StepOutcome.Failed("it came too late: the lease is about to end");
        }

        if (await session.ScalarAsync<bool>("SELECT pg_catalog.pg_promote(wait => false)", AnswerWithin, cancel) is Answer<bool>.Failed refused)
            return new StepOutcome.Failed($"pg_promote failed: {refused.Reason}");
        while (true)
        {
            Answer<bool> recovery = await session.ScalarAsync<bool>("SELECT pg_catalog.pg_is_in_recovery()", AnswerWithin, cancel);
            if (recovery is Answer<bool>.Failed lost)
                return new StepOutcome.Failed($"the connection was lost while the server was promoted: {lost.Reason}");
            if (recovery is Answer<bool>.Got { Value: false })
                break;
            if (BootClock.Now - began >= within)
                return new StepOutcome.Failed($"it was still in recovery after {within.TotalSeconds:0} s");
            await Task.Delay(Tick, cancel);
        }

        SafeBoot.Open(node.DataDirectory);
        LocalServer.Reload(node.DataDirectory);
        eyes.Nudge();
        return new StepOutcome.Done();
    }

    /// <summary>Points the receiver to the holder, through the slot of the term; starts the server when it is down.</summary>
    public async Task<StepOutcome> FollowAsync(AgentStep.Follow step, CancellationToken cancel)
    {
        (Term term, NodeId holder) = (step.Term, step.Holder);
        if (await ReserveAsync(term, holder, cancel) is { } obstacle)
            return new StepOutcome.Failed(obstacle);
        if (await DropOwnSlotsAsync(cancel) is { } left)
            return new StepOutcome.Failed(left);
        if (known(holder) is not { } upstream || !Conninfo.TryParse(upstream.Conninfo, out Conninfo? conninfo, out _))
            return new StepOutcome.Failed($"it is not known how node {holder} is reached");
        string name = step.Stamp is { } stamp ? StampedSet.NameOf(node.Id, stamp) : node.Name;
        var settings = new Dictionary<string, string?>(isSynchronous() ? SynchronousSteps.OfStandbys : new Dictionary<string, string?>())
        {
            ["primary_conninfo"] = PrimaryConninfo.Build(conninfo, name, Credentials(), node.Version).Reveal(),
            ["primary_slot_name"] = TermSlot.Name(term, holder, node.Id),
        };
        AutoConf.Merge(node.DataDirectory, settings);
        if (LocalServer.Look(node.DataDirectory) is not LocalServerState.Running && await StartAsync(cancel) is StepOutcome.Failed failed)
            return failed;
        LocalServer.Reload(node.DataDirectory);
        eyes.Nudge();
        return new StepOutcome.Done();
    }

    /// <summary>Makes the slot of the term on the holder, so that it keeps the WAL from here on. Why not; null when it is there.</summary>
    public async Task<string?> ReserveAsync(Term term, NodeId holder, CancellationToken cancel)
    {
        if (known(holder) is not { } upstream || !Conninfo.TryParse(upstream.Conninfo, out Conninfo? conninfo, out _))
            return $"it is not known how node {holder} is reached";
        Conninfo reach = node.Conninfo["password"] is { } password && conninfo["user"] == node.Conninfo["user"] ? conninfo.WithDefault("password", password) : conninfo;
        ConnectResult connected = await node.Connector.OpenAsync(reach, AnswerWithin, cancel);
        if (connected is not ConnectResult.Opened opened)
            return $"node {holder} cannot be reached: {connected.Failure}";
        await using PostgresSession session = opened.Session;
        return await MakeSlotAsync(session, TermSlot.Name(term, holder, node.Id), cancel);
    }

    public Task<Lsn?> EndAsync(Lsn? from, CancellationToken cancel) => WalOnDisk.EndAsync(node.DataDirectory, from, node.Binaries, cancel);

    private ReplicationCredentials Credentials() => new(
        node.Settings.ReplicationUser,
        node.Settings.Passfile,
        node.Settings.UsePrimaryConninfoPassword ? Environment.GetEnvironmentVariable("PGPASSWORD") ?? node.Conninfo["password"] : null);

    /// <summary>Slots under the new term, for all who may follow; then those of older terms go, and with them who streams through them.</summary>
    private async Task<string?> RenewSlotsAsync(PostgresSession session, Term term, CancellationToken cancel)
    {
        foreach (NodeId standby in members().Where(member => member != node.Id))
        {
            if (await MakeSlotAsync(session, TermSlot.Name(term, node.Id, standby), cancel) is { } obstacle)
                return obstacle;
        }

        return await DropSlotsAsync(session, name => TermSlot.Read(name) is not { } of || of.Term < term || of.Holder != node.Id, cancel);
    }

    /// <summary>
    /// Nobody streams from a node that follows, or receives through it what was written in a term that he does not know (docs/adr/0086). Of a server
    /// that is down the slots are directories: nothing writes them meanwhile.
    /// </summary>
    private async Task<string?> DropOwnSlotsAsync(CancellationToken cancel)
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
        return await DropSlotsAsync(session, _ => true, cancel);
    }

    private static async Task<string?> MakeSlotAsync(PostgresSession session, string name, CancellationToken cancel) =>
        await session.ScalarAsync<string>(
            "SELECT (pg_catalog.pg_create_physical_replication_slot($1, true)).slot_name::text WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = $1)",
            AnswerWithin, cancel, new NpgsqlParameter<string> { TypedValue = name }) is Answer<string?>.Failed { SqlState: not PostgresErrorCodes.DuplicateObject } failed
            ? $"replication slot \"{name}\" could not be made: {failed.Reason}"
            : null;

    private static async Task<string?> DropSlotsAsync(PostgresSession session, Func<string, bool> which, CancellationToken cancel)
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

    // A disk that takes nothing any more leaves the line there that keeps the server from being started: the safer of the two.
    private void Secure()
    {
        try
        {
            SafeBoot.Open(node.DataDirectory);
        }
        catch (IOException failed)
        {
            log.Error("standby.signal could not be put in place", failed.Message, "Do not start this server by hand: it might come up as a primary.");
        }
    }

    private sealed record ReceiverLook(bool InRecovery, bool IsDetached, int? Receiver, Lsn? End);
}
