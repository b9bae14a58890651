namespace Repmgr.Core.Failover;

/// <summary>
/// How the agent of a node decides with <c>failover=automatic</c>: the pure half. Messages, looks, results of steps and time come in;
/// messages, steps and what must be on disk before them go out. The rules R1 to R18 and invariants I1 to I10 that the code cites
/// stand in docs/failover.md.
/// </summary>
public static class AgentMachine
{
    public static Turn Decide(AgentState state, Input input)
    {
        var turn = new Draft(state, input.At);
        // A lease that is over is over whatever has come in since: an agent that was frozen begins with this.
        Pausing.Advance(turn);
        Fencing.AtDeadline(turn);
        Take(turn, input);
        Fencing.AtDeadline(turn);
        Holder.Advance(turn);
        // The process ends: what was about to be begun is not begun.
        if (turn.State.Doing is AgentStep.Exit)
            return turn.Finish();
        Resuming.Advance(turn);
        Resigning.Advance(turn);
        Following.Advance(turn);
        Ballots.Advance(turn);
        Candidate.Advance(turn);
        return turn.Finish();
    }

    private static void Take(Draft turn, Input input)
    {
        switch (input)
        {
            case Input.Received received when Members.Hears(turn, received.Envelope):
                Take(turn, received.Envelope);
                break;
            case Input.Observed observed when observed.TakenAt >= (observed.Server is ServerView.Hung ? turn.State.LivesFrom : turn.State.LooksCountFrom):
                Looks.Take(turn, observed.Server);
                break;
            case Input.Persisted persisted:
                turn.Saved(persisted.Version);
                break;
            case Input.Finished finished when finished.Step == turn.State.Doing:
                Results.Take(turn, finished.Step, finished.Outcome);
                break;
            case Input.GuardEcho echo:
                turn.State = turn.State with { Guard = (echo.At, echo.Deadline) };
                break;
            case Input.Requested requested:
                Requests.Take(turn, requested.Request);
                break;
            case Input.StopRequested:
                Holder.Stop(turn);
                break;
        }
    }

    private static void Take(Draft turn, Envelope envelope)
    {
        VoterId from = envelope.From;
        switch (envelope.Message)
        {
            case Message.Renew renew:
                Renewal.Take(turn, from.Node, renew);
                break;
            case Message.Renewed renewed:
                Holder.Take(turn, from, renewed);
                break;
            case Message.Superseded superseded:
                Holder.Take(turn, from, superseded);
                break;
            case Message.Resign resign:
                Resigning.Take(turn, from.Node, resign);
                break;
            case Message.AskBallot ask:
                Ballots.Answer(turn, from.Node, ask);
                break;
            case Message.Ballot ballot:
                Ballots.Take(turn, from, ballot);
                break;
            case Message.AskVote ask:
                Vote.Take(turn, from.Node, ask);
                break;
            case Message.Vote vote:
                Candidate.Take(turn, from, vote);
                break;
        }
    }
}
