using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Tests.Failover.Reports;

/// <summary>What would come of the loss of a node (R17).</summary>
public sealed class WhatIfTests
{
    [Fact]
    public void The_best_candidate_takes_over_and_what_a_silent_host_takes_with_it_is_said()
    {
        WhatIf lost = Lost(1, report => report.Node == new NodeId(1) ? report with { Position = OneAgent.At(1064) } : report);
        Assert.Equal((WhatIfOutcome.FailedOver, new NodeId(2)), (lost.Outcome, lost.Successor));
        Assert.Equal(
            "node2 (ID: 2) would be the primary, after 3.0 s if its host is silent, at once if only its server ends. With a silent host the newest 64 bytes of WAL would be lost as of now.",
            lost.Says);
    }

    [Fact]
    public void A_candidate_behind_one_that_may_not_stand_fetches_from_it()
    {
        WhatIf lost = Lost(1, report => report.Node == new NodeId(2) ? report with { Candidacy = report.Candidacy! with { IsEligible = false }, Ineligible = "its priority is 0" } : report);
        Assert.Equal(new NodeId(3), lost.Successor);
        Assert.Contains("first fetch the WAL that it lacks from node2", lost.Says, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_majority_there_is_no_election() => IsRefused("R6", Lost(1, report => Agents.Unless(report, 3)), "1 of 3 voters would be left, and a majority is 2");

    [Fact]
    public void In_a_pause_nothing_happens() => IsRefused("R14", Lost(1, Agents.Paused), "the cluster is paused, for 50 min more");

    [Fact]
    public void Where_nobody_may_stand_each_says_why() => IsRefused(
        "R7",
        Lost(1, report => report with { Candidacy = report.Candidacy! with { IsEligible = false }, Ineligible = report.Node == new NodeId(2) ? "its priority is 0" : "its server is down" }),
        "node2 (ID: 2): its priority is 0; node3 (ID: 3): its server is down");

    [Fact]
    public void Where_the_set_does_not_answer_nobody_is_elected()
    {
        // Two of three have every commit; one of them is lost with the holder, and the other has been made anew.
        var set = new RememberedSet(new Term(3), 1, SyncSet.Of([new SyncMember(new NodeId(2), 2), new SyncMember(new NodeId(3), 9)], 1), new SyncMember(new NodeId(1), 1));
        IsRefused("R9", Lost(1, report => report with { Set = set }), "too few of");
        var small = set with { Set = SyncSet.Of([new SyncMember(new NodeId(2), 2)], 1) };
        WhatIf lost = Lost(1, report => report with { Set = small });
        Assert.Equal(new NodeId(2), lost.Successor);
        Assert.EndsWith("No acknowledged commit would be lost.", lost.Says, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_two_voters_the_standby_goes_on_alone_and_the_primary_does_not()
    {
        WhatIf primary = WhatIf.Lost(Agents.Pair(), new NodeId(1));
        Assert.Equal((WhatIfOutcome.FailedOver, new NodeId(2)), (primary.Outcome, primary.Successor));
        Assert.StartsWith("node2 (ID: 2) would go on alone, 3.0 s after it received something for the last time", primary.Says, StringComparison.Ordinal);
        WhatIf standby = WhatIf.Lost(Agents.Pair(), new NodeId(2));
        Assert.Equal((WhatIfOutcome.Stopped, "R15"), (standby.Outcome, standby.Gate));
        Assert.StartsWith("Writes would stop at once", standby.Says, StringComparison.Ordinal);
        Assert.Equal(WhatIfOutcome.Kept, WhatIf.Lost(Agents.Pair(report => report with { Set = report.Set! with { Set = SyncSet.Empty } }), new NodeId(2)).Outcome);
        IsRefused("R15", WhatIf.Lost(Agents.Pair(report => report with { Upstream = null }), new NodeId(1)), "it does not stream, and its memory may be old");
        IsRefused("R15", WhatIf.Lost(Agents.Pair(report => report with { Member = new SyncMember(report.Node, 9) }), new NodeId(1)), "it is not in the synchronous set");
        IsRefused("R6", WhatIf.Lost(Agents.Pair(report => report with { Set = null }), new NodeId(1)), "1 of 2 voters would be left");
    }

    [Fact]
    public void The_loss_of_a_standby_is_said_to_matter_when_it_does()
    {
        Assert.Equal("node1 (ID: 1) would stay the primary. The loss of one more voter would stop it.", Lost(2).Says);
        WhatIf stopped = Lost(2, report => Agents.Unless(report, 3));
        Assert.Equal((WhatIfOutcome.Stopped, "R2"), (stopped.Outcome, stopped.Gate));
        Assert.Contains("would take itself out of service within 3.0 s", stopped.Says, StringComparison.Ordinal);
        Assert.Equal(WhatIfOutcome.Kept, Lost(2, report => Agents.Unless(report, 3) is { } one ? Agents.Paused(one) : null).Outcome);
    }

    [Fact]
    public void Nobody_who_answers_is_said_to_decide_nothing() => IsRefused("R1", Lost(1, _ => null), "No agent that answers is a voter");

    private static void IsRefused(string gate, WhatIf what, string says)
    {
        Assert.Equal((WhatIfOutcome.NoPrimary, gate), (what.Outcome, what.Gate));
        Assert.Null(what.Successor);
        Assert.Contains(says, what.Says, StringComparison.Ordinal);
    }

    private static WhatIf Lost(int node, Func<AgentReport, AgentReport?>? change = null) => WhatIf.Lost(Agents.View(change), new NodeId(node));
}
