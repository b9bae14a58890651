using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Tests.Failover.Reports;

/// <summary>Going on without a majority: only where nothing contradicts the operator, and its price is said first (R18).</summary>
public sealed class LostMajorityTests
{
    private static readonly NodeId Third = new(3);

    [Fact]
    public void The_agent_of_the_node_is_asked_with_those_that_answer_17()
    {
        var ask = Assert.IsType<RequestChoice.Ask>(LostMajority.Choose(OnlyThird(), Third, [Third]));
        var request = Assert.IsType<Request.GoOnWithoutMajority>(ask.Request);
        Assert.Equal((Third, new Term(3)), (Assert.Single(ask.Of), request.Known));
        Assert.Equal(OneAgent.Id(3), Assert.Single(request.Reachable));
        Assert.Contains("node1 (ID: 1), node2 (ID: 2) are lost for good", ask.Says, StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_refused_while_a_majority_answers_or_anything_reaches_those_that_are_to_be_lost_17()
    {
        Assert.Contains("a majority of the agents answers", Refusal(Agents.View(report => Agents.Unless(report, 1)), []), StringComparison.Ordinal);
        Assert.Contains("node1 (ID: 1) is not seen to be lost", Refusal(OnlyThird(), [new NodeId(1)]), StringComparison.Ordinal);
        Assert.Contains("node2 (ID: 2) is not seen to be lost", Refusal(OnlyThird(), [Third, new NodeId(2)]), StringComparison.Ordinal);
        Assert.Contains("not seen to be lost", Refusal(OnlyThird(report => report with { Upstream = new NodeId(1) }), []), StringComparison.Ordinal);
        Assert.Contains("not seen to be lost", Refusal(OnlyThird(report => report with { Promise = new PromiseReport(new NodeId(1), TimeSpan.FromSeconds(1)) }), []), StringComparison.Ordinal);
        Assert.Contains("paused", Refusal(OnlyThird(Agents.Paused), []), StringComparison.Ordinal);
        Assert.Contains("cannot become primary", Refusal(OnlyThird(report => report with { Ineligible = "its priority is 0" }), []), StringComparison.Ordinal);
        // Its agent answers, and has forgotten what it voted: that is no voter.
        Assert.IsType<RequestChoice.Ask>(LostMajority.Choose(
            Agents.View(report => report.Node == Third ? Bare(report) : report.Node == new NodeId(2) ? Bare(report) with { Voter = new VoterId(new NodeId(2), 99) } : null), Third, []));
    }

    [Fact]
    public void What_it_may_cost_is_said()
    {
        string said = string.Join(' ', LostMajority.Estimate(OnlyThird(report => report with { HolderPosition = OneAgent.At(1000) })));
        Assert.Contains("100 bytes of that are on none of the servers that answer", said, StringComparison.Ordinal);
        Assert.Contains("synchronous = off", said, StringComparison.Ordinal);
        Assert.Contains("node1 (ID: 1) and node2 (ID: 2) come back", said, StringComparison.Ordinal);

        RememberedSet both = new(new Term(3), 1, Scenes.Set(2, 2, 3), Scenes.Member(1)) { Mode = SyncMode.Strict, Wanted = 2 };
        string strict = string.Join(' ', LostMajority.Estimate(OnlyThird(report => report with { Set = both })));
        Assert.Contains("nothing is lost", strict, StringComparison.Ordinal);
        Assert.Contains("before 2 of the standbys are back", strict, StringComparison.Ordinal);
        RememberedSet one = both with { Set = Scenes.Set(1, 2, 3), Mode = SyncMode.Quorum };
        Assert.Contains("may be lost", string.Join(' ', LostMajority.Estimate(OnlyThird(report => report with { Set = one }))), StringComparison.Ordinal);
    }

    private static string Refusal(AgentsView agents, IReadOnlyCollection<NodeId> answering) =>
        Assert.IsType<RequestChoice.Refused>(LostMajority.Choose(agents, Third, answering)).Problem.Message;

    private static AgentsView OnlyThird(Func<AgentReport, AgentReport>? change = null) =>
        Agents.View(report => report.Node == Third ? (change ?? (same => same))(Bare(report)) : null);

    private static AgentReport Bare(AgentReport report) => report with { Upstream = null, Promise = null, Holder = null };
}
