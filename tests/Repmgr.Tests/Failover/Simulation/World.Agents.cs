using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>Agents, their disks and guards.</summary>
internal sealed partial class World
{
    private static readonly TimeSpan HealthDeadline = TimeSpan.FromSeconds(3);

    private void StartAgent(SimulatedNode node)
    {
        node.AgentLife++;
        node.IsAgentFrozen = false;
        node.Inbox.Clear();
        node.Continuing.Clear();
        node.Link = new SimulatedStoreLink();
        node.Agent = AgentState.Begin(node.Id, (ulong)_random.NextInt64(), node.Policy, node.Disk, node.Clock(Now)) with { Broken = _profile.Broken };
        Note(node.Node, "agent starts");
    }

    private void EndAgent(SimulatedNode node)
    {
        if (node.Agent is null)
            return;
        Note(node.Node, "agent ends");
        node.AgentLife++;
        node.Agent = null;
        node.IsAgentFrozen = false;
        node.Steps.Clear();
        node.StepNumber++;
        node.IsStepping = false;
        // A crash between write and fsync leaves the one or the other.
        if (node.Writing is { } writing && _random.Next(2) == 0)
            node.Disk = writing;
        node.Writing = null;
        // A term that was not on its disk yet was held by nobody: nothing of it had left.
        foreach (Term term in _holders.Keys.Where(term => _holders[term] == node.Node && term > node.Disk.Held).ToArray())
            _holders.Remove(term);
    }

    /// <summary>What reaches an agent that is frozen waits for it; what reaches one that is not there is lost.</summary>
    private void Deliver(SimulatedNode node, Func<TimeSpan, Input> input)
    {
        if (node.Agent is null)
            return;
        if (node.IsAgentFrozen || node.IsSuspended)
            node.Inbox.Add(input);
        else
            Decide(node, input(node.Clock(Now)));
    }

    private void Thaw(SimulatedNode node)
    {
        Func<TimeSpan, Input>[] waiting = [.. node.Inbox];
        node.Inbox.Clear();
        foreach (Func<TimeSpan, Input> input in waiting)
            Deliver(node, input);
        Action[] continuing = [.. node.Continuing];
        node.Continuing.Clear();
        foreach (Action action in continuing)
            action();
    }

    private void Decide(SimulatedNode node, Input input)
    {
        _turns++;
        AgentState before = node.Agent!;
        Turn turn = AgentMachine.Decide(before, input);
        if (input is not (Input.Tick or Input.Observed or Input.GuardEcho))
            Note(node.Node, input);
        node.Agent = turn.Next;
        foreach (Edge edge in turn.Edges)
        {
            Note(node.Node, edge);
            _edges.Add((edge.From, edge.Name, edge.To, edge.Rule));
            CheckOneHolder(node, edge);
            CountAnswers(before, input, turn.Next, edge);
        }

        if (input is not Input.Received { Envelope.Message: Message.Renew } && turn.Next.Durable.Term > before.Durable.Term)
            CountVote(node, before, turn.Next);
        foreach (GuardOrder order in turn.Guard)
            Guard(node, order);
        if (turn.Persist is { } durable)
            Persist(node, durable, turn.Next.Version);
        foreach (Envelope envelope in turn.Send)
        {
            NoteAnswer(node, envelope);
            Send(node, envelope);
        }

        foreach (AgentStep step in turn.Steps)
            Order(node, step);
    }

    private void Persist(SimulatedNode node, DurableState durable, long version)
    {
        node.Writing = durable;
        int life = node.AgentLife;
        long number = ++node.WriteNumber;
        After(node.DiskDelay * (0.5 + _random.NextDouble()), () =>
        {
            if (life != node.AgentLife || node.Agent is null)
                return;
            // A later version that came to disk first holds all of this one.
            if (number > node.WrittenNumber)
                (node.Disk, node.WrittenNumber) = (durable, number);
            if (node.Writing == durable)
                node.Writing = null;
            Deliver(node, at => new Input.Persisted(at, version));
        });
    }

