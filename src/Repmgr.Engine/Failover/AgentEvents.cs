using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Failover;

/// <summary>What the agent writes of its decisions into the log, and which of them are recorded as events (R17).</summary>
/// <param name="node">The node.</param>
/// <param name="state">What the machine knows.</param>
/// <param name="announce">Hears what is to be recorded.</param>
/// <param name="log">Hears everything.</param>
internal sealed class AgentEvents(NodeId node, Func<AgentState?> state, Action<ClusterEvent> announce, ILog log)
{
    private readonly Dictionary<string, string> _last = [];
    private Lsn? _notFetched;

    public void Happened(Edge edge)
    {
        LogLine line = EdgeText.Of(edge);
        // What is tried again and again with the same result is said once.
        bool isRepeated = edge.Name is "Asks" or "NoMajority" or "LetsBetterStand" or "NotEligible" or "IsBehind" or "NoQuorum"
            && _last.TryGetValue(edge.Name, out string? evidence) && evidence == edge.Evidence;
        if (edge.Name is "Promoted" or "Resumes" or "HolderAppears")
            _last.Clear();
        _last[edge.Name] = edge.Evidence;
        log.Write(isRepeated ? line with { Severity = Severity.Debug } : line);
        if (edge.Name == "LeaseEnds" && state() is { Durable: var durable } && FewVoters.StandbyGoesAlone(durable.Membership, durable.Set))
        {
            log.Warning(
                "with two voters, this node takes no writes until the other is back", "Commits wait for the standby (synchronous = strict), which is lost, or has gone on alone.",
                FewVoters.Hint);
        }

        if (edge.Name == "Promoted")
            announce(new ClusterEvent(node, EventName.RepmgrdFailoverPromote, Successful: true, $"node {node} was promoted{Missing()}"));
        if (edge.Name is "PromotionFailed" or "PromotionTooSlow" or "NotPromoted")
            announce(new ClusterEvent(node, EventName.RepmgrdPromoteError, Successful: false, edge.Evidence));
    }

    /// <summary>A step has ended. What it was to fetch and did not is missing in what is promoted next.</summary>
    public void Finished(AgentStep step, StepResult result)
    {
        if (step is AgentStep.FetchWal fetch)
            _notFetched = result.Outcome is StepOutcome.Failed ? fetch.Until : null;
        if (step is AgentStep.Follow follow && result is { Outcome: StepOutcome.Done, IsRenaming: false })
            announce(new ClusterEvent(node, EventName.RepmgrdFailoverFollow, Successful: true, $"node {node} follows node {follow.Holder} in term {follow.Term}"));
    }

    /// <summary>What the former primary said it had, and nobody who voted had received; empty: nothing is known to be missing.</summary>
    private string Missing()
    {
        AgentState now = state()!;
        Lsn begin = now.Durable.Announced.Newest.Begin;
        Lsn end = Lsn.Max(_notFetched ?? Lsn.Zero, now.Leader?.Position ?? Lsn.Zero);
        _notFetched = null;
        if (end <= begin)
            return "";
        ulong bytes = (ulong)(end - begin);
        log.Warning(
            $"WAL of the former primary is missing: {begin} to {end}",
            string.Create(CultureInfo.InvariantCulture, $"That is at least {bytes} bytes, which it had written and no node that voted had received."),
            "When that node is back, its agent keeps them, and says how many transactions lie in them.");
        return string.Create(CultureInfo.InvariantCulture, $"; WAL of the former primary is missing: {begin} to {end}, at least {bytes} bytes");
    }
}
