using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning.Registration;

/// <summary>What <c>witness register</c> is asked to do.</summary>
/// <param name="Node">The record to be; the planner sets its upstream.</param>
/// <param name="Own">The configured conninfo, for its password.</param>
/// <param name="Force">Replace an existing record.</param>
public sealed record RegisterWitnessRequest(NodeRecord Node, Conninfo Own, bool Force);

/// <summary>Decides how an agent without a server becomes a registered witness.</summary>
public static class RegisterWitnessPlanner
{
    public static Planned Plan(RegisterWitnessRequest request, ClusterView cluster)
    {
        if (PrimarySearch.In(cluster) is not PrimarySearch.Found primary)
        {
            var missing = (PrimarySearch.NotFound)PrimarySearch.In(cluster);
            return new Planned.Refused([missing.Problem], missing.ExitCode);
        }

        NodeRecord record = request.Node with { Upstream = primary.Node.Record.Id };
        List<Problem> problems = [.. PlanningChecks.Identity(record, cluster, null)];
        NodeRecord? existing = cluster.Find(record.Id)?.Record;
        if (existing is { Type: not NodeType.Witness })
        {
            problems.Add(new Problem(
                $"node {record.Id} is registered as {existing.Type.Name()}", $"It is {existing.Label}.", "Give the witness a node_id of its own."));
        }
        else if (existing is not null && existing != record && !request.Force)
        {
            problems.Add(PlanningChecks.AlreadyRegistered(existing));
        }

        return problems.Count > 0
            ? new Planned.Refused(problems)
            : new Planned.Ready(new Plan([new Step.WriteNode(NodeReach.Of(primary.Node.Record, request.Own), record, [], Replace: request.Force)]));
    }
}
