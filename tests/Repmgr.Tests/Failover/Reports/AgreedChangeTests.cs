using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Problems;

namespace Repmgr.Tests.Failover.Reports;

/// <summary>What is asked so that the whole cluster goes by other values (R13), and when it is not.</summary>
public sealed class AgreedChangeTests
{
    private static readonly AgreedWish Nothing = new(null, null, null, null);
    private static readonly AgreedWish Quorum = Nothing with { Mode = SyncMode.Quorum };

    [Fact]
    public void It_is_asked_of_the_holder_and_said_what_follows()
    {
        (RequestChoice.Ask ask, string follows) = Assert.Single(Ready(Agents.View(), Quorum with { Count = 2 }));
        Assert.Equal((new NodeId(1), new Request.SetSynchronous(SyncMode.Quorum, 2)), (Assert.Single(ask.Of), ask.Request));
        Assert.EndsWith("to change synchronous from off to quorum with synchronous_node_count 2", ask.Says, StringComparison.Ordinal);
        Assert.Contains("2 of node2 (ID: 2), node3 (ID: 3) have it on disk", follows, StringComparison.Ordinal);
        Assert.Contains("Only 1 of the standbys streams", Assert.Single(Ready(Without(3), Quorum with { Count = 2 })).Follows, StringComparison.Ordinal);
        Assert.Contains("wait for no standby", Assert.Single(Ready(Agents.View(Keeps(SyncMode.Quorum, 1)), Nothing with { Mode = SyncMode.Off })).Follows, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_given_stays_and_what_is_so_already_is_not_asked()
    {
        AgentsView agents = Agents.View(Keeps(SyncMode.Quorum, 2));
        Assert.Empty(Ready(agents, Quorum with { Count = 2, Ttl = Seconds(3) }));
        Assert.Equal(new Request.SetSynchronous(SyncMode.Strict, 2), Assert.Single(Ready(agents, Nothing with { Mode = SyncMode.Strict })).Ask.Request);
        Assert.Equal(new Request.SetSynchronous(SyncMode.Quorum, 1), Assert.Single(Ready(agents, Nothing with { Count = 1 })).Ask.Request);
        RequestChoice.Ask times = Assert.Single(Ready(agents, Nothing with { Ttl = Seconds(10) })).Ask;
        Assert.Equal(new Request.SetTimes(new AgreedTimes(Seconds(10), Seconds(30))), times.Request);
        Assert.EndsWith("to change lease_ttl from 3.0 s to 10 s", times.Says, StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_refused_without_a_holder_a_majority_or_the_standbys_that_strict_needs()
    {
        Assert.Contains("no primary holds the lease", Refusal(Without(1), Quorum), StringComparison.Ordinal);
        Assert.Contains("no majority", Refusal(Agents.View(report => report.Node == new NodeId(1) ? report : null), Quorum), StringComparison.Ordinal);
        Assert.Contains("no write would be acknowledged", Refusal(Without(3), new AgreedWish(SyncMode.Strict, 2, null, null)), StringComparison.Ordinal);
        Assert.Single(Ready(Without(3), new AgreedWish(SyncMode.Strict, 1, null, null)));
    }

    /// <summary>The slowest of those who may hold the lease counts, and nothing is asked before: half of a change would be none that anybody wanted.</summary>
    [Fact]
    public void A_ttl_without_room_for_two_renewals_is_refused_with_the_least_that_has_it()
    {
        Problem problem = Assert.IsType<AgreedChange.Refused>(AgreedChange.Of(Agents.View(), Quorum with { Ttl = Seconds(1) })).Problem;
        Assert.Contains("lease_ttl of 1 s leaves no room for two renewals", problem.Message, StringComparison.Ordinal);
        Assert.Contains("0.1 s are kept for clocks that differ and 0.5 s", problem.Detail, StringComparison.Ordinal);
        Assert.Contains("A lease_ttl of 1.7 s would do", problem.Hint, StringComparison.Ordinal);
        Assert.Single(Ready(Agents.View(), Nothing with { Ttl = Seconds(1.7) }));

        AgentsView slow = Agents.View(report => report.Node == new NodeId(3) ? report with { RenewEvery = Seconds(2) } : report);
        Assert.EndsWith("of node3 (ID: 3)", Refusal(slow, Nothing with { Ttl = Seconds(4) }), StringComparison.Ordinal);
        Assert.Single(Ready(slow, Nothing with { Ttl = Seconds(5) }));
    }

    [Fact]
    public void It_is_so_when_a_majority_remembers_it_and_commits_wait_for_somebody()
    {
        Assert.False(AgreedChange.IsSo(Agents.View(), Quorum));
        Assert.True(AgreedChange.IsSo(Agents.View(Keeps(SyncMode.Quorum, 1, 2)), Quorum));
        Assert.False(AgreedChange.IsSo(Agents.View(Keeps(SyncMode.Quorum, 1)), Quorum));
        Assert.False(AgreedChange.IsSo(Agents.View(report => report.Node == new NodeId(1) ? Keeps(SyncMode.Quorum, 1, 2)(report) : report), Quorum));
        Assert.True(AgreedChange.IsSo(Agents.View(Keeps(SyncMode.Off, 1)), Nothing with { Mode = SyncMode.Off }));
        Assert.False(AgreedChange.IsSo(Agents.View(), Nothing with { Ttl = Seconds(10) }));
        Assert.True(AgreedChange.IsSo(Agents.View(report => report with { Ttl = Seconds(10) }), Nothing with { Ttl = Seconds(10) }));
    }

    private static IReadOnlyList<(RequestChoice.Ask Ask, string Follows)> Ready(AgentsView agents, AgreedWish wish) =>
        Assert.IsType<AgreedChange.Ready>(AgreedChange.Of(agents, wish)).Steps;

    private static string Refusal(AgentsView agents, AgreedWish wish) => Assert.IsType<AgreedChange.Refused>(AgreedChange.Of(agents, wish)).Problem.Message;

    private static Func<AgentReport, AgentReport> Keeps(SyncMode mode, int wanted, params int[] members) => report => report with
    {
        Set = new RememberedSet(new Term(3), 2, Scenes.Set(members.Length, members), Scenes.Member(1)) { Mode = mode, Wanted = wanted },
    };

    private static AgentsView Without(int node) => Agents.View(report => Agents.Unless(report, node));

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
