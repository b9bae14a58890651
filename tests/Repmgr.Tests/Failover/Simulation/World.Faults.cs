using Repmgr.Core.Failover;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>What goes wrong.</summary>
internal sealed partial class World
{
    private bool _isQuietTime;

    public void Trouble()
    {
        Fault[] all = [.. Enum.GetValues<Fault>().Where(fault => _store is not null || fault is not (Fault.StoreOutage or Fault.SlowStore))];
        Fault[] faults = _profile.Faults is { } some ? [.. some] : [.. all.Where(fault => fault != Fault.StopMachine && _random.Next(5) < 2)];
        RunFor(TimeSpan.FromSeconds(1));
        TimeSpan end = Now + _profile.Trouble;
        while (Now < end && faults.Length > 0)
        {
            Happen(faults[_random.Next(faults.Length)], Nodes[_random.Next(Nodes.Count)]);
            RunFor(Between(0, 2 * _profile.FaultEvery.TotalMilliseconds) * (_random.Next(4) == 0 ? 0.05 : 1));
        }
    }

    public void Happen(Fault fault, SimulatedNode node)
    {
        Note(node.Node, fault);
        switch (fault)
        {
            case Fault.Split:
                HealNetwork();
                bool[] side = [.. Nodes.Select(_ => _random.Next(2) == 0)];
                bool isStoreThere = _store is not null && _random.Next(2) == 0;
                Block((from, to) => (from < 0 ? isStoreThere : side[from]) != (to < 0 ? isStoreThere : side[to]));
                break;
            case Fault.Isolate:
                HealNetwork();
                Block((from, to) => from == node.Node.Value - 1 || to == node.Node.Value - 1);
                break;
            case Fault.OneWay:
                bool outgoing = _random.Next(2) == 0;
                int other = _random.Next(Nodes.Count);
                Block((from, to) => outgoing ? from == node.Node.Value - 1 && (to == other || other == from) : to == node.Node.Value - 1 && (from == other || other == to));
                break;
            case Fault.HealNetwork:
                HealNetwork();
                break;
            case Fault.BadNetwork:
                _loss = _random.NextDouble() * 0.4;
                _twice = _random.NextDouble() * 0.3;
                _slowestMilliseconds = _random.Next(2) == 0 ? 50 : 3500;
                break;
            case Fault.SlowDisk:
                node.DiskDelay = _random.Next(2) == 0 ? Between(2, 10) : Between(100, 1500);
                break;
            case Fault.Drift:
                ChangeRate(node);
                break;
            case Fault.BurnTerm:
                BurnTerm(node);
                break;
            case Fault.Pause:
                Ask(new Request.Pause(Between(500, 12000)));
                break;
            case Fault.Resume:
                Ask(new Request.Resume());
                break;
            case Fault.HandOver:
                Ask(new Request.HandOver(node.Node));
                break;
            case Fault.ChangeMode when _mode != Core.Failover.Synchronous.SyncMode.Off:
                Ask(new Request.SetSynchronous(_mode, _random.Next(1, Math.Max(2, Nodes.Count(other => other is { HasData: true, IsRegistered: true })))));
                break;
            case Fault.Register:
                Register(node);
                break;
            case Fault.Unregister:
                Unregister(node);
                break;
            case Fault.LoseState:
                LoseState(node);
                break;
            case Fault.StoreOutage when _store is { IsDown: false }:
                _store.IsDown = true;
                After(Between(100, 12000), () => _store.IsDown = false);
                break;
            case Fault.SlowStore when _store is not null:
                _store.Slowest = _random.Next(2) == 0 ? Between(1, 10) : Between(20, 3000);
                break;
            case Fault.ChangeTimes:
                Ask(new Request.SetTimes(new AgreedTimes(_profile.Policy.Ttl * (0.8 + (0.4 * _random.NextDouble())), TimeSpan.FromSeconds(_random.Next(4, 8)))));
                break;
            default:
                Strike(fault, node);
                break;
        }
    }

    /// <summary>Everything is put right, and nothing is done by hand: all nodes have to stream from one primary again (I7).</summary>
    public void Heal()
    {
        Note(null, "healed");
        HealNetwork();
        (_loss, _twice, _slowestMilliseconds) = (0, 0, 2);
        if (_store is not null)
            (_store.IsDown, _store.Slowest) = (false, TimeSpan.FromMilliseconds(5));
        foreach (SimulatedNode node in Nodes)
        {
            node.DiskDelay = TimeSpan.FromMilliseconds(3);
            node.IsGone = false;
            Wake(node);
            ThawAgent(node);
            (node.Server.IsFrozen, node.Server.HasHungDisk) = (false, false);
            RestartAgent(node);
        }

        RunUntil(IsWellNow, _profile.HealsWithin, () => $"I7: not well {_profile.HealsWithin.TotalSeconds:0} s after healing: {Describe()}");
    }

    public void RestartAgent(SimulatedNode node)
    {
        node.HasGuard = true;
        if (node is { Agent: null, IsSuspended: false, IsGone: false })
            StartAgent(node);
    }

    private bool IsWellNow()
    {
        // Clients pause now and then, so that standbys can be seen to have all.
        _isQuietTime = (long)Now.TotalMilliseconds % 2000 > 1000;
        return IsWell();
    }

    private string Describe() => string.Join("; ", Nodes.Select(node =>
        $"node {node.Node}: {node.Agent?.Role.GetType().Name ?? "no agent"} term {node.Agent?.Durable.Term} {node.Server.Phase} at {node.Server.Wal.End} from {node.Server.Connected}, "
        + $"doing {node.Agent?.Doing}, vote {node.Agent?.PendingVote}, sees {node.Agent?.Server}, rebuilding {node.Agent?.Durable.Rebuilding}"));

