using System.Collections.Immutable;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Core.Failover;

/// <summary>What an agent is about.</summary>
public abstract record Role
{
    private Role() { }

    /// <summary>Nothing but voting, and following a holder where there is one.</summary>
    public sealed record Voting : Role;

    /// <summary>It asks the others whether they would vote for it (R6).</summary>
    public sealed record Asking(long Number, TimeSpan Since, ImmutableArray<(VoterId Voter, Message.Ballot Ballot)> Ballots) : Role;

    /// <summary>It catches up with a node whose data are newer, before it stands (R11).</summary>
    public sealed record Fetching(NodeId From, TermHistory History) : Role;

    /// <summary>It stands: first it cuts its receiver, then it asks for votes (R8).</summary>
    /// <param name="Term">The term it stands for.</param>
    /// <param name="Since">When it began to stand, or asked for votes.</param>
    /// <param name="Votes">Null while the receiver is not seen to be gone.</param>
    public sealed record Standing(Term Term, TimeSpan Since, ImmutableArray<VoterId>? Votes) : Role
    {
        /// <summary>Those who voted, with their data: they are counted by <see cref="Newest"/> (R9).</summary>
        public ImmutableArray<SyncMember> Members { get; init; } = [];

        /// <summary>The newest set among the answers.</summary>
        public RememberedSet? Newest { get; init; }

        /// <summary>The newest membership among the answers: votes are counted by it (R13).</summary>
        public required Membership Membership { get; init; }

        /// <summary>It needs no votes (R15).</summary>
        public bool IsAlone { get; init; }
    }

    /// <summary>It has a majority's votes. It may let its server write while the lease lasts.</summary>
    public sealed record Holding(Term Term, HoldingStage Stage, TimeSpan Since) : Role
    {
        /// <summary>On the own boot clock; null before a majority acknowledged a renewal.</summary>
        public TimeSpan? LeaseEnd { get; init; }

        /// <summary>The renewals that can still be acknowledged, the newest last.</summary>
        public ImmutableArray<SentRound> Rounds { get; init; } = [];

        public TimeSpan NextRenewal { get; init; }

        /// <summary>The holder heard of a higher term without a holder, and stands for one above it (R3); null: it did not.</summary>
        public Affirming? Affirming { get; init; }

        /// <summary>Who knows a higher term, while a pause forbids to stand for one above it (R14).</summary>
        public ImmutableArray<VoterId> Overtaken { get; init; } = [];

        /// <summary>When each voter last acknowledged a renewal.</summary>
        public ImmutableDictionary<VoterId, TimeSpan> HeardAt { get; init; } = ImmutableDictionary<VoterId, TimeSpan>.Empty;

        /// <summary>It was elected by nobody: one of two voters that goes on alone, and is promoted without a lease (R15).</summary>
        public bool IsAlone { get; init; }

        /// <summary>What it knows of its synchronous set (R9).</summary>
        public HeldSet Set { get; init; } = new();

        /// <summary>
        /// Until then its own acknowledged commits show that nobody else can have been elected: in synchronous modes it goes on without
        /// a majority (R3). On the own boot clock.
        /// </summary>
        public TimeSpan? CommitEnd { get; init; }

        /// <summary>When it may go on no longer.</summary>
        public TimeSpan? End => CommitEnd > LeaseEnd || LeaseEnd is null ? CommitEnd ?? LeaseEnd : LeaseEnd;
    }

    /// <summary>Its server is being taken out of service. Then the term, if it is still the highest, is given back (R3, R10).</summary>
    /// <param name="Term">The term it held; null: the server was found writable without a lease.</param>
    public sealed record Fencing(Term? Term, string Why) : Role;

    /// <summary>The agent of a holder was started again: the guard knows until when the lease lasts.</summary>
    public sealed record Resuming(Term Term, TimeSpan Since) : Role;
}

/// <summary>How far a holder is.</summary>
public enum HoldingStage
{
    /// <summary>Elected. No majority has acknowledged its term history yet.</summary>
    Elected,

    /// <summary>The server is being promoted.</summary>
    Promoting,

    /// <summary>The server takes writes.</summary>
    Serving,

    /// <summary>The server does not write, and the term is kept until a majority knows that a pause is over (R14).</summary>
    Waiting,
}

/// <summary>A renewal on its way.</summary>
/// <param name="SentAt">The lease that it brings counts from here (R2).</param>
/// <param name="Acknowledged">Who promised, the holder itself included.</param>
public sealed record SentRound(Round Round, TimeSpan SentAt, TimeSpan Ttl, ImmutableArray<VoterId> Acknowledged)
{
    /// <summary>The set that it asked the voters to remember.</summary>
    public RememberedSet? Set { get; init; }

    public Pause? Pause { get; init; }

    public required Membership Membership { get; init; }
}

/// <summary>The candidacy of a holder for a term above one that was burnt (R3).</summary>
public sealed record Affirming(Term Term, TimeSpan AskedAt, ImmutableArray<VoterId> Votes);
