using System.Collections.Immutable;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover;

/// <summary>The holder of a term: it renews its lease, and lets its server write while the lease lasts (R2, R5, R8).</summary>
internal static class Holder
{
    private const int RoundsKept = 8;

    public static void Advance(Draft turn)
    {
        if (turn.State.Role is not Role.Holding)
        {
            if (turn.State is { IsStopping: true, Doing: null, Role: not (Role.Fencing or Role.Resuming) })
                turn.DoNow(new AgentStep.Exit());
            return;
        }

        if (turn.State is { IsStopping: true, Doing: null, Role: Role.Holding { Stage: HoldingStage.Waiting } })
        {
            turn.DoNow(new AgentStep.Exit());
            return;
        }

        // Nobody can acknowledge the long renewal, and nobody else be elected meanwhile (R15).
        if (turn.State is { IsStopping: true, Doing: null, Role: Role.Holding { Stage: HoldingStage.Serving } } && turn.Durable is { IsSole: true, InForce.Set.Count: 0 })
        {
            turn.Tell(new GuardOrder(turn.Now + turn.Policy.RestartGrace));
            turn.DoNow(new AgentStep.Exit());
            return;
        }

        Extend(turn);
        Affirmation.Advance(turn);
        CommitFence.Advance(turn);
        Members.Advance(turn);
        if (turn.State.Role is Role.Holding { Affirming: null } holding && turn.Now >= holding.NextRenewal && !turn.State.IsStopping)
        {
            Renew(turn, turn.Policy.Ttl);
            Extend(turn);
        }

        if (turn.State is { Role: Role.Holding { Stage: HoldingStage.Waiting } waiting, Server: ServerView.Down or ServerView.Recovering }
            && !Pausing.Keeps(turn.State, waiting.Term))
        {
            turn.Become(new Role.Voting(), "Fenced", Pausing.Rule, "a majority knows that the pause is over");
            Resigning.GiveBack(turn, waiting.Term);
        }
        else if (turn.State.Role is Role.Holding { Stage: HoldingStage.Elected } elected)
            Promote(turn, elected);
        else if (turn.State.Role is Role.Holding { Stage: HoldingStage.Promoting } promoting && turn.Now - promoting.Since >= turn.Policy.PromoteTimeout)
            Fencing.Begin(turn, "PromotionTooSlow", "R8", $"the server was not writable within {turn.Policy.PromoteTimeout.TotalSeconds:0} s");
    }

    public static void Take(Draft turn, VoterId from, Message.Renewed renewed)
    {
        if (turn.State.Role is not Role.Holding holding || renewed.Holder != turn.State.Node || renewed.Term != holding.Term)
            return;
        // Also of a round that has its majority: the last one to answer has data, too.
        holding = holding with { Set = CommitFence.Know(holding.Set, from.Node, renewed), HeardAt = holding.HeardAt.SetItem(from, turn.Now) };
        turn.State = turn.State with { Role = holding };
        int index = IndexOf(holding.Rounds, renewed.Round);
        if (index < 0 || holding.Rounds[index].Acknowledged.Contains(from))
            return;

        SentRound round = holding.Rounds[index];
        round = round with { Acknowledged = round.Acknowledged.Add(from) };
        if (turn.IsBroken(BrokenRule.LeaseFromAcknowledgement))
            round = round with { SentAt = turn.Now };
        turn.State = turn.State with { Role = holding with { Rounds = holding.Rounds.SetItem(index, round) } };
    }

    /// <summary>A voter knows a higher term. Only one with a holder ends this one (R3).</summary>
    public static void Take(Draft turn, VoterId from, Message.Superseded superseded)
    {
        if (turn.State.Role is not Role.Holding holding || superseded.Term <= turn.Durable.Term)
            return;
        if (superseded.Holder is null && Pausing.IsBound(turn, holding, from))
            return;
        if (Pausing.IsOn(turn.State))
            Pausing.End(turn, $"a majority cannot acknowledge term {holding.Term} any more");
        string evidence = superseded.Holder is { } node ? $"node {node} holds term {superseded.Term}" : $"term {superseded.Term} was asked for";
        if (holding.Stage is HoldingStage.Elected or HoldingStage.Waiting)
            turn.Become(new Role.Voting(), "Superseded", "R2", evidence);
        else if (superseded.Holder is not null || holding.Stage == HoldingStage.Promoting)
            Fencing.Begin(turn, "HigherHolder", Fencing.Rule, evidence);
        else
            Affirmation.Begin(turn, holding, superseded.Term.Next, evidence);
    }

    /// <summary>The agent is about to be started anew: one long renewal, so that nothing comes of it (R14).</summary>
    public static void Stop(Draft turn)
    {
        if (turn.State.IsStopping)
            return;
        turn.State = turn.State with { IsStopping = true };
        if (turn.State.Role is Role.Holding { Stage: HoldingStage.Serving, Affirming: null })
            Renew(turn, turn.Policy.RestartGrace);
    }

