using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover;

/// <summary>What the agent wants done on its own host. One at a time, in the order given; a fence comes before all others and ends them.</summary>
public abstract record AgentStep
{
    private AgentStep() { }

    /// <summary>Take the server out of service: immediate shutdown, then SIGKILL, until a scan finds no process (R3).</summary>
    public sealed record Fence(string Why) : AgentStep
    {
        /// <summary>A checkpoint and a fast shutdown come first, so that the standbys get all there is; within what the lease leaves (R18).</summary>
        public bool IsOrderly { get; init; }
    }

    /// <summary>
    /// End the receiver, whatever its upstream, and see that it is gone (R8). Where the server is down, see that it does not come up with one.
    /// </summary>
    /// <param name="Term">The term on whose behalf.</param>
    public sealed record CutReceiver(Term Term) : AgentStep;

    /// <summary>
    /// End the receiver first, as <see cref="CutReceiver"/> does: it writes the same files. Then fetch what the node's agent has of WAL beyond our own, verify that
    /// it continues it, and let it be replayed (R11). What is there already is never shortened.
    /// </summary>
    public sealed record FetchWal(NodeId From, TermHistory History, Lsn Until) : AgentStep;

    /// <summary>Start the server. It comes up read-only: its <c>standby.signal</c> is there (R5).</summary>
    public sealed record StartServer : AgentStep;

    /// <summary>
    /// Drop the slots of older terms, so that no receiver goes on under the new term that was not pointed to it (docs/adr/0081); then promote,
    /// not later than the given instant, over a connection opened before the clock is read: a fence ends that connection.
    /// </summary>
    public sealed record Promote(Term Term, TimeSpan NotAfter) : AgentStep;

    /// <summary>
    /// Set <c>synchronous_standby_names</c>, on a standby as well as on a primary, and wait until every process goes by it: a fresh connection shows it; no
    /// WAL sender that began before is left, since those that have not read it release commits by the old value; and where it was empty, the
    /// checkpointer has run since, without which commits were seen to wait for nobody (R9).
    /// </summary>
    public sealed record SetSynchronous(StampedSet Set) : AgentStep;

    /// <summary>
    /// Drop the own slots of older terms and end their WAL senders, so that nobody receives through this node what was written in a term that he does not
    /// know (docs/adr/0086); point the receiver to the holder, through the slot of the term; start the server when it is down. In a synchronous mode its own
    /// <c>synchronous_standby_names</c> names nobody: were it empty, a value set at its promotion would not count at once (R9).
    /// </summary>
    public sealed record Follow(Term Term, NodeId Holder) : AgentStep
    {
        /// <summary>What its <c>application_name</c> is to carry; null: the node is in no set.</summary>
        public SyncStamp? Stamp { get; init; }
    }

    /// <summary>Keep the diverged WAL, make the data anew from the holder's, give them a new identity at the end, and follow it (R12).</summary>
    public sealed record Rebuild(Term Term, NodeId Holder) : AgentStep;

    /// <summary>The operator's command before a demotion, while the lease goes on; what becomes of it changes nothing (R18, docs/adr/0091).</summary>
    /// <param name="Successor">Who is to be the primary.</param>
    public sealed record PrepareHandOver(NodeId Successor) : AgentStep;

    /// <summary>End the agent's process.</summary>
    public sealed record Exit : AgentStep;
}

/// <summary>What is said to the guard (R4). It answers each with an echo.</summary>
/// <param name="Deadline">Fence at this instant of the boot clock, unless told a later one; null: as told before.</param>
/// <param name="IsOver">The server is out of service: nothing is left to be guarded.</param>
public sealed record GuardOrder(TimeSpan? Deadline, bool IsOver = false)
{
    /// <summary>
    /// Fence not before this instant either, whatever the deadline (R14); one that has passed ends the pause, and the deadline counts again. Null: as told before.
    /// </summary>
    public TimeSpan? PausedUntil { get; init; }
}

/// <summary>What became of a step.</summary>
public abstract record StepOutcome
{
    private StepOutcome() { }

    public sealed record Done : StepOutcome;

    /// <summary>The receiver is gone, or the server is; and how far the WAL on the disk goes; null: that cannot be told.</summary>
    public sealed record Stopped(Lsn? Position) : StepOutcome;

    public sealed record Failed(string Why) : StepOutcome;
}
