using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Failover.Reports;

/// <summary>What three agents say; node 1 holds term 3, nodes 2 and 3 stream from it.</summary>
internal static class Agents
{
    public static readonly Membership Three = new(new Term(1), 1, [.. Enumerable.Range(1, 3).Select(id => new Voter(OneAgent.Id(id), true))]);

    public static AgentsView View(Func<AgentReport, AgentReport?>? change = null) => new(
    [
        .. Enumerable.Range(1, 3).Select(id => Of(id)).Select(report => change is null ? report : change(report))
            .Select((report, index) => new AgentAnswer(
                new NodeId(index + 1), $"node{index + 1}", report, report is null ? "connection refused" : null)),
    ]);

    /// <summary>Nodes 1 and 2 alone vote, and commits wait for node 2 (R15).</summary>
    public static AgentsView Pair(Func<AgentReport, AgentReport?>? change = null)
    {
        var two = new Membership(new Term(1), 1, [.. Three.Voters.Take(2)]);
        var set = new RememberedSet(new Term(3), 1, SyncSet.Of([new SyncMember(new NodeId(2), 2)], 1), new SyncMember(new NodeId(1), 1)) { Mode = SyncMode.Strict, Wanted = 1 };
        AgentsView all = View(report => report with { Membership = two, Set = set } is var one && change is not null ? change(one) : one);
        return new AgentsView([.. all.Answers.Take(2)]);
    }

    public static AgentReport? Unless(AgentReport report, int silent) => report.Node == new NodeId(silent) ? null : report;

    public static AgentReport Paused(AgentReport report) => report with { Pause = new PauseReport(TimeSpan.FromHours(1), report.Node == new NodeId(1) ? TimeSpan.FromMinutes(50) : null, true) };

    private static AgentReport Of(int id)
    {
        bool holds = id == 1;
        Lsn end = new(id == 3 ? 900UL : 1000UL);
        return new AgentReport
        {
            Node = new NodeId(id),
            Voter = OneAgent.Id(id),
            Name = $"node{id}",
            Pid = 100 + id,
            IsVoter = true,
            Role = holds ? "Serving" : "Voting",
            Ttl = TimeSpan.FromSeconds(3),
            RenewEvery = TimeSpan.FromSeconds(0.5),
            RestartGrace = TimeSpan.FromSeconds(30),
            Term = new Term(3),
            Holder = new NodeId(1),
            LeaseLeft = holds ? TimeSpan.FromSeconds(2.4) : null,
            Promise = holds ? null : new PromiseReport(new NodeId(1), TimeSpan.FromSeconds(2.8)),
            HolderHeardAgo = holds ? null : TimeSpan.FromSeconds(0.2),
            GuardHeardAgo = TimeSpan.FromSeconds(0.1),
            Membership = Three,
            Server = holds ? "writable" : "recovering",
            Position = end,
            Upstream = holds ? null : new NodeId(1),
            Candidacy = new Candidacy(new NodeId(id), OneAgent.First.At(end), OneAgent.First, !holds, false, 100, true, 0),
            Member = new SyncMember(new NodeId(id), (ulong)id),
            History = OneAgent.First,
            Decisions = [new DecisionReport(TimeSpan.FromSeconds(12), "R8", "Votes", "for node 1, term 3", 1)],
        };
    }
}
