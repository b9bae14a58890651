using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Core.Failover.Reports;

/// <summary>What the agents of a cluster say together.</summary>
/// <param name="Answers">Of all nodes that are known, by their number.</param>
public sealed record AgentsView(IReadOnlyList<AgentAnswer> Answers)
{
    public IEnumerable<AgentReport> Reports => Answers.Select(answer => answer.Report).OfType<AgentReport>();

    /// <summary>Those who vote.</summary>
    public IEnumerable<AgentReport> Voters => Reports.Where(report => report.IsVoter);

    /// <summary>The newest that any of them remembers.</summary>
    public Membership? Membership => Voters.Select(report => report.Membership).OfType<Membership>()
        .OrderBy(membership => membership.Term).ThenBy(membership => membership.Change).LastOrDefault();

    /// <summary>Who holds the highest term; null: nobody who answers.</summary>
    public AgentReport? Holder => Voters.Where(report => report.IsHolder).OrderBy(report => report.Term).LastOrDefault();

    public Term Term => Voters.Select(report => report.Term).DefaultIfEmpty().Max();

    /// <summary>As the holder has it, who alone knows what is left of it; else as any voter has it.</summary>
    public PauseReport? Pause => Holder is { } holder ? holder.Pause : Voters.Select(report => report.Pause).FirstOrDefault(pause => pause is not null);

    public RememberedSet? Set => Voters.Aggregate((RememberedSet?)null, (newest, report) => RememberedSet.Newest(newest, report.Set));

    /// <summary>As the holder goes by them, else any voter; null: no voter answers.</summary>
    public AgreedTimes? Times => (Holder ?? Voters.FirstOrDefault()) is { } report ? new AgreedTimes(report.Ttl, report.RestartGrace) : null;

    /// <summary>How many agents it takes. Where the lease lies in a store, that is one which the store answers.</summary>
    public int Majority => Membership is not { } membership ? 0 : membership.Store is not null ? 1 : (membership.Voters.Count / 2) + 1;

    /// <summary>The store in which the lease lies, as the holder sees it, else anybody; null: it lies in none.</summary>
    public StoreReport? Store => Membership?.Store is null ? null : Holder?.Store ?? Voters.Select(report => report.Store).FirstOrDefault(store => store is not null);

    /// <summary>Whether these could renew a lease or elect.</summary>
    public bool IsMajority(IReadOnlyCollection<AgentReport> agents) =>
        Membership is { } membership && (membership.Store is null ? membership.IsMajority(agents.Count) : agents.Any(report => report.Store is { IsAnswering: true }));

    /// <summary>The agents that are registered, the store aside.</summary>
    public int Registered => Membership?.Voters.Count(voter => !voter.Id.IsStore) ?? 0;

    public string Label(NodeId node) => Answers.FirstOrDefault(answer => answer.Node == node)?.Label ?? $"node {node}";

    public AgentReport? Of(NodeId node) => Reports.FirstOrDefault(report => report.Node == node);

    /// <summary>Which protection is missing, and what would bring it: whole sentences.</summary>
    public IReadOnlyList<string> Lacks()
    {
        List<string> lacks = [];
        if (Membership is not { } membership)
            return lacks;
        int voters = Registered;
        int silent = membership.Voters.Count(voter => !voter.Id.IsStore && Of(voter.Id.Node) is null or { IsVoter: false });
        if (membership.Store is not null)
            lacks.AddRange(OfStore(voters, silent));
        else if (voters <= FewVoters.TooFew)
            lacks.Add(Few(membership));
        else if (voters % 2 == 0)
            lacks.Add(Say($"There are {voters} voters: they survive no more failures than {voters - 1} would. A witness makes them {voters + 1}."));
        if (silent > 0 && membership.Store is null)
            lacks.Add(Say($"{silent} of {voters} voters do not answer; {Majority} are needed."));
        if (Set is { Mode: not SyncMode.Off, Set.Count: 0 })
            lacks.Add("No standby is in the synchronous set: what is committed now is on one host alone.");
        if (Set is not { Mode: not SyncMode.Off })
            lacks.Add("Commits wait for no standby (synchronous = off): what a silent host alone had is lost.");
        if (Voters.Where(report => membership.Voters.Any(voter => voter.HasData && voter.Id.Node == report.Node)) is var withData && withData.Where(report => !report.HasWatchdog).ToArray() is { Length: > 0 } bare)
            lacks.Add($"Without a hardware watchdog (watchdog_device) an agent and its guard that are frozen together take no server out of service: {string.Join(", ", bare.Select(report => Label(report.Node)))}.");
        if (Holder is { } holder && !(holder.GuardHeardAgo <= holder.Ttl))
            lacks.Add($"The guard of {Label(holder.Node)} does not answer: its lease is not renewed.");
        return lacks;
    }

