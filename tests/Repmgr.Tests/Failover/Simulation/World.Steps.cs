using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>The engine of a node: one step after the other; a fence ends all others.</summary>
internal sealed partial class World
{
    private void Order(SimulatedNode node, AgentStep step)
    {
        Note(node.Node, step);
        if (step is AgentStep.Exit)
        {
            EndAgent(node);
            After(Between(50, 4000), () => RestartAgent(node));
            return;
        }

        if (step is AgentStep.Fence)
        {
            node.Steps.Clear();
            node.StepNumber++;
            node.IsStepping = true;
            Finisher finish = Finish(node, step);
            Fence(node, () => finish(Position(node)));
            return;
        }

        node.Steps.Enqueue(step);
        Next(node);
    }

    private delegate void Finisher(StepOutcome outcome);

    private Finisher Finish(SimulatedNode node, AgentStep step)
    {
        int number = node.StepNumber, life = node.AgentLife;
        return outcome =>
        {
            if (number != node.StepNumber || life != node.AgentLife)
                return;
            node.IsStepping = false;
            node.StepNumber++;
            Deliver(node, at => new Input.Finished(at, step, outcome));
            Next(node);
        };
    }

    private void Next(SimulatedNode node)
    {
        if (node.IsStepping || !node.Steps.TryDequeue(out AgentStep? step))
            return;
        node.IsStepping = true;
        node.StepNumber++;
        Finisher finish = Finish(node, step);
        switch (step)
        {
            case AgentStep.CutReceiver:
                Cut(node, finish);
                break;
            case AgentStep.Promote promote:
                Promote(node, promote, finish);
                break;
            case AgentStep.FetchWal fetch:
                Fetch(node, fetch, finish);
                break;
            case AgentStep.StartServer:
                StartServer(node, finish);
                break;
            case AgentStep.Follow follow:
                node.Server.Configured = (follow.Holder, follow.Term);
                node.Server.Stamp = follow.Stamp;
                DropSlotsBefore(follow.Term, node);
                Disconnect(node);
                NameNobody(node);
                StartServer(node, finish);
                break;
            case AgentStep.PrepareHandOver:
                After(_random.Next(2) == 0 ? TimeSpan.Zero : Between(1, 4000), () => finish(new StepOutcome.Done()));
                break;
            case AgentStep.SetSynchronous set:
                SetSynchronous(node, set.Set, finish);
                break;
            case AgentStep.Rebuild rebuild:
                Rebuild(node, rebuild, finish);
                break;
        }
    }

    private static StepOutcome.Stopped Position(SimulatedNode node) => new StepOutcome.Stopped(node.Server.IsTorn || node.Server.HasHungDisk ? null : new Lsn(node.Server.Wal.End));

    private void Cut(SimulatedNode node, Finisher finish)
    {
        int life = node.Server.Life;
        After(Between(0.5, 15), () =>
        {
            if (node.Server.Phase == ServerPhase.Writable || node.Server.Life != life || node.Server.IsFrozen || node.IsSuspended || IsStarting(node) || node.Server.HasHungDisk || (_random.Next(40) == 0 && !_profile.LosesPrimary))
            {
                finish(new StepOutcome.Failed("the receiver is still there"));
                return;
            }

            node.Server.Configured = null;
            Disconnect(node);
            finish(Position(node));
        });
    }

