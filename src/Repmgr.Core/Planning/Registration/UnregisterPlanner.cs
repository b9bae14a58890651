using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning.Registration;

/// <summary>What <c>primary unregister</c>, <c>standby unregister</c> and <c>witness unregister</c> are asked to do.</summary>
/// <param name="Target">The node whose record is to go.</param>
/// <param name="Type">What the command is for.</param>
/// <param name="Own">The local node's conninfo, for its password.</param>
/// <param name="Force">Remove what is still in use.</param>
public sealed record UnregisterRequest(NodeId Target, NodeType Type, Conninfo Own, bool Force);

/// <summary>Decides how a node's record is deleted.</summary>
public static class UnregisterPlanner
{
    public static Planned Plan(UnregisterRequest request, ClusterView cluster)
    {
        if (PrimarySearch.In(cluster) is PrimarySearch.NotFound missing)
            return new Planned.Refused([missing.Problem], missing.ExitCode);

        NodeView primary = ((PrimarySearch.Found)PrimarySearch.In(cluster)).Node;
        if (cluster.Find(request.Target) is not { } target)
        {
            return new Planned.Refused([new Problem(
                $"node {request.Target} is not registered",
                Detail: $"Registered are: {string.Join(", ", cluster.Nodes.Select(node => $"{node.Record.Id} (\"{node.Record.Name}\")"))}.")]);
        }

        List<Problem> problems = [.. Dependants(target.Record, cluster)];
        List<Problem> notices = [];
        problems.AddRange(request.Type == NodeType.Primary ? [] : OfAnotherType(target.Record, request.Type));
        foreach (Problem objection in request.Type == NodeType.Primary ? PrimaryObjections(target, primary) : [])
        {
            bool overridden = request.Force && objection.Hint is not null;
            (overridden ? notices : problems).Add(overridden ? objection with { Hint = null } : objection);
        }

        if (problems.Count > 0)
            return new Planned.Refused(problems);

        Conninfo on = NodeReach.Of(primary.Record, request.Own);
        return new Planned.Ready(new Plan([new Step.DeleteNode(on, target.Record)]), notices);
    }

    // The foreign key would refuse too, but name one node only and not say what to do.
    private static IEnumerable<Problem> Dependants(NodeRecord target, ClusterView cluster)
    {
        List<NodeRecord> dependants = [.. cluster.Nodes.Select(node => node.Record).Where(node => node.Upstream == target.Id)];
        if (dependants.Count > 0)
        {
            yield return new Problem(
                $"other nodes still have node {target.Id} as their upstream",
                Detail: $"They are: {string.Join(", ", dependants.Select(node => node.Quoted))}.",
                Hint: "Run \"repmgr standby follow\" on each, or unregister them first.");
        }
    }

    private static IEnumerable<Problem> OfAnotherType(NodeRecord target, NodeType type)
    {
        if (target.Type != type)
        {
            yield return new Problem(
                $"node {target.Id} is registered as {target.Type.Name()}, not as {type.Name()}",
                Hint: $"Use \"repmgr {target.Type.Name()} unregister\".");
        }
    }

    // An objection with a hint can be overridden by --force; one without cannot.
    private static IEnumerable<Problem> PrimaryObjections(NodeView target, NodeView primary)
    {
        const string Override = "Use -F/--force to delete its record all the same.";
        NodeRecord record = target.Record;
        if (record.Type == NodeType.Witness)
        {
            yield return new Problem($"node {record.Id} is a witness");
            yield break;
        }

        if (target.Probe.Running is null && record.Type != NodeType.Primary)
        {
            yield return new Problem(
                $"node {record.Id} cannot be reached and is registered as standby",
                Detail: "Only a primary can be unregistered here. For a standby that is gone there is \"repmgr standby unregister\".");
            yield break;
        }

        if (record.Id == primary.Record.Id)
            yield return new Problem($"node {record.Id} is the current primary", Hint: Override);
        else if (target.Probe is NodeProbe.Standby)
            yield return new Problem($"node {record.Id} runs as a standby", Hint: $"Use \"repmgr standby register --force\" on it to correct its record. {Override}");

        if (record.Active)
            yield return new Problem($"the record of node {record.Id} is still marked as active", Hint: Override);
    }
}
