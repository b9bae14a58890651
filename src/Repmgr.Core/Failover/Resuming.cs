using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Core.Failover;

/// <summary>The agent of a holder was started again: it goes on where the guard still lets the server run, and nowhere else (R4, R5).</summary>
internal static class Resuming
{
    public static void Advance(Draft turn)
    {
        if (turn.State.Role is not Role.Resuming resuming)
            return;

        bool isWritable = turn.State.Server is ServerView.Writable;
        bool isPaused = Pausing.IsInForce(turn.State);
        if (turn.State.Guard is { } guard && (guard.Deadline > turn.Now || isPaused) && isWritable && turn.Durable.Served == resuming.Term)
        {
            var holding = new Role.Holding(resuming.Term, HoldingStage.Serving, turn.Now)
            {
                // In a pause its voters elect nobody, also where the guard was ended with the agent. The end of the pause finds a lease that is renewed, or over.
                LeaseEnd = guard.Deadline is { } deadline ? deadline + turn.Policy.FenceBudget : turn.Now,
                NextRenewal = turn.Now,
                Set = new HeldSet { Confirmed = turn.Durable.IsSole ? turn.Durable.Set : null },
            };
            turn.Become(holding, "Resumes", "R4", isPaused ? "the cluster is paused and the server writes" : "the guard is set and the server writes");
        }
        else if (isPaused && turn.State.Server is not (ServerView.Unseen or ServerView.Writable))
        {
            Pausing.Wait(turn, resuming.Term, "the server does not write, and the cluster is paused");
        }
        else if (turn.Now - resuming.Since >= turn.Policy.RenewEvery || (turn.State.Server is not ServerView.Unseen && !isWritable))
        {
            // A promotion that was ordered before the restart may still be pending: it ends with the server.
            Fencing.Begin(turn, "CannotResume", "R5", isWritable ? "no guard knows of a lease" : "the server does not write");
        }
        else if (turn.State.Guard is null)
        {
            turn.Tell(new GuardOrder(null));
        }
    }
}
