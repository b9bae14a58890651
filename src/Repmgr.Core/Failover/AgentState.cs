using System.Collections.Immutable;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover;

/// <summary>All that an agent knows. Only <see cref="Durable"/> outlives it.</summary>
public sealed record AgentState
{
    public required VoterId Self { get; init; }

    /// <summary>Random, drawn at the start of the agent (R2).</summary>
    public required ulong Boot { get; init; }

    public required AgentPolicy Policy { get; init; }

    public required DurableState Durable { get; init; }

    /// <summary>The number of <see cref="Durable"/>: one more with each change.</summary>
    public long Version { get; init; }

    /// <summary>The number of what is on disk.</summary>
    public long Saved { get; init; }

    /// <summary>What waits for the disk (R1).</summary>
    public ImmutableArray<Held> Held { get; init; } = [];

    public Role Role { get; init; } = new Role.Voting();

    public Promise? Promise { get; init; }

    /// <summary>Before this instant no vote is given (R1).</summary>
    public TimeSpan QuietUntil { get; init; }

    public Leader? Leader { get; init; }

    public ServerView Server { get; init; } = new ServerView.Unseen();

    /// <summary>
    /// The furthest end of the WAL seen so far: a server that replays after its start does not say it yet, and the WAL has not become less (R8).
    /// </summary>
    public Lsn? KnownEnd { get; init; }

    /// <summary>The identity of the data directory as last seen; null: not known, or it is being overwritten (R12).</summary>
    public ulong? Identity { get; init; }

    /// <summary>The data are to be made anew as soon as the node is out of the set (R12).</summary>
    public bool IsLeaving { get; init; }

    /// <summary>Looks that began before this instant are older than what a step has changed since.</summary>
    public TimeSpan LooksCountFrom { get; init; }

    /// <summary>
    /// That the server hung, in a look that began before this instant, is of an earlier life of it. A step that only sets something and fails is no new one: tried again and again, it
    /// would outdate each look that takes as long as it takes to see that a server hangs.
    /// </summary>
    public TimeSpan LivesFrom { get; init; }

    /// <summary>The step that the engine is at; null: none.</summary>
    public AgentStep? Doing { get; init; }

    /// <summary>The vote that was asked for, while the receiver is being cut.</summary>
    public PendingVote? PendingVote { get; init; }

    /// <summary>The receiver could not be seen to be gone, and was not since: this node would not vote (R8).</summary>
    public TimeSpan? CutFailedAt { get; init; }

    /// <summary>When the guard last gave a sign of life, and its deadline.</summary>
    public (TimeSpan At, TimeSpan? Deadline)? Guard { get; init; }

    /// <summary>The receiver got WAL beyond what the holder had announced (R6).</summary>
    public TimeSpan? SignOfHolder { get; init; }

    /// <summary>When this node gave its term back; null: it did not, or has stood for another since.</summary>
    public TimeSpan? ResignedAt { get; init; }

    /// <summary>Who is to be elected next; null: nobody was named (R18).</summary>
    public Successor? Successor { get; init; }

    /// <summary>When this agent last promoted its server; null: not in its life (R17).</summary>
    public TimeSpan? PromotedAt { get; init; }

    /// <summary>When the resignation is to be said again, for those who did not hear it.</summary>
    public TimeSpan ResignAgainAt { get; init; }

    /// <summary>When the last question for ballots was put.</summary>
    public TimeSpan? AskedAt { get; init; }

    /// <summary>Since when a majority would vote and a better candidate does not stand (R7).</summary>
    public TimeSpan? WaitingSince { get; init; }

    /// <summary>The node whose WAL could not be fetched: it is not tried again before the instant.</summary>
    public (NodeId From, TimeSpan NotBefore)? FetchFailed { get; init; }

    /// <summary>The receiver is not pointed, and the server not started, before this instant.</summary>
    public TimeSpan NextFollow { get; init; }

    /// <summary>The last ballots showed nobody else who could become primary.</summary>
    public bool IsAlone { get; init; }

    /// <summary>The agent stops when a majority acknowledged its long renewal (R14).</summary>
    public bool IsStopping { get; init; }

    /// <summary>When the pause of this holder expires (R14).</summary>
    public TimeSpan? PauseEnds { get; init; }

    /// <summary>Since when a node is known that has newer data (R11).</summary>
    public TimeSpan? BehindSince { get; init; }

    /// <summary>This agent has seen its server stream from the holder whose set it remembers, or be primary: its memory is fresh (R15).</summary>
    public bool HasStreamed { get; init; }

    /// <summary>When the end of the WAL was last seen to grow.</summary>
    public TimeSpan? GrewAt { get; init; }

    /// <summary>The newest membership that was heard of, by whatever way; null: none (R13).</summary>
    public Membership? Heard { get; init; }

    /// <summary>The voter that this holder removes, once it is in no synchronous set any more (R13).</summary>
    public VoterId? Removing { get; init; }

    /// <summary>The last decisions, the newest last (R17).</summary>
    public ImmutableArray<Decision> Decisions { get; init; } = [];

    /// <summary>Counts renewals and questions.</summary>
    public long Counter { get; init; }

    /// <summary>Rules that a simulation breaks, to show that it notices. Nothing but a test can set it.</summary>
    internal BrokenRule Broken { get; init; }

    public NodeId Node => Self.Node;

    /// <summary>The newest membership that this agent remembers or has heard of: who is heard and asked.</summary>
    public Membership Known => Membership.Newest(Durable.Membership, Heard);

    /// <summary>An agent starts. What was promised before is not known, so that it is quiet for the longest time it can have been (R1).</summary>
    public static AgentState Begin(VoterId self, ulong boot, AgentPolicy policy, DurableState durable, TimeSpan now)
    {
        bool held = durable.Held == durable.Term && durable.Closed < durable.Held;
        return new AgentState
        {
            Self = self,
            Boot = boot,
            Policy = policy.Under(durable.Membership.Times),
            Durable = durable,
            QuietUntil = now + durable.LongestPromise,
            Role = held ? new Role.Resuming(durable.Term, now) : new Role.Voting(),
            LooksCountFrom = now,
            LivesFrom = now,
        };
    }
}

/// <summary>The holder that this voter acknowledged last.</summary>
/// <param name="Position">What it announced as the end of its WAL.</param>
public sealed record Leader(Term Term, NodeId Node, TermHistory History, Lsn Position, string Location, bool IsServing)
{
    /// <summary>The synchronous set as it announced it (R9).</summary>
    public RememberedSet? Set { get; init; }

    public bool IsSetConfirmed { get; init; }

    public StampedSet? InForce { get; init; }

    /// <summary>When it was last heard, on the own boot clock.</summary>
    public TimeSpan HeardAt { get; init; }
}

/// <summary>Who was named to hold the next term (R18).</summary>
/// <param name="Node">Which.</param>
/// <param name="Of">The term that was given back for it.</param>
/// <param name="Until">On the own boot clock; afterwards anybody stands.</param>
public sealed record Successor(NodeId Node, Term Of, TimeSpan Until);

/// <summary>A vote that is given, or not, when the receiver is gone (R8).</summary>
public sealed record PendingVote(NodeId Candidate, Term Term, DataPosition Data);

/// <summary>A message or step that waits until the durable state of this number is on disk.</summary>
public sealed record Held(long Version, Envelope? Envelope, AgentStep? Step);