    private void Strike(Fault fault, SimulatedNode node)
    {
        switch (fault)
        {
            case Fault.KillAgent when IsGuarded(node):
                EndAgent(node);
                After(Between(1, 5000), () => RestartAgent(node));
                break;
            case Fault.FreezeAgent when IsGuarded(node) && node.Agent is not null:
                node.IsAgentFrozen = true;
                After(_random.Next(2) == 0 ? Between(1, 1500) : Between(1000, 8000), () => ThawAgent(node));
                break;
            case Fault.StopAgent:
                Deliver(node, at => new Input.StopRequested(at));
                break;
            case Fault.KillServer when node.HasData && node.Server.Phase != ServerPhase.Down:
                node.Server.End();
                After(Between(1, 8), () => LookNow(node));
                break;
            case Fault.RestartByHand when node.HasData && node.Server.Phase != ServerPhase.Down:
                RestartByHand(node);
                break;
            case Fault.FreezeServer when node.HasData && node.Server is { Phase: not ServerPhase.Down, IsFrozen: false }:
                node.Server.IsFrozen = true;
                node.Server.FrozenSince = Now;
                int life = node.Server.Life;
                After(Between(1, 6000), () => node.Server.IsFrozen &= node.Server.Life != life);
                break;
            case Fault.HangDisk when node.HasData && node.Server is { Phase: not ServerPhase.Down, IsFrozen: false, HasHungDisk: false }:
                HangDisk(node);
                After(Between(1000, 9000), () => AwakeDisk(node));
                break;
            case Fault.PowerLoss:
                EndAgent(node);
                node.Server.End();
                node.GuardDeadline = null;
                node.IsSuspended = false;
                After(Between(100, 9000), () => RestartAgent(node));
                break;
            case Fault.Suspend when IsGuarded(node) && !node.IsSuspended:
                node.IsSuspended = true;
                After(Between(100, 8000), () => Wake(node));
                break;
            case Fault.StopMachine when !node.IsSuspended:
                node.IsSuspended = true;
                TimeSpan clock = node.Clock(Now);
                After(Between(100, 12000), () => Resume(node, clock));
                break;
            case Fault.KillGuard when node is { Agent: not null, IsAgentFrozen: false, IsSuspended: false }:
                node.HasGuard = false;
                node.GuardDeadline = null;
                After(Between(10, 4000), () => node.HasGuard = true);
                break;
        }
    }

    /// <summary>An operator asks whoever holds the lease.</summary>
    private void Ask(Request request)
    {
        foreach (SimulatedNode node in Nodes.Where(node => node.Agent?.Role is Role.Holding))
            Deliver(node, at => new Input.Requested(at, request));
    }

    /// <summary>A node stands without having asked, and is not heard of again: the term has votes and no holder (R3, [19]).</summary>
    private void BurnTerm(SimulatedNode candidate)
    {
        if (candidate.Agent is not { Durable.Data: { } history } agent || agent.Server.End is not { } end)
            return;
        var ask = new Message.AskVote(new Term(Nodes.Max(node => node.Disk.Term.Number) + 1), history.At(end));
        foreach (SimulatedNode voter in Nodes.Where(node => node != candidate && _random.Next(2) == 0))
            Deliver(voter, at => new Input.Received(at, new Envelope(candidate.Id, voter.Node, ask)));
        AskStore(candidate, new Envelope(candidate.Id, VoterId.StoreNode, ask));
    }

    // Agent and guard are not lost at once: only a watchdog survives that (R4).
    private static bool IsGuarded(SimulatedNode node) => node.Server.Phase != ServerPhase.Writable || node is { HasGuard: true, GuardDeadline: not null };

    private void ThawAgent(SimulatedNode node)
    {
        if (!node.IsAgentFrozen)
            return;
        node.IsAgentFrozen = false;
        Note(node.Node, "agent thaws");
        if (!node.IsSuspended)
            Thaw(node);
    }

    /// <summary>The guard's alarm is on the boot clock: it is served before anything else runs.</summary>
    private void Wake(SimulatedNode node)
    {
        if (!node.IsSuspended)
            return;
        node.IsSuspended = false;
        Note(node.Node, "host wakes");
        if (node.GuardFences is { } deadline && node.Clock(Now) >= deadline)
        {
            node.GuardDeadline = null;
            node.Server.End();
        }
        else
        {
            WatchDeadline(node);
        }

        if (!node.IsAgentFrozen)
            Thaw(node);
    }

    /// <summary>The machine goes on where it was stopped.</summary>
    private void Resume(SimulatedNode node, TimeSpan clock)
    {
        if (!node.IsSuspended)
            return;
        node.SetClock(Now, clock, Rate());
        WatchDeadline(node);
        Wake(node);
    }

    private void ChangeRate(SimulatedNode node)
    {
        node.SetClock(Now, node.Clock(Now), Rate());
        WatchDeadline(node);
    }

    private void HealNetwork() => Array.Clear(_blocked);

    private void Block(Func<int, int, bool> isBlocked)
    {
        int first = _store is null ? 0 : -1;
        for (int from = first; from < Nodes.Count; from++)
        {
            for (int to = first; to < Nodes.Count; to++)
                _blocked[from + 1, to + 1] |= from != to && isBlocked(from, to);
        }
    }
}
