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

/// <summary>Starts, promotes and points the server as the machine orders. Each step has a deadline, looks before it acts, and can be repeated.</summary>
/// <param name="node">The node.</param>
/// <param name="eyes">Look anew at what was done.</param>
/// <param name="slots">Of the term.</param>
/// <param name="known">How a node is reached.</param>
/// <param name="isSynchronous">The cluster remembers a synchronous set (R9).</param>
/// <param name="log">Hears what goes on.</param>
internal sealed class ServerSteps(AgentNode node, ServerEyes eyes, TermSlots slots, Func<NodeId, KnownNode?> known, Func<bool> isSynchronous, ILog log)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan StartWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    /// <summary>Starts the server; it comes up as a standby.</summary>
    public async Task<StepOutcome> StartAsync(CancellationToken cancel)
    {
        if (await node.LeftoverAsync(cancel) is { } leftover)
            return new StepOutcome.Failed(leftover);
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
        if (await slots.RenewAsync(session, step.Term, cancel) is { } obstacle)
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
        if (await node.LeftoverAsync(cancel) is { } leftover)
            return new StepOutcome.Failed(leftover);
        if (await slots.ReserveAsync(term, holder, cancel) is { } obstacle)
            return new StepOutcome.Failed(obstacle);
        if (await slots.DropOwnAsync(cancel) is { } left)
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

    private ReplicationCredentials Credentials() => new(
        node.Settings.ReplicationUser,
        node.Settings.Passfile,
        node.Settings.UsePrimaryConninfoPassword ? Environment.GetEnvironmentVariable("PGPASSWORD") ?? node.Conninfo["password"] : null);
}
