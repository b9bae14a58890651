using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Core.Failover.Reports;

/// <summary>What would come of the loss of a node now (R17), by the rules that the agents decide by and from what they say.</summary>
/// <param name="Node">The node that is lost.</param>
/// <param name="Outcome">What would become of the primary.</param>
/// <param name="Successor">Who would be primary instead; null: nobody.</param>
/// <param name="Gate">The rule that would keep an election from succeeding; null: none.</param>
/// <param name="Says">For people: a sentence or two.</param>
public sealed record WhatIf(NodeId Node, WhatIfOutcome Outcome, NodeId? Successor, string? Gate, string Says)
{
    /// <summary>The host of this node is lost, and its agent with it.</summary>
    public static WhatIf Lost(AgentsView agents, NodeId node)
    {
        ArgumentNullException.ThrowIfNull(agents);
        if (agents.Membership is not { } membership)
            return Refused(node, "R1", "No agent that answers is a voter: nothing would be decided.");
        AgentReport[] left = [.. agents.Voters.Where(report => report.Node != node && membership.Voters.Any(voter => voter.Id.Node == report.Node))];
        return agents.Holder?.Node == node || agents.Holder is null ? Elected(agents, membership, node, left) : Kept(agents, agents.Holder, membership, node, left);
    }

    /// <summary>The primary goes on, if a majority is left to renew its lease.</summary>
    private static WhatIf Kept(AgentsView agents, AgentReport holder, Membership membership, NodeId node, AgentReport[] others)
    {
        string primary = agents.Label(holder.Node);
        int left = others.Length;
        if (membership.Store is null && !membership.IsMajority(left))
        {
            if (agents.Pause is { IsInForce: true })
                return new WhatIf(node, WhatIfOutcome.Kept, holder.Node, null, Say($"{primary} would stay the primary until the pause is over; then it would take itself out of service, since {left} of {membership.Voters.Count} voters would be left."));
            if (FewVoters.StandbyGoesAlone(membership, agents.Set) && agents.Set!.Set.Count == 0)
                return new WhatIf(node, WhatIfOutcome.Kept, holder.Node, null, $"{primary} would go on alone: no standby is in the set that its commits wait for.");
            return FewVoters.StandbyGoesAlone(membership, agents.Set)
                ? new WhatIf(node, WhatIfOutcome.Stopped, null, TwoVoters.Rule, $"Writes would stop at once, and {primary} would take itself out of service within {Duration.Of(holder.Ttl)}, until {agents.Label(node)} is back: of two voters it needs both, and its commits wait for the standby (synchronous = strict).")
                : new WhatIf(node, WhatIfOutcome.Stopped, null, "R2", Say($"{primary} would take itself out of service within {Duration.Of(holder.Ttl)}: {left} of {membership.Voters.Count} voters would be left, and a majority is {agents.Majority}."));
        }

        int more = left - agents.Majority;
        string then = agents.Store is { } store ? store.IsAnswering ? $"It renews its lease in {store.Kind}." : $"It does not reach {store.Kind} at the moment."
            : more == 0 ? "The loss of one more voter would stop it." : Say($"{more} more voters could be lost.");
        string commits = agents.Set is { Mode: SyncMode.Strict } set && set.Set.Contains(node) && set.Set.Members.Length - 1 < set.Set.Count
            ? " Commits would wait until it is back (synchronous = strict)." : "";
        return new WhatIf(node, WhatIfOutcome.Kept, holder.Node, null, $"{primary} would stay the primary. {then}{commits}");
    }

