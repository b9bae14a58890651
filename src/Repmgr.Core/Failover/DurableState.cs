using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Core.Failover;

/// <summary>What an agent must not forget (R1). It is on disk before any message or step that depends on it leaves.</summary>
public sealed record DurableState
{
    /// <summary>The highest term this voter voted in, or acknowledged a holder of.</summary>
    public required Term Term { get; init; }

    /// <summary>Who has this voter's word in <see cref="Term"/>; null: nobody yet.</summary>
    public NodeId? VotedFor { get; init; }

    /// <summary>The longest ttl ever promised: a restarted voter is quiet for as long.</summary>
    public TimeSpan LongestPromise { get; init; }

    /// <summary>The highest term whose holder gave it back (R10): it cannot be held again, and no renewal of it is accepted.</summary>
    public Term Closed { get; init; }

    /// <summary>The highest term this node held.</summary>
    public Term Held { get; init; }

    /// <summary>The highest term in which this node let its server write: one promotion per term (R5).</summary>
    public Term Served { get; init; }

    /// <summary>The receiver is pointed to holders of this term or a higher one only (R8).</summary>
    public Term AttachFrom { get; init; }

    public required Membership Membership { get; init; }

    /// <summary>The newest term history that a holder announced; its newest line names the last known holder's term.</summary>
    public required TermHistory Announced { get; init; }

    /// <summary>The history of the data on this node; null on a witness.</summary>
    public TermHistory? Data { get; init; }

    /// <summary>The data of this node are being made anew; null when they are not.</summary>
    public Rebuilding? Rebuilding { get; init; }

    /// <summary>The newest pause, or end of one; null: there never was one (R14).</summary>
    public Pause? Pause { get; init; }

    /// <summary>The newest synchronous set that this voter remembers; null: there never was one (R9).</summary>
    public RememberedSet? Set { get; init; }

    /// <summary>
    /// This node holds an empty set that it began by itself, as the one of two voters that was left: nobody else can be elected by it (R15).
    /// </summary>
    public bool IsSole { get; init; }

    /// <summary>What this node, a holder, put in force in PostgreSQL, or was about to; null: nothing yet (R9).</summary>
    public StampedSet? InForce { get; init; }

    /// <summary>An agent that is not a voter yet: it hears nobody but a holder that admits it (R1, R13).</summary>
    /// <param name="data">
    /// The history of the holder whose data it is known to hold a copy of; null on a witness. <see cref="TermHistory.Unknown"/>: nothing is known about its data, and
    /// they are made anew when it is admitted.
    /// </param>
    public static DurableState Unadmitted(TermHistory? data) => new()
    {
        Term = new Term(0),
        Membership = Membership.None,
        Announced = TermHistory.Unknown,
        Data = data,
        Rebuilding = data is null ? null : new Rebuilding(data, IsCopied: data.Newest.Term.Number > 0) { IsUntouched = data.Newest.Term.Number == 0 },
    };
}

/// <summary>From the first overwritten byte until it streams, a node is a voter without data (R12).</summary>
/// <param name="History">The history of the data that are copied.</param>
/// <param name="IsCopied">The copy is complete, and has not been seen to stream yet.</param>
public sealed record Rebuilding(TermHistory History, bool IsCopied)
{
    /// <summary>Nothing is overwritten yet: a set may still name the node with these data, and it leaves that set first.</summary>
    public bool IsUntouched { get; init; }
}
