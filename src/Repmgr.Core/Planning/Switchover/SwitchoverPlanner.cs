using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning.Switchover;

/// <summary>Decides how a standby and the primary exchange their roles.</summary>
public static class SwitchoverPlanner
{
    /// <summary>How long writing a checkpoint may take.</summary>
    private static readonly TimeSpan CheckpointWithin = TimeSpan.FromMinutes(5);

    public static Planned Plan(SwitchoverRequest request, SwitchoverSeen seen)
    {
        if (seen.Cluster.Find(request.Candidate) is not { } candidate)
            return Unknown($"node {request.Candidate} is not registered", seen.Cluster);
        return PrimarySearch.In(seen.Cluster) switch
        {
            PrimarySearch.Found found => Plan(request, seen, found.Node, candidate),
            PrimarySearch.NotFound missing => new Planned.Refused([missing.Problem], missing.ExitCode),
            _ => throw new InvalidOperationException("a search of no known end"),
        };
    }

    /// <summary>The answer where the standby that was named does not exist.</summary>
    public static Planned.Refused Unknown(string message, ClusterView cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        return new Planned.Refused([new Problem(
            message, cluster.Nodes.Count == 0 ? null : $"Registered are: {string.Join(", ", cluster.Nodes.Select(node => node.Record.Quoted))}.", "Name one of the standbys with --node-id or --node-name.")]);
    }

    private static Planned Plan(SwitchoverRequest request, SwitchoverSeen seen, NodeView primary, NodeView candidate)
    {
        if (primary.Record.Id == candidate.Record.Id)
            return new Planned.Ready(new Plan([.. Aftermath(request, seen, candidate, former: null)], AftermathFrom: 0), [Resumed(candidate.Record)]);

        Finding[] findings = [.. new SwitchoverChecks(request, seen, primary, candidate).All()];
        Problem[] obstacles = [.. findings.Where(finding => finding.Weight == FindingWeight.Blocks || (finding.Weight == FindingWeight.Forcible && !request.Force)).Select(finding => finding.Problem)];
        return obstacles.Length > 0
            ? new Planned.Refused(obstacles)
            : new Planned.Ready(PlanFor(request, seen, primary, candidate), [.. findings.Select(finding => finding.Weight == FindingWeight.Forcible ? finding.Problem with { Hint = null } : finding.Problem)]);
    }

    /// <summary>
    /// Who is to stream from the new primary: the former one, and what runs as a standby. Where the roles are exchanged already it is not known who the former one was, and
    /// it may be starting: all are waited for.
    /// </summary>
    internal static IEnumerable<NodeView> Followers(ClusterView cluster, NodeId candidate, NodeId? former) =>
        from node in cluster.Nodes
        where node.Record.Id != candidate && node.Record.Type != NodeType.Witness
        where former is null || node.Record.Id == former || (node.Probe is NodeProbe.Standby && node.Record.Active)
        orderby node.Record.Id == former ? 0 : 1
        select node;

    private static Plan PlanFor(SwitchoverRequest request, SwitchoverSeen seen, NodeView primary, NodeView candidate)
    {
        Conninfo from = NodeReach.Of(primary.Record, request.Own), to = NodeReach.Of(candidate.Record, request.Own);
        List<Step> steps = [new Step.Checkpoint(from, primary.Record, CheckpointWithin)];
        if (!request.Force)
            steps.Add(new Step.AwaitNear(from, primary.Record, to, candidate.Record, SwitchoverLimits.NearBytes, request.Times.Near));
        steps.Add(new Step.HandOver(from, primary.Record, to, candidate.Record, request.Times.Promote));
        int aftermath = steps.Count;
        steps.AddRange(Aftermath(request, seen, candidate, primary.Record.Id));
        return new Plan(steps, aftermath);
    }

    private static IEnumerable<Step> Aftermath(SwitchoverRequest request, SwitchoverSeen seen, NodeView candidate, NodeId? former) =>
        Followers(seen.Cluster, request.Candidate, former).Select(node => new Step.AwaitStreaming(
            NodeReach.Of(node.Record, request.Own), node.Record, NodeReach.Of(candidate.Record, request.Own), candidate.Record, Source: null,
            node.Record.Id == former || node.Probe.Running is null ? request.Times.Return : request.Times.Follow,
            $"Its agent brings it back by itself, also later: see the log of repmgrd on {node.Record.Quoted}, and \"repmgr cluster show\"."));

    private static Problem Resumed(NodeRecord candidate) => new(
        $"{candidate.Label} is the primary already", "What is left is to see that the others follow it.");
}
