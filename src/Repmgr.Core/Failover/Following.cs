using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover;

/// <summary>A node that is not the holder follows it, makes its data anew first where they have diverged, and starts its server (R7, R12).</summary>
internal static class Following
{
    public const string Rule = "R12";

    /// <summary>The server was changed: it is looked at anew, and a receiver is given time to connect before it is pointed again.</summary>
    public static void Settle(Draft turn) =>
        turn.State = turn.State with { Server = new ServerView.Unseen(), NextFollow = turn.Now + (2 * turn.Policy.RenewEvery) };

    public static void Advance(Draft turn)
    {
        AgentState state = turn.State;
        if (state is not { Role: Role.Voting, Doing: null, PendingVote: null, Durable.Data: { } data })
            return;
        Leader? leader = ToFollow(turn);
        if (turn.Now < state.NextFollow && !NeedsStamp(turn, leader))
            return;
        switch (state.Server)
        {
            case ServerView.Recovering recovering when leader is not null:
                bool isAttached = recovering.Upstream == leader.Node;
                if (isAttached && state.Durable.Rebuilding is { IsCopied: true } rebuilt && IsSameWal(rebuilt.History, leader.History))
                    turn.Remember(turn.Durable with { Data = rebuilt.History, Rebuilding = null });
                else if (!isAttached || state.Durable.Rebuilding is not null || !IsSameWal(data, leader.History))
                    turn.DoNow(new AgentStep.CutReceiver(leader.Term));
                else if (!data.Equals(leader.History))
                    turn.Remember(turn.Durable with { Data = leader.History });
                else if (NeedsStamp(turn, leader))
                    turn.Do(new AgentStep.Follow(leader.Term, leader.Node) { Stamp = StampFor(turn, leader) });
                break;
            case ServerView.Down down when leader is not null:
                Decide(turn, down.Position);
                break;
            case ServerView.Down when MayStart(turn):
                turn.Do(new AgentStep.StartServer());
                break;
        }
    }

    /// <summary>The receiver is gone, or the server is down: the position stays what it is while this is decided.</summary>
    public static void Decide(Draft turn, Lsn? position)
    {
        if (ToFollow(turn) is not { } leader)
            return;
        Rebuilding? rebuilding = turn.Durable.Rebuilding;
        bool isCopied = rebuilding is { IsCopied: true } && IsSameWal(rebuilding.History, leader.History);
        bool isDiverged = rebuilding is null && position is { } end && turn.Durable.Data!.Diverges(end, leader.History);
        bool isFirstTouch = isDiverged || rebuilding is { IsUntouched: true, IsCopied: false };
        if (isFirstTouch && !IsOutOfSet(turn, leader))
        {
            turn.State = turn.State with { IsLeaving = true, NextFollow = turn.Now + turn.Policy.RenewEvery };
            return;
        }

        turn.State = turn.State with { IsLeaving = false };
        if (isDiverged || (rebuilding is not null && !isCopied))
        {
            turn.Remember(turn.Durable with { Rebuilding = new Rebuilding(leader.History, IsCopied: false), AttachFrom = Term.Max(turn.Durable.AttachFrom, leader.Term) });
            turn.State = turn.State with { KnownEnd = null, Identity = null };
            turn.Do(new AgentStep.Rebuild(leader.Term, leader.Node));
        }
        else if (position is null && rebuilding is null)
        {
            turn.Do(new AgentStep.StartServer());
        }
        else
        {
            turn.Remember(turn.Durable with { Data = rebuilding is null ? leader.History : turn.Durable.Data, AttachFrom = Term.Max(turn.Durable.AttachFrom, leader.Term) });
            turn.Do(new AgentStep.Follow(leader.Term, leader.Node) { Stamp = StampFor(turn, leader) });
        }
    }

    private static Leader? ToFollow(Draft turn) =>
        turn.State is { Leader: { IsServing: true } leader, Promise: { } promise }
        && promise.To == leader.Node && promise.IsLive(turn.Now) && leader.Term >= turn.Durable.AttachFrom && leader.Term > turn.Durable.Closed
            ? leader
            : null;

    /// <summary>It streams, but not under the name that counts.</summary>
    private static bool NeedsStamp(Draft turn, Leader? leader) =>
        leader is not null && turn.State.Server is ServerView.Recovering recovering && recovering.Upstream == leader.Node
        && recovering.Stamp != StampFor(turn, leader);

    // Other data under the same name would acknowledge for those that the set remembers (R12).
    private static SyncStamp? StampFor(Draft turn, Leader leader) =>
        leader.InForce is { } inForce && turn.State is { Identity: { } identity, Durable.Rebuilding: null }
        && inForce.Set.Members.Contains(new SyncMember(turn.State.Node, identity))
            ? inForce.Stamp
            : null;

    /// <summary>A majority remembers a set without this node, and none with it is in force: its data may be overwritten (R12).</summary>
    private static bool IsOutOfSet(Draft turn, Leader leader) =>
        leader.Set is not { Mode: not SyncMode.Off } set
        || (leader.IsSetConfirmed && !set.Set.Contains(turn.State.Node) && leader.InForce?.Set.Contains(turn.State.Node) != true);

    private static bool IsSameWal(TermHistory data, TermHistory history) => data.CommonUntil(history).Bytes == ulong.MaxValue;

    // The server of a holder that resigned stays down while others can still fetch its WAL, and one of them is there to do so (R11).
    private static bool MayStart(Draft turn)
    {
        AgentState state = turn.State;
        bool isWaitedFor = state.ResignedAt is { } resigned && turn.Now - resigned < turn.Policy.WalRescueTimeout && !state.IsAlone;
        return !isWaitedFor && state.Durable.Rebuilding is null or { IsCopied: true };
    }
}