    private IEnumerable<string> OfStore(int agents, int silent)
    {
        if (agents < 2)
            yield return "There is one node: nobody could take over.";
        if (silent > 0)
            yield return Say($"{silent} of {agents} agents do not answer.");
        foreach (AgentReport report in Voters.Where(report => report.Store is not { IsAnswering: true }))
            yield return $"{Label(report.Node)} does not reach {report.Store?.Kind ?? "etcd"}{(report.Store?.Trouble is { } why ? $": {why}" : "")}. Without it that node can neither hold a lease nor be elected.";
    }

    /// <summary>What holds an election back at this moment, as a clause; null: nothing, or there is no need of one.</summary>
    public string Now()
    {
        if (Membership is null)
            return "no agent that answers is a voter yet";
        if (Pause is { } pause)
            return $"the cluster is paused{Duration.Left(pause.Left)}";
        if (Holder is { } holder)
            return holder.IsServing ? $"{Label(holder.Node)} holds the lease" : $"{Label(holder.Node)} holds term {holder.Term} and is {holder.Role}";
        if (Membership.Store is not null && !IsMajority([.. Voters]))
            return "no agent that answers reaches etcd, where the lease lies";
        if (Alone() is { } alone)
            return alone;
        int free = Voters.Count(report => report is { Promise: null, QuietLeft.Ticks: 0 });
        if (Membership.Store is not null && free == 0)
            return $"no agent is free to stand{Bound()}";
        if (Membership.Store is null && free < Majority)
            return Say($"{free} of {Membership.Voters.Count} voters are free to vote, and a majority is {Majority}{Bound()}");
        return Voters.All(report => report.Candidacy is not { IsEligible: true })
            ? "no node that answers may become primary"
            : "an election is under way";
    }

    private string Few(Membership membership) => membership.Voters.Count < FewVoters.TooFew ? "There is one voter, and no failover: add a node or a witness."
        : FewVoters.StandbyGoesAlone(membership, Set)
            ? "There are two voters: when the primary's host is lost the standby goes on alone, and when the standby is lost writes stop until it is back (synchronous = strict). Add a node or a witness."
            : "There are two voters, and a majority of two is both, so that there is no failover: add a node or a witness.";

    /// <summary>What comes of it that one of two voters is left (R15), as a clause; null: there are more, or they elect nobody without each other.</summary>
    private string? Alone()
    {
        if (Membership is not { } membership || !FewVoters.StandbyGoesAlone(membership, Set) || Voters.ToArray() is not [var left])
            return null;
        NodeId other = membership.Voters.First(voter => voter.Id.Node != left.Node).Id.Node;
        return left.Member is { } member && Set!.Set.Members.Contains(member)
            ? $"{Label(left.Node)} goes on without {Label(other)} when nothing has come from it for {Duration.Of(left.Ttl)}, if it has streamed since its agent was started"
            : $"{Label(left.Node)} takes no writes without {Label(other)}, for which its commits would wait (synchronous = strict)";
    }

    private string Bound()
    {
        string[] bound = [.. Voters.Where(report => report.Promise is not null || report.QuietLeft > TimeSpan.Zero).Select(report => report.Promise is { } promise
            ? $"{Label(report.Node)} gave its word to node {promise.To} for {Duration.Of(promise.Left)}"
            : $"{Label(report.Node)} was just started and votes in {Duration.Of(report.QuietLeft)}")];
        return bound.Length == 0 ? "" : $": {string.Join(", ", bound)}";
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Lengths of time for people.</summary>
public static class Duration
{
    public static string Of(TimeSpan time) => time.TotalSeconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, time.TotalSeconds):0.0} s"),
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0} s"),
        < 7200 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.#} h"),
    };

    /// <summary>To be put behind a statement; empty when it is not known.</summary>
    public static string Left(TimeSpan? time) => time is { } left ? $", for {Of(left)} more" : "";
}
