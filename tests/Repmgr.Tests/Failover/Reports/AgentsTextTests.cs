using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Tests.Failover.Reports;

/// <summary>How failover stands, as people read it.</summary>
public sealed class AgentsTextTests
{
    [Fact]
    public void All_is_well() => Assert.Equal(
        """
        failover: automatic; term 3 is held by node1 (ID: 1), whose lease lasts 2.4 s and is renewed all the time
        voters: 3 of 3 answer, 2 are needed
        synchronous: off, commits wait for no standby
        agreed on: lease_ttl = 3s, agent_restart_grace = 30s
        """,
        Of(Agents.View()));

    [Fact]
    public void A_pause_and_an_agent_that_does_not_answer() => Assert.Equal(
        """
        failover: automatic; term 3 is held by node1 (ID: 1), whose lease lasts 2.4 s and is renewed all the time
        voters: 2 of 3 answer, 2 are needed
        synchronous: off, commits wait for no standby
        agreed on: lease_ttl = 3s, agent_restart_grace = 30s
        PAUSED, for 50 min more: nobody is elected, and no server is taken out of service
        no answer from the agent of node3 (ID: 3): connection refused
        """,
        Of(Agents.View(report => Agents.Unless(report, 3) is { } left ? Agents.Paused(left) : null)));

    [Fact]
    public void Nobody_holds_the_lease() => Assert.Equal(
        """
        failover: automatic; NOBODY holds term 3: 0 of 3 voters are free to vote, and a majority is 2: node2 (ID: 2) gave its word to node 1 for 2.8 s, node3 (ID: 3) gave its word to node 1 for 2.8 s
        voters: 2 of 3 answer, 2 are needed
        synchronous: off, commits wait for no standby
        agreed on: lease_ttl = 3s, agent_restart_grace = 30s
        node2 (ID: 2) gave its word to node 1 for 2.8 s
        node3 (ID: 3) gave its word to node 1 for 2.8 s
        no answer from the agent of node1 (ID: 1): connection refused
        """,
        Of(Agents.View(report => Agents.Unless(report, 1))));

    [Fact]
    public void What_is_missing_is_said_with_what_would_bring_it()
    {
        IReadOnlyList<string> lacks = Agents.View(report => Agents.Unless(report, 3) is { } left ? left with { GuardHeardAgo = TimeSpan.FromSeconds(9) } : null).Lacks();
        Assert.Equal(4, lacks.Count);
        Assert.Equal("1 of 3 voters do not answer; 2 are needed.", lacks[0]);
        Assert.Contains(lacks, lack => lack.Contains("synchronous = off", StringComparison.Ordinal));
        Assert.Contains(lacks, lack => lack.Contains("watchdog", StringComparison.Ordinal));
        Assert.Contains(lacks, lack => lack.Contains("guard of node1", StringComparison.Ordinal));
    }

    [Fact]
    public void Two_voters_in_strict_mode_fail_over_one_way()
    {
        Assert.Contains("when the standby is lost writes stop until it is back", Agents.Pair().Lacks()[0], StringComparison.Ordinal);
        Assert.Contains("so that there is no failover", Agents.Pair(report => report with { Set = null }).Lacks()[0], StringComparison.Ordinal);
        Assert.Equal(
            "node1 (ID: 1) takes no writes without node2 (ID: 2), for which its commits would wait (synchronous = strict)",
            Agents.Pair(report => Agents.Unless(report, 2) is { } left ? left with { Holder = null } : null).Now());
        Assert.StartsWith(
            "node2 (ID: 2) goes on without node1 (ID: 1) when nothing has come from it for 3.0 s", Agents.Pair(report => Agents.Unless(report, 1)).Now(), StringComparison.Ordinal);
    }

    [Fact]
    public void Who_goes_on_alone_has_no_standby_that_its_commits_wait_for()
    {
        AgentsView alone = Agents.Pair(report => report with { Set = report.Set! with { Set = SyncSet.Empty } });
        Assert.Contains("synchronous: strict, and no standby is in the set: commits wait for one again when it has caught up", Of(alone), StringComparison.Ordinal);
        Assert.Contains("No standby is in the synchronous set: what is committed now is on one host alone.", alone.Lacks());
    }

    private static string Of(AgentsView agents) => string.Join('\n', AgentsText.Summary(agents));
}
