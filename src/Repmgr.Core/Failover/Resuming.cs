namespace Repmgr.Core.Failover;

/// <summary>The agent of a holder was started again: it goes on where the guard still lets the server run, and nowhere else (R4, R5).</summary>
internal static class Resuming
{
    public static void Advance(Draft turn)
    {
        if (turn.State.Role is not Role.Resuming resuming)
            return;

        bool isWritable = turn.State.Server is ServerView.Writable;
        if (turn.State.Guard is { Deadline: { } deadline } && (deadline > turn.Now || Pausing.IsInForce(turn.State)) && isWritable && turn.Durable.Served == resuming.Term)
        {
            var holding = new Role.Holding(resuming.Term, HoldingStage.Serving, turn.Now)
            {
                LeaseEnd = deadline + turn.Policy.FenceBudget,
                NextRenewal = turn.Now,
            };
            turn.Become(holding, "Resumes", "R4", "the guard is set and the server writes");
        }
        else if (Pausing.IsInForce(turn.State) && turn.State.Server is not (ServerView.Unseen or ServerView.Writable))
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
