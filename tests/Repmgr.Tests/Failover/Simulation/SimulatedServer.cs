using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Tests.Failover.Simulation;

internal enum ServerPhase
{
    Down,
    Recovering,
    Writable,
}

/// <summary>What a server's WAL really is: who wrote which part of it, whatever the agents believe.</summary>
/// <param name="Promotions">The promotions in it, by a number that no two promotions share, with the position where each began to write.</param>
/// <param name="End">Where it ends.</param>
internal sealed record TrueWal(IReadOnlyList<(long Promotion, long Term, ulong Begin)> Promotions, ulong End)
{
    public (long Promotion, long Term, ulong Begin) Last
    {
        get
        {
            int line = Promotions.Count - 1;
            while (line > 0 && Promotions[line].Begin >= End)
                line--;
            return Promotions[line];
        }
    }

    /// <summary>This WAL is a beginning of the other, or all of it.</summary>
    public bool IsPrefixOf(TrueWal other)
    {
        if (End > other.End)
            return false;
        int common = 0;
        while (common < Promotions.Count && common < other.Promotions.Count && Promotions[common].Promotion == other.Promotions[common].Promotion)
            common++;
        bool mineLeaves = common < Promotions.Count && Promotions[common].Begin < End;
        bool otherLeaves = common < other.Promotions.Count && other.Promotions[common].Begin < End;
        return common > 0 && !mineLeaves && !otherLeaves;
    }

    /// <summary>Greater is newer: the term that really wrote the last byte, then the position.</summary>
    public bool IsNewerThan(TrueWal other) => (Last.Term, End).CompareTo((other.Last.Term, other.End)) > 0;
}

/// <summary>A standby's connection, by the number that it has on the standby.</summary>
internal readonly record struct WalSender(int Connection, SyncStamp? Stamp, ulong Flushed);

/// <summary>PostgreSQL on a simulated node.</summary>
internal sealed class SimulatedServer
{
    public ServerPhase Phase { get; set; } = ServerPhase.Down;

    /// <summary>It was stopped with SIGSTOP: nothing of it runs.</summary>
    public bool IsFrozen { get; set; }

    public TimeSpan FrozenSince { get; set; }

    /// <summary>Counts its starts and ends: what was under way in an earlier life comes to nothing.</summary>
    public int Life { get; set; }

    public TrueWal Wal { get; set; } = new([(1, 1, 0)], 1000);

    /// <summary>What was overwritten in part is no data directory.</summary>
    public bool IsTorn { get; set; }

    /// <summary><c>primary_conninfo</c>, and the term that <c>primary_slot_name</c> carries (docs/adr/0081).</summary>
    public (NodeId Node, Term Term)? Configured { get; set; }

    /// <summary>Slots of older terms than this were dropped before the server was promoted.</summary>
    public Term HasSlotsFrom { get; set; } = new(1);

    /// <summary>Where its receiver is connected to.</summary>
    public NodeId? Connected { get; set; }

    /// <summary>Counts connections: WAL on its way to a receiver that is gone is lost.</summary>
    public int Connection { get; set; }

    /// <summary>The random identity of its data directory.</summary>
    public ulong Identity { get; set; }

    /// <summary>What its <c>application_name</c> carries.</summary>
    public SyncStamp? Stamp { get; set; }

    /// <summary><c>synchronous_standby_names</c>, the newest last: processes that have not read it yet go by an older one. Empty: in lease mode.</summary>
    public List<StampedSet> Names { get; } = [];

    /// <summary>Its WAL senders.</summary>
    public Dictionary<NodeId, WalSender> Senders { get; } = [];

    /// <summary>Commits that wait for standbys, in order; and when they were sent, where the agent did.</summary>
    public Queue<(ulong End, TimeSpan? ProbedAt)> Waiting { get; } = new();

    /// <summary>The newest of the agent's own commits that was acknowledged.</summary>
    public AcknowledgedCommit? LastCommit { get; set; }

    /// <summary>When the agent sent the commit that it waits for.</summary>
    public TimeSpan? ProbedAt { get; set; }

    /// <summary>Until then it starts, and lets nobody in.</summary>
    public TimeSpan OpensAt { get; set; }

    /// <summary>While it starts, it cannot be read where its WAL ends.</summary>
    public bool IsUnreadable { get; set; }

    /// <summary>Its disk does not answer: nobody reads what is on it, and nothing is started there.</summary>
    public bool HasHungDisk { get; set; }

    /// <summary>It is being fenced, and its last process ends then.</summary>
    public TimeSpan? EndsAt { get; set; }

    public void End()
    {
        EndsAt = null;
        Phase = ServerPhase.Down;
        Connected = null;
        IsFrozen = false;
        Life++;
        Connection++;
        Senders.Clear();
        Waiting.Clear();
        (LastCommit, ProbedAt) = (null, null);
    }

    public void Start(TimeSpan opensAt, bool isUnreadable)
    {
        Phase = ServerPhase.Recovering;
        (OpensAt, IsUnreadable) = (opensAt, isUnreadable);
        Life++;
    }
}
