using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Store;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>The store in which the lease lies, and how agents speak to it: as the engine does, one exchange at a time, each with a deadline.</summary>
internal sealed partial class World
{
    private const int Attempts = 3;

    private static readonly TimeSpan StoreDeadline = TimeSpan.FromSeconds(0.5);

    private readonly SimulatedStore? _store;

    private SimulatedStore MakeStore(VoterId id)
    {
        DurableState first = Nodes[0].Disk with { Held = new Term(0), Served = new Term(0), Data = null, InForce = null };
        return new SimulatedStore(id, StoredVoter.First(first, _profile.Policy.Ttl));
    }

    private void AskStore(SimulatedNode from, Envelope envelope)
    {
        if (_store is null || from.Agent is null || from.Link is not { } link)
            return;
        if (link.Waiting.Count == 4)
            link.Waiting.Dequeue();
        link.Waiting.Enqueue(envelope);
        if (!link.IsBusy)
            NextExchange(from, link);
    }

    /// <summary>An agent that has nothing to ask looks all the same: what it has seen to stand unchanged is over one day.</summary>
    private void PollStore(SimulatedNode node)
    {
        After(node.Policy.RenewEvery * (0.8 + (0.4 * _random.NextDouble())), () => PollStore(node));
        if (node is { Agent: not null, IsAgentFrozen: false, IsSuspended: false, Link: { IsBusy: false } link })
        {
            link.IsBusy = true;
            Read(node, link, () => NextExchange(node, link));
        }
    }

    private void NextExchange(SimulatedNode node, SimulatedStoreLink link)
    {
        link.IsBusy = link.Waiting.TryDequeue(out Envelope? envelope);
        if (envelope is not null)
            Exchange(node, link, envelope, Attempts);
    }

    private void Exchange(SimulatedNode node, SimulatedStoreLink link, Envelope envelope, int attempts)
    {
        if (link.IsStale || envelope.Message is not Message.Renew)
            Read(node, link, () => Transact(node, link, envelope, attempts));
        else
            Transact(node, link, envelope, attempts);
    }

    private void Transact(SimulatedNode node, SimulatedStoreLink link, Envelope envelope, int attempts)
    {
        if (link.View is not { } view || link.IsStale)
        {
            NextExchange(node, link);
            return;
        }

        StoreTurn turn = StoreVoter.Decide(_store!.Id, view, node.Policy, envelope, node.Clock(Now), _profile.Broken);
        if (turn.Next is null || (_profile.Broken & BrokenRule.AnswersBeforeStored) != 0)
            Answer(node, turn);
        if (turn.Next is null)
        {
            NextExchange(node, link);
            return;
        }

        bool isTaken = false;
        RoundTrip(
            node, link, () => isTaken = _store.Commit(view, turn, _profile.Broken),
            () =>
            {
                SeeStore(node, link);
                if (isTaken && (_profile.Broken & BrokenRule.AnswersBeforeStored) == 0)
                    Answer(node, turn);
                if (isTaken || attempts == 1)
                    NextExchange(node, link);
                else
                    Exchange(node, link, envelope, attempts - 1);
            });
    }

    private void Answer(SimulatedNode node, StoreTurn turn)
    {
        Note(null, turn);
        foreach (Message answer in turn.Answers)
            Deliver(node, at => new Input.Received(at, new Envelope(_store!.Id, node.Node, answer)));
    }

    private void Read(SimulatedNode node, SimulatedStoreLink link, Action then) => RoundTrip(node, link, () => { }, () =>
    {
        SeeStore(node, link);
        then();
    });

    /// <summary>What is seen is what the transaction or the read that was answered showed.</summary>
    private void SeeStore(SimulatedNode node, SimulatedStoreLink link)
    {
        (StoredVoter voter, long state, long promise) = _answered;
        link.View = StoreView.See(link.View, voter, state, promise, node.Clock(Now));
        link.IsStale = false;
    }

    /// <summary>There and back. Whether a request came there whose answer did not come back, nobody knows who made it.</summary>
    private void RoundTrip(SimulatedNode node, SimulatedStoreLink link, Action there, Action back)
    {
        int life = node.AgentLife;
        bool isAnswered = false, isGivenUp = false;
        After(Between(0.1, _store!.Slowest.TotalMilliseconds), () =>
        {
            if (_store.IsDown || !Reaches(node.Node, VoterId.StoreNode) || _random.NextDouble() < _loss)
                return;
            there();
            (StoredVoter, long, long) shown = (_store.Content, _store.StateRevision, _store.PromiseRevision);
            After(Between(0.1, _store.Slowest.TotalMilliseconds), () =>
            {
                if (!_store.IsDown && Reaches(VoterId.StoreNode, node.Node) && _random.NextDouble() >= _loss)
                    Continue(node, life, () =>
                    {
                        if (isGivenUp)
                            return;
                        isAnswered = true;
                        _answered = shown;
                        back();
                    });
            });
        });
        After(StoreDeadline, () => Continue(node, life, () =>
        {
            if (isAnswered)
                return;
            isGivenUp = true;
            link.IsStale = true;
            NextExchange(node, link);
        }));
    }

    private (StoredVoter Voter, long State, long Promise) _answered = (null!, 0, 0);

    /// <summary>What an agent that is frozen was about to go on with waits until it thaws.</summary>
    private static void Continue(SimulatedNode node, int life, Action action)
    {
        if (life != node.AgentLife || node.Agent is null)
            return;
        if (node.IsAgentFrozen || node.IsSuspended)
            node.Continuing.Add(() => Continue(node, life, action));
        else
            action();
    }
}
