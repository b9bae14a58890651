namespace Repmgr.Core.Failover;

/// <summary>
/// When a machine is to decide again though nothing has come in. What comes in is decided on at once; this is for what time alone brings about, and an agent that has
/// nothing to do but keep its word, or its lease, sleeps until then (docs/adr/0119).
/// </summary>
public static class NextTurn
{
    // The first is a bound for what is not known below to become due. A decision that waits for it is late, never wrong: the simulation has turns as rare as that.
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(250), Calm = TimeSpan.FromMilliseconds(50), Busy = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    /// <summary>How long to wait for an input.</summary>
    /// <param name="state">As of the last turn.</param>
    /// <param name="now">On the boot clock.</param>
    public static TimeSpan After(AgentState state, TimeSpan now)
    {
        ArgumentNullException.ThrowIfNull(state);
        TimeSpan wait = state switch
        {
            { Held: not [] } => Busy,
            { Doing: null, PendingVote: null, IsStopping: false } when IsSettled(state, now) => Quiet,
            { Role: Role.Voting or Role.Holding { Stage: HoldingStage.Serving, Affirming: null } } => Calm,
            _ => Busy,
        };
        foreach (TimeSpan due in Instants(state, now))
            wait = due - now < wait ? due - now : wait;
        return wait > Least ? wait : Least;
    }

    /// <summary>It follows a holder that it has given its word to, or is one that serves: only what comes in, and the instants below, change anything.</summary>
    private static bool IsSettled(AgentState state, TimeSpan now) => state.Role switch
    {
        Role.Voting => state is { ResignedAt: null, Leader: not null, Promise: { } promise } && promise.Forbids(state.Node, now),
        Role.Holding { Stage: HoldingStage.Serving, Affirming: null } => true,
        _ => false,
    };

    /// <summary>Those of a holder count always; one that has passed says that its turn is due.</summary>
    private static IEnumerable<TimeSpan> Instants(AgentState state, TimeSpan now)
    {
        if (state.Role is Role.Holding holding)
        {
            yield return holding.NextRenewal;
            if (holding.End is { } end)
                yield return LeaseTimes.FenceDeadline(end, state.Policy);
            if (state.PauseEnds is { } paused)
                yield return paused;
        }
        else
        {
            // The word that is given is over, and an election may begin.
            if (state.Promise is { } promise && promise.IsLive(now))
                yield return promise.Until;
            if (state.NextFollow > now)
                yield return state.NextFollow;
            if (state.QuietUntil > now)
                yield return state.QuietUntil;
        }
    }
}
