namespace Repmgr.Core.Failover;

/// <summary>What the result of a step means.</summary>
internal static class Results
{
    public static void Take(Draft turn, AgentStep step, StepOutcome outcome)
    {
        bool isSameLife = step is AgentStep.SetSynchronous or AgentStep.PrepareHandOver;
        turn.State = turn.State with { Doing = null, LooksCountFrom = turn.Now, LivesFrom = isSameLife ? turn.State.LivesFrom : turn.Now };
        switch (step)
        {
            case AgentStep.Fence when turn.State.Role is Role.Fencing fencing:
                Fencing.Finished(turn, fencing, step, outcome);
                break;
            case AgentStep.CutReceiver:
                Cut(turn, outcome);
                break;
            case AgentStep.FetchWal when turn.State.Role is Role.Fetching fetching:
                Rescue.Finished(turn, fetching, outcome);
                break;
            case AgentStep.Promote when turn.State.Role is Role.Holding { Stage: HoldingStage.Promoting } holding:
                Promoted(turn, holding, outcome);
                break;
            case AgentStep.SetSynchronous set when outcome is StepOutcome.Done:
                CommitFence.IsSet(turn, set.Set);
                break;
            case AgentStep.Rebuild when outcome is StepOutcome.Done && turn.Durable.Rebuilding is { } rebuilding:
                turn.Remember(turn.Durable with { Rebuilding = rebuilding with { IsCopied = true } });
                Following.Settle(turn);
                break;
            case AgentStep.PrepareHandOver prepared:
                HandingOver.Prepared(turn, prepared.Successor);
                break;
            case AgentStep.StartServer or AgentStep.Follow or AgentStep.Rebuild:
                Following.Settle(turn);
                break;
        }
    }

    private static void Cut(Draft turn, StepOutcome outcome)
    {
        var stopped = outcome as StepOutcome.Stopped;
        turn.State = turn.State with { CutFailedAt = stopped is null ? turn.Now : null };
        if (stopped is not null)
            turn.State = turn.State with { Server = After(turn.State.Server, stopped), KnownEnd = stopped.Position ?? turn.State.KnownEnd };
        if (turn.State.PendingVote is { } pending)
            Vote.Decide(turn, pending, stopped is not null);
        else if (turn.State.Role is Role.Standing { Votes: null } standing && stopped is not null)
            Candidate.AskForVotes(turn, standing);
        else if (turn.State.Role is Role.Voting && stopped is not null)
            Following.Decide(turn, stopped.Position);
    }

    private static ServerView After(ServerView before, StepOutcome.Stopped stopped) =>
        before is ServerView.Down ? new ServerView.Down(stopped.Position) : new ServerView.Recovering(stopped.Position, null, 0);

    private static void Promoted(Draft turn, Role.Holding holding, StepOutcome outcome)
    {
        if (outcome is StepOutcome.Failed failed)
        {
            Fencing.Begin(turn, "PromotionFailed", "R8", failed.Why);
            return;
        }

        turn.State = turn.State with { Server = new ServerView.Writable(turn.Durable.Announced.Newest.Begin), PromotedAt = turn.Now };
        turn.Become(holding with { Stage = HoldingStage.Serving, NextRenewal = turn.Now }, "Promoted", "R8", "the server takes writes");
    }
}