    /// <summary>The gates of an election, in the order in which the agents come to them.</summary>
    private static WhatIf Elected(AgentsView agents, Membership membership, NodeId node, AgentReport[] left)
    {
        if (agents.Pause is { } pause)
            return Refused(node, "R14", $"Nothing would happen: the cluster is paused{Duration.Left(pause.Left)}. There would be no primary until it is unpaused.");
        if (membership.Store is not null && !agents.IsMajority(left))
            return Refused(node, "R6", "There would be no election: no agent that would be left reaches etcd, where the lease lies.");
        if (membership.Store is null && !membership.IsMajority(left.Length) && left is [var standby] && FewVoters.StandbyGoesAlone(membership, agents.Set))
            return Alone(agents, node, standby);
        if (membership.Store is null && !membership.IsMajority(left.Length))
            return Refused(node, "R6", Say($"There would be no election: {left.Length} of {membership.Voters.Count} voters would be left, and a majority is {agents.Majority}."));

        Candidacy[] known = [.. left.Select(report => report.Candidacy).OfType<Candidacy>()];
        Candidacy? best = known.Where(candidacy => candidacy.IsEligible).Order(CandidateOrder.BestFirst).FirstOrDefault();
        if (best is null)
            return Refused(node, "R7", $"Nobody could be elected: {string.Join("; ", left.Select(report => $"{agents.Label(report.Node)}: {report.Ineligible ?? "it cannot tell how far its data go"}"))}.");
        SyncMember[] members = [.. left.Select(report => report.Member).OfType<SyncMember>()];
        if (agents.Set is { } set && !SyncRules.MayElect(set, members))
            return Refused(node, "R9", $"Nobody could be elected: too few of {set.Set} would answer with their data, and only they are sure to have every commit.");
        return new WhatIf(node, WhatIfOutcome.FailedOver, best.Node, null, Tell(agents, node, left, known, best));
    }

    /// <summary>One of two voters is left (R15).</summary>
    private static WhatIf Alone(AgentsView agents, NodeId node, AgentReport standby)
    {
        string name = agents.Label(standby.Node);
        string? not = standby.Member is not { } member || !agents.Set!.Set.Members.Contains(member) ? "it is not in the synchronous set"
            : standby.Upstream is null ? "it does not stream, and its memory may be old"
            : standby.Candidacy is not { IsEligible: true } ? standby.Ineligible ?? "it cannot tell how far its data go"
            : null;
        return not is null
            ? new WhatIf(
                node, WhatIfOutcome.FailedOver, standby.Node, null,
                $"{name} would go on alone, {Duration.Of(standby.Ttl)} after it received something for the last time: {agents.Label(node)} commits nothing without it (synchronous = strict). No acknowledged commit would be lost.")
            : Refused(node, TwoVoters.Rule, $"There would be no primary: of two voters one would be left, and {name} could not go on alone: {not}.");
    }

    private static string Tell(AgentsView agents, NodeId node, AgentReport[] left, Candidacy[] known, Candidacy best)
    {
        AgentReport successor = agents.Of(best.Node)!;
        string when = agents.Holder is null ? "as soon as a majority is free to vote" : $"after {Duration.Of(successor.Ttl)} if its host is silent, at once if only its server ends";
        TimeSpan quiet = agents.Store is not null ? TimeSpan.Zero : left.Select(report => report.QuietLeft).Order().ElementAt(Math.Min(left.Length, agents.Majority) - 1);
        string waits = quiet > TimeSpan.Zero ? $" Not before {Duration.Of(quiet)} are over: agents that were just started do not vote." : "";
        string fetches = known.Where(candidacy => candidacy.Data > best.Data).MaxBy(candidacy => candidacy.Data) is { } ahead
            ? $" It would first fetch the WAL that it lacks from {agents.Label(ahead.Node)}." : "";
        return $"{agents.Label(best.Node)} would be the primary, {when}.{waits}{fetches}{Loss(agents, node, known)}";
    }

    private static string Loss(AgentsView agents, NodeId node, Candidacy[] known)
    {
        if (agents.Set is { Mode: not SyncMode.Off, Set.Count: > 0 })
            return " No acknowledged commit would be lost.";
        if (agents.Of(node)?.Position is not { } written)
            return "";
        ulong lacks = known.Max(candidacy => candidacy.Data.Position) is var most && most < written ? (ulong)(written - most) : 0;
        return lacks == 0
            ? " As of now the standbys have all its WAL."
            : Say($" With a silent host the newest {lacks} bytes of WAL would be lost as of now.");
    }

    private static WhatIf Refused(NodeId node, string gate, string says) => new(node, WhatIfOutcome.NoPrimary, null, gate, says);

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What would become of the primary.</summary>
public enum WhatIfOutcome
{
    /// <summary>It stays.</summary>
    Kept,

    /// <summary>Another node takes over.</summary>
    FailedOver,

    /// <summary>It takes itself out of service.</summary>
    Stopped,

    /// <summary>It is lost, and nobody takes over.</summary>
    NoPrimary,
}
