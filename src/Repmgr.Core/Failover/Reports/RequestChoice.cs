using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Failover.Reports;

/// <summary>Of whom a command asks what it is to bring about (R18), decided from what the agents say.</summary>
public abstract record RequestChoice
{
    /// <summary>How far behind a standby may be that is to be the primary, in bytes, without being forced: what it lacks is waited for without a primary.</summary>
    private const ulong Near = 64 * 1024 * 1024;

    private RequestChoice() { }

    /// <summary>It is not to be asked.</summary>
    public sealed record Refused(Problem Problem) : RequestChoice;

    /// <summary>Ask these, one after the other.</summary>
    /// <param name="Of">Whose agents.</param>
    /// <param name="Request">What.</param>
    /// <param name="Says">What that does, for a dry run: a clause.</param>
    public sealed record Ask(IReadOnlyList<NodeId> Of, Request Request, string Says) : RequestChoice;

    /// <summary>Nothing is to be asked: it comes about by itself.</summary>
    public sealed record Wait(string Says) : RequestChoice;

    /// <summary>A pause (R14).</summary>
    public static RequestChoice Pause(AgentsView agents, TimeSpan length)
    {
        ArgumentNullException.ThrowIfNull(agents);
        if (agents.Pause is { } pause)
        {
            return Refuse(
                "failover is paused already", $"It is paused{Duration.Left(pause.Left)}.", "To change for how long, run \"repmgr service unpause\" first.");
        }

        return agents.Holder is { } holder
            ? new Ask([holder.Node], new Request.Pause(length), $"ask the agent of {agents.Label(holder.Node)}, which holds the lease, to pause failover for {Duration.Of(length)}")
            : Refuse("no node holds the lease, and only its holder can pause failover", $"At this moment, {agents.Now()}.", "Wait until there is a primary; \"repmgr cluster explain\" says what for.");
    }

    /// <summary>The end of a pause.</summary>
    public static RequestChoice Unpause(AgentsView agents)
    {
        ArgumentNullException.ThrowIfNull(agents);
        if (agents.Pause is not { } pause)
            return agents.Voters.Any() ? Refuse("failover is not paused", null, null) : Refuse("no agent answers", Silences(agents), "Start repmgrd on the nodes.");
        return agents.Holder is { } holder
            ? new Ask([holder.Node], new Request.Resume(), $"ask the agent of {agents.Label(holder.Node)}, which holds the lease, to end the pause")
            : Refuse(
                "the node that paused failover does not answer, and only it can end the pause",
                $"The others do not know whether it still is the primary: the pause was made for {Duration.Of(pause.Length)}, and in a pause nothing takes a primary out of service. {Silences(agents)}",
                "Start repmgrd there. If its host is down for certain, run \"repmgr service unpause --holder-is-down\".");
    }

    /// <summary>The end of a pause on the operator's word that its holder is down: only where nothing says otherwise (R14).</summary>
    /// <param name="agents">What they say.</param>
    /// <param name="answering">Nodes whose servers let us in, or refused to: whose hosts are up.</param>
    public static RequestChoice UnpauseWithoutHolder(AgentsView agents, IReadOnlyCollection<NodeId> answering)
    {
        ArgumentNullException.ThrowIfNull(agents);
        ArgumentNullException.ThrowIfNull(answering);
        if (agents.Pause is null || agents.Holder is not null)
            return Unpause(agents) is Ask ask ? Refuse($"{agents.Label(ask.Of[0])} holds the lease and answers", null, "Run \"repmgr service unpause\" without --holder-is-down.") : Unpause(agents);
        AgentReport[] paused = [.. agents.Voters.Where(report => report.Pause is not null)];
        NodeId? holder = paused.OrderBy(report => report.Term).Select(report => report.Holder).LastOrDefault(node => node is not null);
        string name = holder is { } known ? agents.Label(known) : "the primary";
        if (holder is { } up && answering.Contains(up))
            return StillReached(name, $"The server of {name} answers from here.");
        if (holder is { } live && agents.Of(live) is not null)
            return StillReached(name, $"Its agent answers: it is {agents.Of(live)!.Role}.");
        foreach (AgentReport report in paused)
        {
            if (report.Upstream is { } upstream)
                return StillReached(name, $"The server of {agents.Label(report.Node)} still receives from node {upstream}.");
            if (report.HolderHeardAgo < report.Ttl)
                return StillReached(name, $"{agents.Label(report.Node)} heard it {Duration.Of(report.HolderHeardAgo!.Value)} ago.");
        }

        return new Ask(
            [.. paused.Select(report => report.Node)], new Request.ResumeWithoutHolder(),
            $"end the pause at {string.Join(", ", paused.Select(report => agents.Label(report.Node)))}, on your word that {name} is down");
    }

