using System.Collections.Immutable;

namespace Repmgr.Core.Failover;

/// <summary>A pause begins when a majority has acknowledged it, and ends at the holder first (R14, docs/adr/0107).</summary>
internal static class Pausing
{
    public const string Rule = "R14";

    /// <summary>What this agent remembers says that nothing is to move.</summary>
    public static bool IsOn(AgentState state) => state.Durable.Pause is { IsOn: true };

    /// <summary>The holder does not fence.</summary>
    public static bool IsInForce(AgentState state) => state.Durable.Pause is { IsOn: true, IsConfirmed: true };

    public static string? Begin(Draft turn, TimeSpan length)
    {
        if (IsOn(turn.State))
            return "The cluster is paused already.";
        turn.Remember(turn.Durable with { Pause = Next(turn, length) });
        RenewNow(turn);
        turn.State = turn.State with { PauseEnds = turn.Now + length };
        return null;
    }

    /// <summary>The holder fences again before the first renewal without pause leaves, and at once if it has no lease.</summary>
    public static string? End(Draft turn, string why)
    {
        if (!IsOn(turn.State))
            return "The cluster is not paused.";
        turn.Remember(turn.Durable with { Pause = Next(turn, null) });
        turn.State = turn.State with { PauseEnds = null };
        turn.Tell(new GuardOrder(null) { PausedUntil = TimeSpan.Zero });
        turn.Record("PauseEnds", Rule, why);
        RenewNow(turn);
        return null;
    }

    /// <summary>An order does not take a server out of service that goes on because of the pause alone: its lease comes first, or the pause's end by itself.</summary>
    public static string? EndByOrder(Draft turn)
    {
        bool isHeld = turn.State.Role is not Role.Holding { Stage: HoldingStage.Serving } holding
            || (holding.End is { } end && turn.Now < LeaseTimes.FenceDeadline(end, turn.Policy));
        return IsOn(turn.State) && !isHeld
            ? "No majority of the agents acknowledges the lease of this node at the moment. Without the pause its server would be taken out of service at once."
            : End(turn, "by order");
    }

    /// <summary>A voter has only the operator's word: nothing of what it sees itself may contradict.</summary>
    public static string? EndWithoutHolder(Draft turn)
    {
        AgentState state = turn.State;
        if (!IsOn(state))
            return "The cluster is not paused.";
        if (state.Role is Role.Holding or Role.Resuming)
            return "This node holds the lease.";
        if (state.Promise?.IsLive(turn.Now) == true)
            return $"Node {state.Promise.To} has renewed its lease a moment ago.";
        if (state.Server is ServerView.Recovering { Upstream: { } upstream })
            return $"The server still receives from node {upstream}.";
        turn.Remember(turn.Durable with { Pause = turn.Durable.Pause! with { Length = null } });
        return null;
    }

    public static void Advance(Draft turn)
    {
        if (!IsOn(turn.State) || turn.State.Role is not (Role.Holding or Role.Resuming))
            return;
        // Instants do not outlive a clock: after a start what is left is counted anew.
        if (turn.State.PauseEnds is not { } ends)
        {
            turn.State = turn.State with { PauseEnds = turn.Now + turn.Durable.Pause!.Length };
            turn.Tell(new GuardOrder(null) { PausedUntil = ForGuard(turn.State) });
        }
        else if (turn.Now >= ends && turn.State.Role is Role.Holding)
            End(turn, "its time has passed");
    }

    /// <summary>A majority acknowledged a renewal with this pause, or end of one.</summary>
    public static void Confirm(Draft turn, Pause? acknowledged)
    {
        Pause? pause = turn.Durable.Pause;
        if (acknowledged is null || pause is null or { IsConfirmed: true } || acknowledged.IsOlderThan(pause))
            return;
        turn.Remember(turn.Durable with { Pause = pause with { IsConfirmed = true } });
        turn.Record(pause.IsOn ? "Paused" : "Resumed", Rule, "a majority knows");
        if (pause.IsOn)
            turn.Tell(new GuardOrder(null) { PausedUntil = turn.State.PauseEnds });
    }

    /// <summary>The server of a holder that waits for the end of a pause does not write, and is none of the guard's business.</summary>
    public static bool IsGuarded(AgentState state) =>
        state is not { Role: Role.Holding { Stage: HoldingStage.Waiting }, Server: ServerView.Down or ServerView.Recovering };

    /// <summary>What the guard is told with each deadline, since it may be another one than the one that was told before; null: there never was a pause.</summary>
    public static TimeSpan? ForGuard(AgentState state) =>
        state.Durable.Pause is null ? null : IsInForce(state) ? state.PauseEnds : TimeSpan.Zero;

    /// <summary>Whether a voter hears this renewal: what is older than it remembers was overtaken on the way.</summary>
    public static bool Accepts(Draft turn, Message.Renew renew) =>
        turn.Durable.Pause is not { } known || !Of(renew).IsOlderThan(known);

    public static Pause Of(Message.Renew renew) => renew.Pause ?? new Pause(renew.Term, 0, null);

    /// <summary>The server of a paused holder has ended: the term is kept until a majority knows that the pause is over, or its end would reach nobody.</summary>
    public static void Wait(Draft turn, Term term, string evidence)
    {
        Role.Holding waiting = turn.State.Role is Role.Holding holding && holding.Term == term
            ? holding with { Stage = HoldingStage.Waiting, Affirming = null, NextRenewal = turn.Now }
            : new Role.Holding(term, HoldingStage.Waiting, turn.Now) { NextRenewal = turn.Now };
        turn.Become(waiting, "Waits", Rule, evidence);
        // Otherwise the guard would end the standby as which the server is started again.
        if (!IsGuarded(turn.State))
            turn.Tell(new GuardOrder(null, IsOver: true));
    }

    /// <summary>
    /// Paused voters vote for nobody, and hear of the end of the pause only in this term: the holder keeps it while a majority can acknowledge it.
    /// </summary>
    public static bool IsBound(Draft turn, Role.Holding holding, VoterId from)
    {
        if (!Keeps(turn.State, holding.Term))
            return false;
        if (!holding.Overtaken.Contains(from))
            turn.State = turn.State with { Role = holding with { Overtaken = holding.Overtaken.Add(from) } };
        Membership membership = turn.Durable.Membership;
        ImmutableArray<VoterId> overtaken = ((Role.Holding)turn.State.Role).Overtaken;
        return Members.IsMajority(turn, membership, [.. membership.Asked.Select(voter => voter.Id).Except(overtaken)]);
    }

    /// <summary>The term is not given back: it is paused, or a majority does not know the end of its pause yet.</summary>
    public static bool Keeps(AgentState state, Term term) =>
        state.Durable.Pause is { } pause && (pause.IsOn || !pause.IsConfirmed) && pause.Term == term && state.Durable.Term == term;

    private static Pause Next(Draft turn, TimeSpan? length)
    {
        Term term = ((Role.Holding)turn.State.Role).Term;
        int change = turn.Durable.Pause is { } before && before.Term == term ? before.Change + 1 : 1;
        return new Pause(term, change, length);
    }

    private static void RenewNow(Draft turn)
    {
        if (turn.State.Role is Role.Holding holding)
            turn.State = turn.State with { Role = holding with { NextRenewal = turn.Now } };
    }
}
