using System.Collections.Immutable;
using Repmgr.Core.Cluster;

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
    public sealed record Standing(Term Term, TimeSpan Since, ImmutableArray<NodeId>? Votes) : Role;

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
}

/// <summary>A renewal on its way.</summary>
/// <param name="SentAt">The lease that it brings counts from here (R2).</param>
/// <param name="Acknowledged">Who promised, the holder itself included.</param>
public sealed record SentRound(Round Round, TimeSpan SentAt, TimeSpan Ttl, ImmutableArray<NodeId> Acknowledged);

/// <summary>The candidacy of a holder for a term above one that was burnt (R3).</summary>
public sealed record Affirming(Term Term, TimeSpan AskedAt, ImmutableArray<NodeId> Votes);