    /// <summary>The change of the primary to a node.</summary>
    /// <param name="agents">What they say.</param>
    /// <param name="node">Who is to be the primary.</param>
    /// <param name="isForced">However far it is behind.</param>
    public static RequestChoice Promote(AgentsView agents, NodeId node, bool isForced)
    {
        ArgumentNullException.ThrowIfNull(agents);
        if (agents.Of(node) is not { } own)
            return Refuse($"the agent of {agents.Label(node)} does not answer", Silences(agents), "Start repmgrd there.");
        if (!own.IsVoter)
            return Refuse($"{agents.Label(node)} takes no part in failover yet", own.Waits is { } waits ? $"{waits}." : null, null);
        if (own.IsServing)
            return Refuse($"{agents.Label(node)} is the primary already", null, null);
        if (agents.Pause is { } pause)
            return Refuse($"failover is paused{Duration.Left(pause.Left)}", "While it is paused nobody is elected.", "Run \"repmgr service unpause\" first.");
        if (own.Ineligible is { } obstacle)
            return Refuse($"{agents.Label(node)} cannot become primary", $"The reason: {obstacle}.", null);
        if (agents.Holder is null && agents.Voters.Count() < agents.Majority)
        {
            return Refuse(
                "too few agents answer for an election", Silences(agents),
                "Start repmgrd there. Where a majority is lost for good, \"repmgr standby promote --without-majority=CLUSTER --dry-run\" says what it would cost to go on without them.");
        }

        if (agents.Holder is not { } holder)
            return new Wait($"no node holds the lease: an election comes by itself, and {agents.Label(node)} stands if it is the best candidate");
        int others = agents.Voters.Count(report => report.Node != holder.Node);
        if (others + 1 < agents.Majority)
            return Refuse("too few agents answer for an election", Silences(agents), null);
        ulong lacks = holder.Position is { } written && own.Position is { } has && has < written ? (ulong)(written - has) : 0;
        return lacks > Near && !isForced
            ? Refuse(
                $"{agents.Label(node)} lags too far behind",
                string.Create(CultureInfo.InvariantCulture, $"It lacks {lacks} bytes of WAL. While it fetches them there is no primary."),
                "Wait until it has caught up, or use --force.")
            : new Ask([holder.Node], new Request.HandOver(node), $"ask the agent of {agents.Label(holder.Node)}, which holds the lease, to stop its server and hand over to {agents.Label(node)}");
    }

    private static Refused StillReached(string holder, string evidence) => Refuse(
        $"{holder} is not seen to be down", $"{evidence} Two primaries would be the end of it.", "Switch its host off first, or start repmgrd there and run \"repmgr service unpause\".");

    private static string Silences(AgentsView agents)
    {
        string[] silent = [.. agents.Answers.Where(answer => answer.Report is null).Select(answer => $"{answer.Label}: {answer.Silence}")];
        return silent.Length == 0 ? "All agents answer." : $"No answer from {string.Join("; ", silent)}.";
    }

    private static Refused Refuse(string message, string? detail, string? hint) => new(new Problem(message, detail, hint));
}