    private void Guard(SimulatedNode node, GuardOrder order)
    {
        if (!node.HasGuard)
            return;
        if (order.IsOver)
            (node.GuardDeadline, node.PausedUntil) = (null, TimeSpan.Zero);
        if (order.PausedUntil is { } until)
        {
            node.PausedUntil = until;
            WatchDeadline(node);
        }

        if (order.Deadline is { } deadline && (node.GuardDeadline is not { } before || deadline > before))
        {
            node.GuardDeadline = deadline;
            WatchDeadline(node);
        }

        TimeSpan? told = node.GuardDeadline;
        int life = node.AgentLife;
        After(Between(0.1, 2), () =>
        {
            if (life == node.AgentLife && node.HasGuard)
                Deliver(node, at => new Input.GuardEcho(at, told));
        });
    }

    private void WatchDeadline(SimulatedNode node)
    {
        if (node.GuardFences is not { } deadline)
            return;
        TimeSpan delay = node.WorldAt(deadline) - Now;
        After(delay > TimeSpan.Zero ? delay : TimeSpan.Zero, () => GuardFires(node));
    }

    private void GuardFires(SimulatedNode node)
    {
        if (!node.HasGuard || node.IsSuspended || node.GuardFences is not { } deadline)
            return;
        // The clock may have become slower since the alarm was set.
        if (node.Clock(Now) < deadline)
        {
            if (node.WorldAt(deadline) - Now > TimeSpan.FromMilliseconds(0.01))
                return;
        }

        Note(node.Node, "guard fences");
        node.GuardDeadline = null;
        Fence(node, () => { });
    }

    /// <summary>Commits go on until the last process is gone.</summary>
    private void Fence(SimulatedNode node, Action then)
    {
        // How long it takes lies with the server: a second one who fences does not make it faster.
        if (node.Server.EndsAt is not { } ends || ends < Now)
        {
            ends = Now + (_random.Next(2) == 0 ? Between(1, 20) : Between(1, node.Policy.FenceBudget.TotalMilliseconds * 0.94));
            node.Server.EndsAt = ends;
        }

        After(ends - Now, () =>
        {
            if (node.Server.Phase != ServerPhase.Down)
            {
                Note(node.Node, "server fenced");
                node.Server.End();
            }

            then();
        });
    }

    private void Look(SimulatedNode node)
    {
        After(LookEvery * (0.8 + (0.4 * _random.NextDouble())), () => Look(node));
        Connect(node);
        if (node.Agent is not null && !node.IsAgentFrozen && !node.IsSuspended)
            LookNow(node);
    }

    private void LookNow(SimulatedNode node)
    {
        Probe(node);
        if (View(node) is not { } view)
        {
            Deliver(node, at => new Input.Tick(at));
            return;
        }

        TimeSpan taken = node.Clock(Now);
        After(Between(0.1, 3), () => Deliver(node, at => new Input.Observed(at, taken, view)));
    }

    private ServerView? View(SimulatedNode node)
    {
        SimulatedServer server = node.Server;
        if (!node.HasData || (server.IsFrozen && Now - server.FrozenSince < HealthDeadline))
            return null;
        if (server.IsFrozen)
            return new ServerView.Hung();
        bool isStarting = server.Phase == ServerPhase.Recovering && Now < server.OpensAt;
        Lsn? end = server.IsTorn || server.HasHungDisk || (isStarting && server.IsUnreadable) ? null : new Lsn(server.Wal.End);
        ulong? identity = server.IsTorn ? null : server.Identity;
        return server.Phase switch
        {
            ServerPhase.Down => new ServerView.Down(end) { Identity = identity },
            ServerPhase.Recovering => new ServerView.Recovering(end, server.Connected, 0) { Identity = identity, Stamp = server.Stamp, IsStarting = isStarting },
            _ => new ServerView.Writable(new Lsn(server.Wal.End)) { Identity = identity, LastCommit = server.LastCommit, Senders = SeenSenders(server) },
        };
    }
}
