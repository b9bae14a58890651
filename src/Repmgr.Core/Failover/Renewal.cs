using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Core.Failover;

/// <summary>A voter hears from a holder (R2).</summary>
internal static class Renewal
{
    public const string Rule = "R2";

    public static void Take(Draft turn, NodeId from, Message.Renew renew)
    {
        DurableState durable = turn.Durable;
        if (renew.Term < durable.Term)
        {
            turn.Send(from, new Message.Superseded(durable.Term, turn.State.Leader is { } leader && leader.Term == durable.Term ? leader.Node : null));
            return;
        }

        bool isClosed = renew.Term <= durable.Closed && !turn.IsBroken(BrokenRule.HoldsResignedTerm);
        if (isClosed || from == turn.State.Node || turn.State.Role is Role.Holding { Affirming: null } own && own.Term == renew.Term)
            return;

        if (!Pausing.Accepts(turn, renew))
            return;
        StepAside(turn, from, renew.Term);
        Promise(turn, from, renew.Term, renew.Ttl);
        turn.Remember(turn.Durable with
        {
            Term = renew.Term,
            VotedFor = from,
            Announced = renew.History.Equals(durable.Announced) ? durable.Announced : renew.History,
            Membership = Membership.Newest(durable.Membership, renew.Membership),
            Set = RememberedSet.Newest(durable.Set, renew.Set),
            IsSole = false,
            Pause = durable.Pause is null && renew.Pause is null ? null : Pausing.Of(renew),
        });
        turn.State = turn.State with
        {
            Leader = new Leader(renew.Term, from, turn.Durable.Announced, renew.Position, renew.Location, renew.IsServing)
            {
                Set = renew.Set,
                IsSetConfirmed = renew.IsSetConfirmed,
                InForce = renew.InForce,
                HeardAt = turn.Now,
            },
            ResignedAt = renew.Term > durable.Held ? null : turn.State.ResignedAt,
            WaitingSince = null,
        };
        turn.Send(from, new Message.Renewed(renew.Term, renew.Round, from)
        {
            Member = turn.State.IsLeaving ? null : Candidacies.MemberOf(turn.State),
            IsLeaving = turn.State.IsLeaving,
        });
    }

    /// <summary>Gives the word to a holder or a candidate. Its length is on disk before the answer leaves (R1).</summary>
    public static void Promise(Draft turn, NodeId to, Term term, TimeSpan ttl)
    {
        turn.State = turn.State with
        {
            Promise = turn.IsBroken(BrokenRule.PromiseAssigned)
                ? new Promise(term, to, turn.Now + ttl)
                : Failover.Promise.Extend(turn.State.Promise, term, to, turn.Now + ttl),
        };
        if (ttl > turn.Durable.LongestPromise)
            turn.Remember(turn.Durable with { LongestPromise = ttl });
    }

    /// <summary>Another holds this term, which is not below any that this agent knows.</summary>
    private static void StepAside(Draft turn, NodeId holder, Term term)
    {
        switch (turn.State.Role)
        {
            case Role.Holding { Stage: HoldingStage.Elected or HoldingStage.Waiting }:
                turn.Become(new Role.Voting(), "Superseded", Rule, Says(holder, term));
                break;
            case Role.Holding or Role.Resuming:
                Fencing.Begin(turn, "HigherHolder", Fencing.Rule, Says(holder, term));
                break;
            case Role.Asking or Role.Standing or Role.Fetching:
                turn.Become(new Role.Voting(), "HolderAppears", Rule, Says(holder, term));
                break;
        }
    }

    private static string Says(NodeId holder, Term term) => $"node {holder} holds term {term}";
}