    /// <summary>The connection is opened before the clock is read; whatever ends the server ends the promotion with it.</summary>
    private void Promote(SimulatedNode node, AgentStep.Promote promote, Finisher finish)
    {
        SimulatedServer server = node.Server;
        if (server.Phase != ServerPhase.Recovering || IsStarting(node) || server.IsFrozen || node.Clock(Now) > promote.NotAfter || node.IsSuspended)
        {
            finish(new StepOutcome.Failed("too late"));
            return;
        }

        int life = server.Life;
        DropSlotsBefore(promote.Term, node);
        After(_random.Next(10) == 0 && !_profile.LosesPrimary ? Between(20, 13000) : Between(5, 60), () =>
        {
            if (server.Life != life || server.Phase != ServerPhase.Recovering)
            {
                finish(new StepOutcome.Failed("the server ended"));
                return;
            }

            CheckPromotion(node, promote.Term);
            long number = ++_promotions;
            IEnumerable<(long Promotion, long Term, ulong Begin)> kept = server.Wal.Promotions.Where((line, index) => index == 0 || line.Begin < server.Wal.End);
            server.Wal = server.Wal with { Promotions = [.. kept, (number, promote.Term.Number, server.Wal.End)] };
            server.Phase = ServerPhase.Writable;
            server.Configured = null;
            Disconnect(node);
            Note(node.Node, $"server writable, term {promote.Term}, from {new Lsn(server.Wal.End)}");
            finish(new StepOutcome.Done());
        });
    }

    private void DropSlotsBefore(Term term, SimulatedNode source)
    {
        source.Server.HasSlotsFrom = term;
        foreach (SimulatedNode node in Nodes)
        {
            if (node.Server.Connected != source.Node || node.Server.Configured?.Term >= term)
                continue;
            Disconnect(node);
        }
    }

    private void Fetch(SimulatedNode node, AgentStep.FetchWal fetch, Finisher finish)
    {
        int life = node.Server.Life;
        node.Server.Configured = null;
        Disconnect(node);
        After(Between(10, 300), () =>
        {
            SimulatedNode source = Node(fetch.From.Value);
            bool canFetch = source.Agent is not null && !source.IsAgentFrozen && !source.IsSuspended && AreConnected(node.Node, source.Node)
                && !source.Server.IsTorn && !source.Server.HasHungDisk && node.Server is { Phase: ServerPhase.Recovering, IsFrozen: false } && node.Server.Life == life && !IsStarting(node) && !node.IsSuspended
                && node.Server.Wal.IsPrefixOf(source.Server.Wal) && source.Server.Wal.End >= fetch.Until.Bytes;
            if (!canFetch)
            {
                finish(new StepOutcome.Failed("the WAL could not be fetched"));
                return;
            }

            if (fetch.Until.Bytes > node.Server.Wal.End)
                node.Server.Wal = source.Server.Wal with { End = fetch.Until.Bytes };
            finish(Position(node));
        });
    }

    private void StartServer(SimulatedNode node, Finisher finish) => After(Between(20, 300), () =>
    {
        if (node.Server.IsTorn || node.Server.HasHungDisk || node.IsSuspended)
        {
            finish(new StepOutcome.Failed("the server does not start"));
            return;
        }

        // It comes up read-only, whatever it was before (R5).
        if (node.Server.Phase == ServerPhase.Down)
        {
            NameNobody(node);
            Start(node);
        }

        finish(new StepOutcome.Done());
    });

    private void Rebuild(SimulatedNode node, AgentStep.Rebuild rebuild, Finisher finish)
    {
        if (node.Server.HasHungDisk)
        {
            After(Between(20, 300), () => finish(new StepOutcome.Failed("the disk does not answer")));
            return;
        }

        node.Server.End();
        node.Server.IsTorn = true;
        After(Between(300, 2000), () =>
        {
            SimulatedNode source = Node(rebuild.Holder.Value);
            if (!Serves(source) || !AreConnected(node.Node, source.Node) || source.Server.Phase != ServerPhase.Writable || source.Agent?.Durable.Held != rebuild.Term)
            {
                finish(new StepOutcome.Failed("the copy failed"));
                return;
            }

            node.Server.IsTorn = false;
            node.Server.Wal = source.Server.Wal;
            node.Server.Configured = (source.Node, rebuild.Term);
            node.Server.HasSlotsFrom = rebuild.Term;
            node.Server.Identity = (ulong)_random.NextInt64();
            node.Server.Stamp = null;
            NameNobody(node);
            Start(node);
            finish(new StepOutcome.Done());
        });
    }
}
