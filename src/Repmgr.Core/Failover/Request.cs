using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Core.Failover;

/// <summary>What an operator asks of an agent (R18). The holder's decides, except where said.</summary>
public abstract record Request
{
    private Request() { }

    /// <summary>Begin a pause of at most this length (R14).</summary>
    public sealed record Pause(TimeSpan Length) : Request;

    /// <summary>End it.</summary>
    public sealed record Resume : Request;

    /// <summary>End it at a voter, on the operator's word that the holder is down. Refused while something still reaches the holder (R14).</summary>
    public sealed record ResumeWithoutHolder : Request;

    /// <summary>Take the own server out of service in good order and give the term back, so that this node is elected (R18).</summary>
    public sealed record HandOver(NodeId Successor) : Request;

    /// <summary>
    /// Asked of a standby's agent: make the voters that answer the membership, on the operator's word that the others are lost for good, and stand. Refused while a
    /// majority answers, or something still reaches the holder (R18).
    /// </summary>
    /// <param name="Reachable">Who answers.</param>
    /// <param name="Known">The highest term that any of them knows.</param>
    public sealed record GoOnWithoutMajority(IReadOnlyList<VoterId> Reachable, Term Known) : Request
    {
        public override string ToString() => $"{nameof(GoOnWithoutMajority)} {{ Reachable = {string.Join(", ", Reachable)}, Known = {Known} }}";
    }

    /// <summary>Change <c>synchronous</c> and <c>synchronous_node_count</c> (R9).</summary>
    public sealed record SetSynchronous(SyncMode Mode, int Count) : Request;

    /// <summary>Let another agent vote, under the number of its state directory (R13).</summary>
    public sealed record AdmitVoter(VoterId Id, bool HasData) : Request;

    /// <summary>Let it vote no more; a node with data leaves the synchronous set first (R13).</summary>
    public sealed record RemoveVoter(VoterId Id) : Request;

    /// <summary>Change the times that the whole cluster goes by (R13).</summary>
    public sealed record SetTimes(AgreedTimes Times) : Request;
}

/// <summary>What an agent answers.</summary>
/// <param name="Refusal">Why not, in a sentence; null: it is done, or has begun.</param>
public sealed record Reply(string? Refusal)
{
    /// <summary>What it is refused for passes by itself in a moment: it may be asked again.</summary>
    public bool IsPassing { get; init; }
}
