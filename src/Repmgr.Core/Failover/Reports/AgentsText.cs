using System.Globalization;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Core.Failover.Reports;

/// <summary>How failover stands, in lines for people.</summary>
public static class AgentsText
{
    /// <summary>Who holds the lease, who votes, what commits wait for, whether it is paused.</summary>
    public static IReadOnlyList<string> Summary(AgentsView agents)
    {
        ArgumentNullException.ThrowIfNull(agents);
        List<string> lines = [];
        if (agents.Membership is not { } membership)
        {
            lines.Add("failover: automatic, and not begun: no agent that answers is a voter");
        }
        else
        {
            lines.Add(Lease(agents));
            lines.Add(Voters(agents, membership));
            lines.Add($"synchronous: {Set(agents)}");
            lines.AddRange(agents.Times is { } times ? [$"agreed on: {Times(times)}"] : Array.Empty<string>());
        }

        lines.AddRange(Promises(agents));
        if (agents.Pause is { } pause)
            lines.Add($"PAUSED{Duration.Left(pause.Left)}{(pause.IsInForce ? ": nobody is elected, and no server is taken out of service" : ", but not in force: no majority has acknowledged it")}");
        lines.AddRange(agents.Answers.Where(answer => answer.Report is null).Select(answer => $"no answer from the agent of {answer.Label}: {answer.Silence}"));
        lines.AddRange(agents.Reports.Where(report => report is { IsVoter: false }).Select(report => $"{agents.Label(report.Node)} is no voter{(report.Waits is { } waits ? $": {waits}" : "")}"));
        return lines;
    }

    /// <summary>What the cluster remembers and goes by, whatever the files of its nodes say (R13): as it would stand in them.</summary>
    public static string Agreed(AgentsView agents)
    {
        ArgumentNullException.ThrowIfNull(agents);
        string mode = (agents.Set?.Mode ?? SyncMode.Off).ToString().ToLowerInvariant();
        string count = agents.Set is { Mode: not SyncMode.Off } set ? string.Create(CultureInfo.InvariantCulture, $", synchronous_node_count = {set.Wanted}") : "";
        return $"synchronous = {mode}{count}{(agents.Times is { } times ? $", {Times(times)}" : "")}";
    }

    private static string Times(AgreedTimes times) => $"lease_ttl = {Setting(times.Ttl)}, agent_restart_grace = {Setting(times.RestartGrace)}";

    private static string Setting(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{(time.Ticks % TimeSpan.TicksPerSecond == 0 ? $"{time.TotalSeconds:0}s" : $"{time.TotalMilliseconds:0}ms")}");

    private static string Voters(AgentsView agents, Membership membership)
    {
        int answering = agents.Voters.Count(report => membership.Voters.Any(voter => voter.Id.Node == report.Node));
        if (membership.Store is null)
            return string.Create(CultureInfo.InvariantCulture, $"voters: {answering} of {membership.Voters.Count} answer, {agents.Majority} are needed{Witnesses(membership)}");
        string store = agents.Store switch
        {
            null => "etcd, WHICH NO AGENT REACHES",
            { IsAnswering: true } known => $"{known.Kind}, at {known.Place}, which answers",
            { } known => $"{known.Kind}, at {known.Place}, WHICH DOES NOT ANSWER: {known.Trouble}",
        };
        return string.Create(CultureInfo.InvariantCulture, $"lease store: {store}; agents: {answering} of {agents.Registered} answer");
    }

    private static string Lease(AgentsView agents) => agents.Holder switch
    {
        { IsServing: true, LeaseLeft: var left } holder when !(left > TimeSpan.Zero) => $"failover: automatic; term {holder.Term} is held by {agents.Label(holder.Node)}, whose lease is over: it takes writes because failover is paused",
        { IsServing: true } holder => $"failover: automatic; term {holder.Term} is held by {agents.Label(holder.Node)}, whose lease lasts {Duration.Of(holder.LeaseLeft!.Value)} and is renewed all the time",
        { } holder => $"failover: automatic; term {holder.Term} is held by {agents.Label(holder.Node)}, which is {holder.Role} and takes no writes",
        null => $"failover: automatic; NOBODY holds term {agents.Term}: {agents.Now()}",
    };

    private static string Witnesses(Membership membership) =>
        membership.Voters.Count(voter => !voter.HasData) is > 0 and var witnesses ? string.Create(CultureInfo.InvariantCulture, $"; witnesses: {witnesses}") : "";

    private static string Set(AgentsView agents) => agents.Set switch
    {
        null or { Mode: SyncMode.Off } => "off, commits wait for no standby",
        { Set.Count: 0, Mode: var mode } => $"{(mode == SyncMode.Strict ? "strict" : "quorum")}, and no standby is in the set: commits wait for one again when it has caught up",
        { Mode: SyncMode.Strict } set => $"strict, commits wait for {set.Set}",
        { } set => $"quorum, commits wait for {set.Set}",
    };

    // With a lease that is renewed they are a matter of course.
    private static IEnumerable<string> Promises(AgentsView agents) => agents.Holder is { IsServing: true } ? [] : agents.Voters
        .Where(report => report.Promise is not null)
        .Select(report => $"{agents.Label(report.Node)} gave its word to node {report.Promise!.To} for {Duration.Of(report.Promise.Left)}");
}
