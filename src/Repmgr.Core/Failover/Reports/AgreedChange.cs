using System.Globalization;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Failover.Reports;

/// <summary>What an operator wants the whole cluster to go by, whatever stands in the files of its nodes (R13). Null: as it is.</summary>
/// <param name="Mode"><c>synchronous</c></param>
/// <param name="Count"><c>synchronous_node_count</c></param>
/// <param name="Ttl"><c>lease_ttl</c></param>
/// <param name="RestartGrace"><c>agent_restart_grace</c></param>
public sealed record AgreedWish(SyncMode? Mode, int? Count, TimeSpan? Ttl, TimeSpan? RestartGrace)
{
    public bool IsEmpty => this == new AgreedWish(null, null, null, null);
}

/// <summary>What is asked of the holder's agent for that, decided from what the agents say.</summary>
public abstract record AgreedChange
{
    private AgreedChange() { }

    public sealed record Refused(Problem Problem) : AgreedChange;

    /// <summary>Ask this, one after the other; none: the cluster goes by it already.</summary>
    /// <param name="Steps">With what each brings, as a whole sentence; empty: nothing that has to be said.</param>
    public sealed record Ready(IReadOnlyList<(RequestChoice.Ask Ask, string Follows)> Steps) : AgreedChange;

    public static AgreedChange Of(AgentsView agents, AgreedWish wish)
    {
        ArgumentNullException.ThrowIfNull(agents);
        ArgumentNullException.ThrowIfNull(wish);
        if (agents.Holder is not { IsServing: true } holder)
            return new Refused(new Problem("no primary holds the lease, and only its agent can change what the cluster goes by", $"At this moment, {agents.Now()}.", "\"repmgr cluster explain\" says what it waits for."));
        if (agents.Voters.Count() < agents.Majority)
            return new Refused(new Problem("no majority of the agents answers, and the change would reach none", string.Join("; ", AgentsText.Summary(agents)) + ".", "Start repmgrd on the nodes that do not answer."));

        var times = new AgreedTimes(wish.Ttl ?? holder.Ttl, wish.RestartGrace ?? holder.RestartGrace);
        if (Unsound(agents, times) is { } unsound)
            return new Refused(unsound);
        List<(RequestChoice.Ask, string)> steps = [];
        (SyncMode mode, int count) = (agents.Set?.Mode ?? SyncMode.Off, agents.Set?.Wanted ?? 1);
        var set = new Request.SetSynchronous(wish.Mode ?? mode, wish.Count ?? count);
        if ((set.Mode, set.Count) != (mode, count))
        {
            if (Obstacle(agents, holder, set) is { } obstacle)
                return new Refused(obstacle);
            steps.Add((Ask(agents, holder, set, $"change synchronous from {Text(mode, count)} to {Text(set.Mode, set.Count)}"), Follows(agents, holder, set)));
        }

        if (times != new AgreedTimes(holder.Ttl, holder.RestartGrace))
            steps.Add((Ask(agents, holder, new Request.SetTimes(times), $"change {string.Join(" and ", Changed(holder, times))}"), ""));
        return new Ready(steps);
    }

    /// <summary>Anybody with data may be the next holder, and renews as its file says: the slowest counts.</summary>
    private static Problem? Unsound(AgentsView agents, AgreedTimes times) => agents.Voters
        .Where(report => report.Candidacy is not null || report.IsHolder)
        .OrderByDescending(report => report.RenewEvery)
        .Select(report => LeaseTimes.Unsound(new AgentPolicy { RenewEvery = report.RenewEvery }.Under(times)) is { } unsound
            ? unsound with { Message = $"{unsound.Message} of {agents.Label(report.Node)}" }
            : null)
        .FirstOrDefault();

    private static IEnumerable<string> Changed(AgentReport holder, AgreedTimes times)
    {
        if (times.Ttl != holder.Ttl)
            yield return $"lease_ttl from {Duration.Of(holder.Ttl)} to {Duration.Of(times.Ttl)}";
        if (times.RestartGrace != holder.RestartGrace)
            yield return $"agent_restart_grace from {Duration.Of(holder.RestartGrace)} to {Duration.Of(times.RestartGrace)}";
    }

    /// <summary>A majority of the agents remembers what was wanted; and where commits are to wait for standbys, some are in the set.</summary>
    public static bool IsSo(AgentsView agents, AgreedWish wish)
    {
        ArgumentNullException.ThrowIfNull(agents);
        ArgumentNullException.ThrowIfNull(wish);
        bool isKnown = agents.Voters.Count(report => Remembers(report, wish)) >= agents.Majority;
        bool isOff = agents.Set is null or { Mode: SyncMode.Off };
        bool hasSet = isOff ? agents.Set is null or { Set.Count: 0 } : agents.Set is { Set.Count: > 0 } set && !set.Set.Members.Any(member => member.IsNobody);
        return isKnown && (wish is { Mode: null, Count: null } || hasSet);
    }

    private static bool Remembers(AgentReport report, AgreedWish wish) =>
        (wish.Mode is not { } mode || (report.Set?.Mode ?? SyncMode.Off) == mode) && (wish.Count is not { } count || (report.Set?.Wanted ?? 1) == count)
        && (wish.Ttl is not { } ttl || report.Ttl == ttl) && (wish.RestartGrace is not { } grace || report.RestartGrace == grace);

    private static Problem? Obstacle(AgentsView agents, AgentReport holder, Request.SetSynchronous set)
    {
        int there = Streaming(agents, holder).Count();
        return set.Mode == SyncMode.Strict && there < set.Count
            ? new Problem(
                string.Create(CultureInfo.InvariantCulture, $"with synchronous = strict and synchronous_node_count = {set.Count} no write would be acknowledged"),
                string.Create(CultureInfo.InvariantCulture, $"Each commit would wait for {set.Count}, and {there} of the standbys {(there == 1 ? "streams" : "stream")} from {agents.Label(holder.Node)}."),
                "Bring the others back first, or use a smaller --synchronous-node-count, or --synchronous=quorum.")
            : null;
    }

    private static string Follows(AgentsView agents, AgentReport holder, Request.SetSynchronous set)
    {
        string[] there = [.. Streaming(agents, holder).Select(report => agents.Label(report.Node))];
        string waits = string.Create(CultureInfo.InvariantCulture, $"Each commit then waits until {set.Count} of {string.Join(", ", there)} {(set.Count == 1 ? "has" : "have")} it on disk");
        return set.Mode switch
        {
            SyncMode.Off => "Commits then wait for no standby: what none has received is lost with a host that falls silent.",
            SyncMode.Strict => $"{waits}; while fewer are there, no write is acknowledged.",
            _ when there.Length == 0 => "No standby streams at the moment: commits wait for none until one does.",
            _ when there.Length < set.Count => $"Only {there.Length} of the standbys {(there.Length == 1 ? "streams" : "stream")}: commits wait for as many as there are.",
            _ => $"{waits}; where fewer are there, for as many as there are.",
        };
    }

    private static IEnumerable<AgentReport> Streaming(AgentsView agents, AgentReport holder) =>
        agents.Voters.Where(report => report.Server == "recovering" && report.Upstream == holder.Node);

    private static RequestChoice.Ask Ask(AgentsView agents, AgentReport holder, Request request, string what) =>
        new([holder.Node], request, $"ask the agent of {agents.Label(holder.Node)}, which holds the lease, to {what}");

    private static string Text(SyncMode mode, int count) =>
        mode == SyncMode.Off ? "off" : string.Create(CultureInfo.InvariantCulture, $"{mode.ToString().ToLowerInvariant()} with synchronous_node_count {count}");
}