    private static void Renew(Draft turn, TimeSpan ttl)
    {
        var holding = (Role.Holding)turn.State.Role;
        AgentState state = turn.State;
        var round = new Round(state.Boot, state.Counter + 1);
        var sent = new SentRound(round, turn.Now, ttl, [state.Self]) { Set = turn.Durable.Set, Pause = turn.Durable.Pause, Membership = turn.Durable.Membership };
        Lsn position = state.Server.End ?? Lsn.Zero;
        ImmutableArray<SentRound> open = holding.Rounds.Length < RoundsKept ? holding.Rounds : holding.Rounds.RemoveAt(0);
        turn.State = state with
        {
            Counter = state.Counter + 1,
            Role = holding with
            {
                Rounds = open.Add(sent),
                NextRenewal = turn.Now + turn.Policy.RenewEvery,
                Set = holding.Set with { Announced = position },
            },
        };
        Renewal.Promise(turn, state.Node, holding.Term, ttl);
        turn.Tell(new GuardOrder(null));
        turn.Broadcast(new Message.Renew(
            holding.Term, round, ttl, turn.Durable.Membership, turn.Durable.Announced, position, turn.Policy.Location,
            holding.Stage == HoldingStage.Serving)
        {
            Pause = turn.Durable.Pause is { } pause && pause.Term == holding.Term ? pause : null,
            Set = turn.Durable.Set,
            IsSetConfirmed = holding.Set.Confirmed?.CompareTo(turn.Durable.Set) == 0,
            InForce = turn.Durable.InForce,
        });
    }

    /// <summary>A majority acknowledged: the lease holds from the instant the round was sent, if the guard lives to end it (R2, R4).</summary>
    private static void Extend(Draft turn)
    {
        var holding = (Role.Holding)turn.State.Role;
        int newest = holding.Rounds.Length - 1;
        while (newest >= 0 && !Members.IsMajority(turn, turn.Durable.Membership, holding.Rounds[newest].Acknowledged))
            newest--;
        if (newest < 0)
            return;
        holding = holding with { Set = CommitFence.Confirm(holding.Set, holding.Rounds[newest].Set) };
        turn.State = turn.State with { Role = holding };
        Pausing.Confirm(turn, holding.Rounds[newest].Pause);
        Members.Confirm(turn, holding.Rounds[newest].Membership);
        if (!HasGuard(turn))
            return;

        SentRound round = holding.Rounds[newest];
        // Of a round that was sent under other times, and of the long one of an agent that stops, in proportion.
        TimeSpan margin = turn.IsBroken(BrokenRule.NoMargin) ? TimeSpan.Zero : LeaseTimes.Margin(round.Ttl, turn.Policy);
        TimeSpan end = LeaseTimes.End(round.SentAt, round.Ttl, margin);
        if (holding.LeaseEnd is { } before && before > end)
            end = before;
        // An older round that is acknowledged later can only have promised less, except the long one of an agent that stops (R14).
        turn.State = turn.State with { Role = holding with { LeaseEnd = end, Rounds = holding.Rounds[(newest + 1)..] } };
        if (Pausing.IsGuarded(turn.State))
            turn.Tell(new GuardOrder(LeaseTimes.FenceDeadline(end, turn.Policy)) { PausedUntil = Pausing.ForGuard(turn.State) });
        // The last round is the long one. One before it, that was on its way when the agent was told to end, promises nothing of the kind (R14).
        if (turn.State.IsStopping && newest == holding.Rounds.Length - 1)
            turn.DoNow(new AgentStep.Exit());
    }

    public static bool HasGuard(Draft turn) => turn.State.Guard is { } guard && turn.Now - guard.At <= turn.Policy.RenewEvery;

    private static void Promote(Draft turn, Role.Holding holding)
    {
        if (turn.IsBroken(BrokenRule.PromotesOnVotes))
        {
            BeginPromotion(turn, holding, turn.Now + turn.Policy.Ttl);
            return;
        }

        if (holding.IsAlone && turn.State.Server is ServerView.Recovering && turn.Durable.Served < holding.Term && CommitFence.IsReady(turn, holding))
        {
            BeginPromotion(turn, holding, turn.Now + turn.Policy.PromoteTimeout);
            return;
        }

        if (holding.LeaseEnd is { } end && turn.State.Guard is { Deadline: { } armed } && armed > turn.Now)
        {
            TimeSpan notAfter = LeaseTimes.FenceDeadline(end, turn.Policy) - turn.Policy.PromotionTakes;
            if (turn.Now <= notAfter && turn.State.Server is ServerView.Recovering && turn.Durable.Served < holding.Term && CommitFence.IsReady(turn, holding))
            {
                BeginPromotion(turn, holding, notAfter);
                return;
            }
        }

        if (turn.Now - holding.Since < turn.Policy.PromoteTimeout)
            return;
        turn.Become(new Role.Voting(), "NotPromoted", "R8", "no majority remembered the term history, or the server cannot be promoted");
        turn.Tell(new GuardOrder(null, IsOver: true));
        Resigning.GiveBack(turn, holding.Term);
    }

    private static void BeginPromotion(Draft turn, Role.Holding holding, TimeSpan notAfter)
    {
        turn.Remember(turn.Durable with { Served = holding.Term });
        turn.Become(holding with { Stage = HoldingStage.Promoting, Since = turn.Now }, "Promotes", "R8", "a majority remembered the term history");
        turn.Do(new AgentStep.Promote(holding.Term, notAfter));
    }

    private static int IndexOf(ImmutableArray<SentRound> rounds, Round round)
    {
        for (int index = rounds.Length - 1; index >= 0; index--)
        {
            if (rounds[index].Round == round)
                return index;
        }

        return -1;
    }
}
