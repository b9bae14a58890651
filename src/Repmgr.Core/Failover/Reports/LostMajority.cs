using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Failover.Reports;

/// <summary>Those that are left go on, on an operator's word that a majority of the voters is lost for good (R18): whether they may, and what it costs.</summary>
public static class LostMajority
{
    /// <summary>Asks the agent of the node, if nothing that can be seen from here speaks against the operator's word.</summary>
    /// <param name="agents">What they say.</param>
    /// <param name="node">Who is to be the primary.</param>
    /// <param name="answering">Nodes whose servers let us in, or refused to: whose hosts are up.</param>
    public static RequestChoice Choose(AgentsView agents, NodeId node, IReadOnlyCollection<NodeId> answering)
    {
        ArgumentNullException.ThrowIfNull(agents);
        ArgumentNullException.ThrowIfNull(answering);
        if (agents.Of(node) is not { } own)
            return Refuse($"the agent of {agents.Label(node)} does not answer", null, "Start repmgrd there.");
        if (agents.Membership is not { } membership || !own.IsVoter)
            return Refuse($"{agents.Label(node)} takes no part in failover yet", null, null);
        VoterId[] left = Left(agents, membership);
        if (membership.Store is not null && agents.IsMajority([.. agents.Voters]))
            return Refuse("etcd answers, where the lease lies", agents.Now() + ".", "Run \"repmgr standby promote\" without --without-majority; \"repmgr cluster explain\" says what an election waits for.");
        if (membership.Store is null && membership.IsMajority(left.Length))
            return Refuse("a majority of the agents answers", agents.Now() + ".", "Run \"repmgr standby promote\" without --without-majority; \"repmgr cluster explain\" says what an election waits for.");
        // A holder whose pause is over and whose server has ended keeps its term for a majority that is lost.
        bool isWaiting = agents.Holder is { Role: nameof(HoldingStage.Waiting) } waiting && waiting.Node == node;
        if (!isWaiting && agents.Holder is { } holder)
            return StillReached(agents.Label(holder.Node), $"Its agent answers: it is {holder.Role}.");
        if (Lost(membership, left).FirstOrDefault(voter => answering.Contains(voter.Id.Node)) is { } up)
            return StillReached(agents.Label(up.Id.Node), "Its server answers from here.");
        foreach (AgentReport report in agents.Voters)
        {
            if (report.Upstream is { } upstream)
                return StillReached(agents.Label(upstream), $"The server of {agents.Label(report.Node)} still receives from it.");
            if (report.Promise is { } promise && promise.To != node)
                return StillReached(agents.Label(promise.To), $"{agents.Label(report.Node)} gave it its word, for {Duration.Of(promise.Left)} more.");
        }

        if (agents.Pause is not null)
            return Refuse("failover is paused", "While it is paused nobody is elected.", "Run \"repmgr service unpause --holder-is-down\" first.");
        if (!isWaiting && own.Ineligible is { } obstacle)
            return Refuse($"{agents.Label(node)} cannot become primary", $"The reason: {obstacle}.", null);
        var request = new Request.GoOnWithoutMajority(left, agents.Term);
        string lost = string.Join(", ", Lost(membership, left).Select(voter => agents.Label(voter.Id.Node)));
        return new RequestChoice.Ask([node], request, string.Create(
            CultureInfo.InvariantCulture,
            $"ask the agent of {agents.Label(node)} to go on with {left.Length} of {membership.Voters.Count} voters, in a term above {agents.Term.Number + WithoutMajority.Above - 1}, on your word that {lost} {(left.Length == membership.Voters.Count - 1 ? "is" : "are")} lost for good"));
    }

    /// <summary>What may be lost, and what must not happen afterwards: whole sentences.</summary>
    public static IReadOnlyList<string> Estimate(AgentsView agents)
    {
        ArgumentNullException.ThrowIfNull(agents);
        if (agents.Membership is not { } membership)
            return [];
        VoterId[] left = Left(agents, membership);
        Lsn? best = agents.Voters.Select(report => report.Position).Max();
        return [.. new[] { Announced(agents, best), Acknowledged(agents, left), Afterwards(agents, membership, left) }.OfType<string>()];
    }

    private static string? Announced(AgentsView agents, Lsn? best)
    {
        if (best is not { } end || agents.Voters.Select(report => report.HolderPosition).Max() is not { } announced)
            return "How far the primary had written is not known here.";
        string heard = agents.Voters.Select(report => report.HolderHeardAgo).Min() is { } ago ? $"{Duration.Of(ago)} ago" : "last";
        string lacks = announced > end
            ? string.Create(CultureInfo.InvariantCulture, $"{(ulong)(announced - end)} bytes of that are on none of the servers that answer: they are lost")
            : "a server that answers has all of that";
        return $"The primary was at {announced} when it was heard {heard}; {lacks}. What it wrote later than that, and no server here received, is lost, too.";
    }

    private static string? Acknowledged(AgentsView agents, VoterId[] left)
    {
        if (agents.Set is not { Mode: not SyncMode.Off } set)
            return "Commits waited for no standby (synchronous = off): what is lost was acknowledged to clients.";
        int answer = set.Set.Members.Count(member => left.Any(voter => voter.Node == member.Node));
        string strict = set.Mode == SyncMode.Strict ? string.Create(CultureInfo.InvariantCulture, $" With synchronous = strict no write is acknowledged before {set.Wanted} of the standbys {(set.Wanted == 1 ? "is" : "are")} back: \"repmgr service set --synchronous=quorum\" changes that.") : "";
        return (answer >= set.Set.Members.Length - set.Set.Count + 1
            ? "Of what was acknowledged to clients nothing is lost: enough of the synchronous standbys answer."
            : $"Commits waited for {set.Set}, and too few of them answer: commits that were acknowledged to clients may be lost.") + strict;
    }

    private static string Afterwards(AgentsView agents, Membership membership, VoterId[] left) =>
        $"If {string.Join(" and ", Lost(membership, left).Select(voter => agents.Label(voter.Id.Node)))} come back where they reach each other, and not this side, they may elect a primary of their own. "
        + "Let them come back where they reach this one: they are admitted as new voters, and what only they have is kept on them before their data are made anew.";

    private static VoterId[] Left(AgentsView agents, Membership membership) =>
        [.. membership.Voters.Select(voter => voter.Id).Where(id => agents.Voters.Any(report => report.Voter == id))];

    private static IEnumerable<Voter> Lost(Membership membership, VoterId[] left) => membership.Voters.Where(voter => !left.Contains(voter.Id));

    private static RequestChoice.Refused StillReached(string node, string evidence) =>
        Refuse($"{node} is not seen to be lost", $"{evidence} Two primaries would be the end of it.", "Start repmgrd there, so that a majority decides, or switch the host off first.");

    private static RequestChoice.Refused Refuse(string message, string? detail, string? hint) => new(new Problem(message, detail, hint));
}
