using Repmgr.Cli.Commands;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Tests.Failover.Store;

namespace Repmgr.Tests.Failover.Reports;

/// <summary>What is said of a lease that lies in a store: two nodes, of which node 1 holds term 3.</summary>
public sealed class StoreReportTests
{
    private static readonly StoreReport Answers = new("etcd", "/repmgr/0000000000000abc/", TimeSpan.FromSeconds(0.2), null);
    private static readonly StoreReport Silent = new("etcd", "/repmgr/0000000000000abc/", TimeSpan.FromSeconds(20), "etcd1:2379: connection refused");

    [Fact]
    public void The_summary_says_where_the_lease_lies_and_whether_that_answers()
    {
        Assert.Equal("lease store: etcd, at /repmgr/0000000000000abc/, which answers; agents: 2 of 2 answer", Line(View(_ => Answers)));
        Assert.Equal(
            "lease store: etcd, at /repmgr/0000000000000abc/, WHICH DOES NOT ANSWER: etcd1:2379: connection refused; agents: 2 of 2 answer", Line(View(_ => Silent)));
        Assert.Equal("lease store: etcd, WHICH NO AGENT REACHES; agents: 2 of 2 answer", Line(View(_ => null)));

        static string Line(AgentsView view) => AgentsText.Summary(view)[1];
    }

    [Fact]
    public void The_JSON_says_it_and_what_was_agreed_on()
    {
        FailoverJson json = FailoverJson.Of(View(_ => Answers));
        Assert.Equal("etcd", json.LeaseStore);
        Assert.Equal(new LeaseStoreJson("/repmgr/0000000000000abc/", Answering: true, null), json.Store);
        Assert.Equal(new LeaseStoreJson("/repmgr/0000000000000abc/", Answering: false, "etcd1:2379: connection refused"), FailoverJson.Of(View(_ => Silent)).Store);
        Assert.Equal(new LeaseStoreJson(null, Answering: false, null), FailoverJson.Of(View(_ => null)).Store);

        json = FailoverJson.Of(Agents.View());
        Assert.Equal("peers", json.LeaseStore);
        Assert.Null(json.Store);
        Assert.Equal((3.0, 30.0), (json.LeaseTtlSeconds, json.AgentRestartGraceSeconds));
    }

    [Fact]
    public void Two_nodes_lack_no_witness_and_a_node_that_does_not_reach_the_store_is_named()
    {
        Assert.DoesNotContain(View(_ => Answers).Lacks(), lack => lack.Contains("voters", StringComparison.Ordinal));
        Assert.Contains(
            "node2 (ID: 2) does not reach etcd: etcd1:2379: connection refused. Without it that node can neither hold a lease nor be elected.",
            View(node => node == 2 ? Silent : Answers).Lacks());
    }

    [Fact]
    public void The_other_of_two_nodes_takes_over_if_it_reaches_the_store_and_the_primary_outlives_the_other()
    {
        WhatIf lost = WhatIf.Lost(View(_ => Answers), new NodeId(1));
        Assert.Equal((WhatIfOutcome.FailedOver, (NodeId?)new NodeId(2)), (lost.Outcome, lost.Successor));

        WhatIf refused = WhatIf.Lost(View(node => node == 2 ? Silent : Answers), new NodeId(1));
        Assert.Equal((WhatIfOutcome.NoPrimary, "R6"), (refused.Outcome, refused.Gate));
        Assert.Equal("There would be no election: no agent that would be left reaches etcd, where the lease lies.", refused.Says);

        WhatIf kept = WhatIf.Lost(View(_ => Answers), new NodeId(2));
        Assert.Equal((WhatIfOutcome.Kept, "node1 (ID: 1) would stay the primary. It renews its lease in etcd."), (kept.Outcome, kept.Says));
    }

    [Fact]
    public void Without_the_store_it_is_said_why_there_is_no_primary()
    {
        AgentsView nobody = View(_ => Silent, report => report.Node == new NodeId(1) ? report with { Holder = null, Role = "Voting", LeaseLeft = null } : report with { Holder = null });
        Assert.Equal("no agent that answers reaches etcd, where the lease lies", nobody.Now());
    }

    private static AgentsView View(Func<int, StoreReport?> store, Func<AgentReport, AgentReport>? change = null) => new(
    [
        .. Agents.View(report => (change?.Invoke(report) ?? report) with { Membership = StoreScene.Members, Store = store(report.Node.Value) }).Answers.Take(2),
    ]);
}
