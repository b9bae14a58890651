namespace Repmgr.Core.Failover;

/// <summary>When a server is taken out of service (R3, R5).</summary>
internal static class Fencing
{
    public const string Rule = "R3";

    /// <summary>The lease is about to end and was not renewed.</summary>
    public static void AtDeadline(Draft turn)
    {
        if (turn.State.Role is Role.Holding { Stage: not HoldingStage.Waiting, End: { } end } && !Pausing.IsInForce(turn.State) && turn.Now >= LeaseTimes.FenceDeadline(end, turn.Policy))
        {
            if (Pausing.IsOn(turn.State))
                Pausing.End(turn, "no majority acknowledged it in time");
            Begin(turn, "LeaseEnds", Rule, "no majority acknowledged a renewal in time");
        }
    }

    /// <param name="isOrderly">There is time for a fast shutdown first.</param>
    public static void Begin(Draft turn, string name, string rule, string why, bool isOrderly = false)
    {
        Term? term = turn.State.Role switch
        {
            Role.Holding holding => holding.Term,
            Role.Resuming resuming => resuming.Term,
            _ => null,
        };
        turn.Become(new Role.Fencing(term, why), name, rule, why);
        turn.State = turn.State with { LooksCountFrom = turn.Now, LivesFrom = turn.Now, PendingVote = null };
        turn.DoNow(new AgentStep.Fence(why) { IsOrderly = isOrderly });
        if (term is { } held && turn.IsBroken(BrokenRule.ResignsBeforeFence))
            Resigning.GiveBack(turn, held);
    }

    /// <summary>The server is out of service: nothing of it commits any more.</summary>
    public static void Finished(Draft turn, Role.Fencing role, AgentStep step, StepOutcome outcome)
    {
        if (outcome is not StepOutcome.Stopped stopped)
        {
            // Until the scan finds nothing the server counts as running: it is tried until it succeeds, and the lease is lost anyway.
            turn.DoNow(step);
            return;
        }

        turn.State = turn.State with
        {
            Server = new ServerView.Down(stopped.Position) { Identity = turn.State.Identity },
            // Somebody may start the server again before it is looked at.
            KnownEnd = stopped.Position is { } end && !(turn.State.KnownEnd >= end) ? end : turn.State.KnownEnd,
            LooksCountFrom = turn.Now,
            IsAlone = false,
            FetchFailed = null,
        };
        turn.Tell(new GuardOrder(null, IsOver: true));
        if (role.Term is { } paused && Pausing.Keeps(turn.State, paused))
        {
            Pausing.Wait(turn, paused, "a majority does not know yet that the pause is over");
            return;
        }

        turn.Become(new Role.Voting(), "Fenced", Rule, role.Why);
        if (role.Term is { } term)
            Resigning.GiveBack(turn, term);
    }
}
