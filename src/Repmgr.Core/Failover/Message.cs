using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover;

/// <summary>A message on its way between two agents.</summary>
public sealed record Envelope(VoterId From, NodeId To, Message Message);

/// <summary>The number of a renewal: unique across restarts of the agent (R2).</summary>
/// <param name="Boot">Random, drawn at the start of the agent.</param>
/// <param name="Number">Counts from 1.</param>
public readonly record struct Round(ulong Boot, long Number)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Boot:x}.{Number}");
}

/// <summary>What agents say to each other.</summary>
public abstract record Message
{
    private Message() { }

    /// <summary>The holder asks for another ttl (R2).</summary>
    /// <param name="Ttl">How long the voter is to promise.</param>
    /// <param name="History">The holder's term history, its own line included.</param>
    /// <param name="Position">The end of the holder's WAL.</param>
    /// <param name="Location">Where the holder is: candidates there come before others (R7).</param>
    /// <param name="IsServing">The holder's server can be followed.</param>
    public sealed record Renew(
        Term Term, Round Round, TimeSpan Ttl, Membership Membership, TermHistory History, Lsn Position, string Location, bool IsServing) : Message
    {
        /// <summary>Null: this holder never paused (R14).</summary>
        public Pause? Pause { get; init; }

        /// <summary>What the voter is to remember as the synchronous set (R9).</summary>
        public RememberedSet? Set { get; init; }

        /// <summary>A majority is known to remember <see cref="Set"/>.</summary>
        public bool IsSetConfirmed { get; init; }

        /// <summary>What is in force in PostgreSQL, with the stamp that its members are to connect with.</summary>
        public StampedSet? InForce { get; init; }
    }

    /// <summary>The voter promised. It repeats what it promised to.</summary>
    public sealed record Renewed(Term Term, Round Round, NodeId Holder) : Message
    {
        /// <summary>The node with its data, if they can be a member of the set; null: they cannot (R9).</summary>
        public SyncMember? Member { get; init; }

        /// <summary>Its data are to be overwritten: it waits until it is out of the set (R12).</summary>
        public bool IsLeaving { get; init; }
    }

    /// <summary>The voter knows a higher term.</summary>
    /// <param name="Holder">The holder of it; null when the voter knows of none.</param>
    public sealed record Superseded(Term Term, NodeId? Holder) : Message;

    /// <summary>The holder gives the term back, its server out of service (R10).</summary>
    public sealed record Resign(Term Term) : Message
    {
        /// <summary>Who is to be elected, if he can be; null: anybody (R18).</summary>
        public NodeId? Successor { get; init; }
    }

    /// <summary>Would you vote for me (R6)?</summary>
    /// <param name="Data">How far the data of the one who asks go; null: it does not know, and asks who else could stand.</param>
    public sealed record AskBallot(long Number, DataPosition? Data) : Message
    {
        /// <summary>The newest that the one who asks knows: who does not know the asker sees in it whether he is a voter (R13).</summary>
        public Membership? Membership { get; init; }
    }

    /// <summary>How the voter stands (R6).</summary>
    /// <param name="Number">That of the question.</param>
    /// <param name="Term">The highest term it knows.</param>
    /// <param name="Refusal">Why it would not vote for the one who asks; null: it would.</param>
    /// <param name="Candidacy">How it stands as a candidate itself; null for a voter without data.</param>
    public sealed record Ballot(long Number, Term Term, Refusal? Refusal, Candidacy? Candidacy) : Message
    {
        /// <summary>The newest set that it remembers (R9).</summary>
        public RememberedSet? Set { get; init; }

        /// <summary>The node with its data; null: it cannot tell how far they go.</summary>
        public SyncMember? Member { get; init; }

        /// <summary>The newest membership that the voter knows (R13).</summary>
        public Membership? Membership { get; init; }
    }

    /// <summary>A candidate asks for the vote of a term (R8).</summary>
    public sealed record AskVote(Term Term, DataPosition Data) : Message
    {
        /// <summary>The newest that the candidate knows (R13).</summary>
        public Membership? Membership { get; init; }
    }

    /// <summary>The vote.</summary>
    /// <param name="Term">The term asked for.</param>
    /// <param name="Refusal">Null: granted.</param>
    /// <param name="Known">The highest term the voter knows.</param>
    public sealed record Vote(Term Term, Refusal? Refusal, Term Known) : Message
    {
        /// <summary>The newest set that the voter remembers (R9).</summary>
        public RememberedSet? Set { get; init; }

        /// <summary>The voter with its data, as compared with the candidate's; null: they could not be, and count for no set.</summary>
        public SyncMember? Member { get; init; }

        /// <summary>The newest membership that the voter remembers: votes are counted by the newest among them (R13).</summary>
        public Membership? Membership { get; init; }
    }
}

/// <summary>Why a voter does not vote for a candidate.</summary>
public enum Refusal
{
    /// <summary>It gave its word to another, and the time has not passed (R2).</summary>
    Promised,

    /// <summary>It was started a short while ago and does not know what it promised before (R1).</summary>
    Quiet,

    /// <summary>It voted in this term, or knows a higher one.</summary>
    TermIsTaken,

    /// <summary>Its own data are newer than the candidate's (R8).</summary>
    IsAhead,

    /// <summary>Its receiver still gets WAL from the holder (R6).</summary>
    SeesHolder,

    /// <summary>The cluster is paused (R14).</summary>
    Paused,

    /// <summary>Its receiver could not be seen to be gone (R8).</summary>
    NotCut,
}
