using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover;

/// <summary>What a look at the own server means.</summary>
internal static class Looks
{
    public static void Take(Draft turn, ServerView server)
    {
        turn.State = turn.State with { Server = server, Identity = server.Identity ?? turn.State.Identity };
        AgentState before = turn.State;
        if (server.End is { } seen && !(turn.State.KnownEnd >= seen))
            turn.State = turn.State with { KnownEnd = seen, GrewAt = turn.Now };
        if (server is ServerView.Writable || (server is ServerView.Recovering { Upstream: { } source } && before.Leader is { } holder && source == holder.Node && holder.Set?.Term == holder.Term))
            turn.State = turn.State with { HasStreamed = true };
        if (server is ServerView.Recovering { Position: { } end, Upstream: { } upstream } && GetsMore(before, upstream, end))
            turn.State = turn.State with { SignOfHolder = turn.Now };

        if (server is ServerView.Writable writable)
            CommitFence.See(turn, writable);

        if (Pausing.IsOn(turn.State))
        {
            if (turn.State.Role is Role.Holding { Stage: HoldingStage.Serving } paused && server is (ServerView.Down or ServerView.Recovering))
                Pausing.Wait(turn, paused.Term, "the server ended in a pause");
            return;
        }

        switch (turn.State.Role)
        {
            case Role.Holding { Stage: HoldingStage.Serving } when server is ServerView.Hung { IsHeadless: false } && IsCooling(turn):
                turn.Record("CoolsDown", "R17", $"the server hangs; it was promoted less than {turn.Policy.FailoverCooldown.TotalSeconds:0.#} s ago, and may go on");
                break;
            case Role.Holding { Stage: HoldingStage.Serving } when server is not ServerView.Writable:
                Fencing.Begin(turn, "ServerDied", "R10", "the server does not write any more");
                break;
            case Role.Holding { Stage: HoldingStage.Promoting } when server is ServerView.Down or ServerView.Hung:
                Fencing.Begin(turn, "ServerDied", "R10", "the server ended while it was promoted");
                break;
            case Role.Holding { Stage: HoldingStage.Elected } elected when server is ServerView.Down or ServerView.Hung:
                turn.Become(new Role.Voting(), "NotPromoted", "R8", "the server ended before it was promoted");
                Resigning.GiveBack(turn, elected.Term);
                break;
            case Role.Holding { Stage: HoldingStage.Elected or HoldingStage.Waiting } or Role.Voting or Role.Asking or Role.Standing or Role.Fetching
                when server is ServerView.Writable:
                Fencing.Begin(turn, "WritableWithoutLease", "R5", "the server writes and this node holds no lease");
                break;
            case Role.Holding { Stage: HoldingStage.Waiting } or Role.Voting or Role.Asking or Role.Standing or Role.Fetching when server is ServerView.Hung:
                Fencing.Begin(turn, "Hangs", "R16", "the server did nothing within its deadline");
                break;
        }
    }

    /// <summary>Only a failover that takes the lease from a holder that could go on is put off; an election after a lease never is (R17).</summary>
    private static bool IsCooling(Draft turn) =>
        turn.State.PromotedAt is { } promoted && turn.Now - promoted < turn.Policy.FailoverCooldown;

    /// <summary>From the holder itself came WAL that is newer than what it announced, or than what was there when the agent was started (R6).</summary>
    private static bool GetsMore(AgentState before, NodeId upstream, Lsn end)
    {
        if (before.Leader is { } leader)
            return upstream == leader.Node && end > leader.Position && !(before.KnownEnd >= end);
        return upstream == before.Durable.VotedFor && end > before.KnownEnd;
    }
}
