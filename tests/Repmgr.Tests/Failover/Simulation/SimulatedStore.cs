using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Store;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>A store that takes one transaction after the other, and forgets nothing.</summary>
internal sealed class SimulatedStore(VoterId id, StoredVoter content)
{
    private long _revision = 1;

    public VoterId Id => id;

    public StoredVoter Content { get; private set; } = content;

    public long StateRevision { get; private set; } = 1;

    public long PromiseRevision { get; private set; } = 1;

    /// <summary>It answers nobody.</summary>
    public bool IsDown { get; set; }

    public TimeSpan Slowest { get; set; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Takes what was decided on <paramref name="view"/>, if that is still what lies there.</summary>
    public bool Commit(StoreView view, StoreTurn turn, BrokenRule broken)
    {
        bool isAsSeen = view.PromiseRevision == PromiseRevision && view.StateRevision == StateRevision;
        if (!isAsSeen && (broken & BrokenRule.StoreNotCompared) == 0)
            return false;
        _revision++;
        PromiseRevision = _revision;
        Content = turn.IsRemembered ? turn.Next! : Content with { Promise = turn.Next!.Promise };
        if (turn.IsRemembered)
            StateRevision = _revision;
        return true;
    }
}

/// <summary>How an agent stands with the store. It ends with the agent.</summary>
internal sealed class SimulatedStoreLink
{
    public StoreView? View { get; set; }

    /// <summary>What was seen is not what lies there, or may not be.</summary>
    public bool IsStale { get; set; } = true;

    public Queue<Envelope> Waiting { get; } = new();

    public bool IsBusy { get; set; }
}
