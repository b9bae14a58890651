using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning.Registration;

/// <summary>What <c>primary register</c> is asked to do.</summary>
/// <param name="Node">The record to be; its conninfo is that of <see cref="RegisteredConninfo"/>.</param>
/// <param name="On">How this process reaches the server.</param>
/// <param name="Cluster"><c>cluster</c> of the configuration file; null when it has none.</param>
/// <param name="Force">Replace an existing record, take over an extension.</param>
/// <param name="Notices">What the operator should hear anyway.</param>
public sealed record RegisterPrimaryRequest(
    NodeRecord Node, Conninfo On, string? Cluster, bool Force, IReadOnlyList<Problem> Notices)
{
    /// <summary>Who makes the schema, when it is not the role of <see cref="On"/> (<c>--superuser</c>).</summary>
    public Conninfo? Superuser { get; init; }
}

/// <summary>What was seen before.</summary>
/// <param name="Local">The server that is to be registered.</param>
/// <param name="Metadata">Its metadata; null when the server was not seen as a primary.</param>
/// <param name="Cluster">The nodes registered so far, all looked at; empty when there are none.</param>
/// <param name="OldDaemons">Nodes on which the repmgrd of repmgr 5 runs.</param>
public sealed record PrimarySeen(
    NodeProbe Local, MetadataView? Metadata, ClusterView Cluster, IReadOnlyList<NodeRecord> OldDaemons);

/// <summary>The metadata of a database, and what the role may do there.</summary>
/// <param name="Schema">Schema <c>repmgr</c>.</param>
/// <param name="Rights">Of the role that repmgr connects as.</param>
/// <param name="OriginalTables">Schema <c>repmgr_CLUSTER</c> holds tables of repmgr 1 to 3, not our views.</param>
/// <param name="OriginalViews">Schema <c>repmgr_CLUSTER</c> holds our views.</param>
/// <param name="PreloadsLibrary">The server loads the library of repmgr 5 at start; null when the role may not see it.</param>
public sealed record MetadataView(
    SchemaState Schema, RightsView Rights, bool OriginalTables, bool OriginalViews, bool? PreloadsLibrary);

/// <summary>Decides how the local server becomes the registered primary of its cluster.</summary>
public static class RegisterPrimaryPlanner
{
    public static Planned Plan(RegisterPrimaryRequest request, PrimarySeen seen)
    {
        if (seen.Local is not NodeProbe.Primary primary)
            return NotAPrimary(request, seen.Local);

        MetadataView metadata = seen.Metadata
            ?? throw new ArgumentException("a running primary's metadata must have been looked at", nameof(seen));
        List<Problem> problems =
        [
            .. PlanningChecks.Version(primary.Server.Version),
            .. PlanningChecks.Identity(request.Node, seen.Cluster, request.Cluster),
            .. PlanningChecks.Schema(metadata.Schema, request.Force),
            .. Takeover(metadata, request, seen.OldDaemons),
            .. Original(metadata, request.Cluster),
            .. Existing(request, seen.Cluster),
            .. OtherPrimaries(request.Node, primary, seen.Cluster),
        ];
        if (request.Superuser is null && RightsCheck.ForRegistering(metadata, request.Cluster) is { } lacking)
            problems.Add(lacking);
        if (problems.Count > 0)
            return new Planned.Refused(problems);

        return new Planned.Ready(new Plan(Steps(request, seen, metadata)), Notices(request, metadata));
    }

    private static List<Step> Steps(RegisterPrimaryRequest request, PrimarySeen seen, MetadataView metadata)
    {
        List<Step> steps = [];
        bool schemaIsReady = metadata.Schema is SchemaState.Present { Version: SchemaState.Current }
            && (request.Cluster is null || metadata.OriginalViews)
            && RightsCheck.ForRegistering(metadata, request.Cluster) is null; // A superuser was named, who makes the role the owner.
        if (!schemaIsReady)
        {
            steps.Add(new Step.EnsureSchema(
                request.Superuser ?? request.On,
                metadata.Schema,
                request.Cluster,
                Owner: request.Superuser is null ? null : metadata.Rights.Role));
        }

        List<NodeId> formerPrimaries =
        [
            .. seen.Cluster.Nodes
                .Where(node => node.Record is { Type: NodeType.Primary, Active: true } && node.Record.Id != request.Node.Id)
                .Select(node => node.Record.Id),
        ];
        if (seen.Cluster.Find(request.Node.Id)?.Record != request.Node || formerPrimaries.Count > 0)
            steps.Add(new Step.WriteNode(request.On, request.Node, formerPrimaries, request.Force));

        return steps;
    }

    private static Planned.Refused NotAPrimary(RegisterPrimaryRequest request, NodeProbe local)
    {
        if (local is NodeProbe.Standby)
        {
            return new Planned.Refused([new Problem(
                $"the server of node {request.Node.Id} is a standby",
                Detail: "It is in recovery (pg_is_in_recovery).",
                Hint: "Register it with \"repmgr standby register\".")]);
        }

        (Problem problem, ExitCode exitCode) = ConnectionProblem.From(local, request.Node.Name, request.On);
        return new Planned.Refused([problem], exitCode);
    }

    private static IEnumerable<Problem> Existing(RegisterPrimaryRequest request, ClusterView cluster)
    {
        if (cluster.Find(request.Node.Id)?.Record is not { } record || request.Force)
            yield break;

        yield return PlanningChecks.AlreadyRegistered(record);
    }

    // A record that leads to this very server is no second primary, but the same one under a second number.
    private static IEnumerable<Problem> OtherPrimaries(NodeRecord node, NodeProbe.Primary primary, ClusterView cluster)
    {
        foreach (NodeView other in cluster.LivePrimaries.Where(view => view.Record.Id != node.Id && view.Record.Type != NodeType.Witness))
        {
            ServerFacts server = other.Probe.Running!;
            bool isThisOne = server.SystemIdentifier == primary.Server.SystemIdentifier && server.StartedAt == primary.Server.StartedAt;
            yield return isThisOne
                ? new Problem(
                    $"this server is registered already, as {other.Record.Label}",
                    Detail: $"The conninfo of that node leads to this server: {PlanningChecks.Shown(other.Record.Conninfo)}",
                    Hint: $"Set node_id={other.Record.Id} in repmgr.conf, or delete that record first: repmgr primary unregister --node-id={other.Record.Id} --force")
                : new Problem(
                    $"another primary is alive: {other.Record.Label}",
                    Detail: $"It accepts writes on timeline {server.Timeline}; this server is on timeline {primary.Server.Timeline}.",
                    Hint: "A cluster has one primary. Stop the one that must not be it, and make a standby of it.");
        }
    }

    private static IEnumerable<Problem> Takeover(
        MetadataView metadata, RegisterPrimaryRequest request, IReadOnlyList<NodeRecord> oldDaemons)
    {
        if (metadata.Schema is not SchemaState.Extension || !request.Force)
            yield break;

        if (!metadata.Rights.OwnsExtension && request.Superuser is null)
        {
            yield return new Problem(
                $"role \"{metadata.Rights.Role}\" does not own extension \"repmgr\"",
                Detail: "Only its owner, or a superuser, can take the tables out of it.",
                Hint: "Name a superuser with -S/--superuser.");
        }

        if (oldDaemons.Count > 0)
        {
            yield return new Problem(
                "the repmgrd of repmgr 5 is still running",
                Detail: $"On {string.Join(", ", oldDaemons.Select(node => node.Label))}. It cannot work without the extension.",
                Hint: "Stop it on all nodes first.");
        }
    }

    private static IEnumerable<Problem> Original(MetadataView metadata, string? cluster)
    {
        if (cluster is null || !metadata.OriginalTables)
            yield break;

        string schema = OriginalSchema.NameFor(cluster);
        yield return new Problem(
            $"schema \"{schema}\" holds the tables of an older repmgr",
            Detail: "Views with their names are to be created there.",
            Hint: $"Keep them under another name: ALTER SCHEMA {SqlText.Name(schema)} RENAME TO {SqlText.Name(schema + "_old")};");
    }

    private static List<Problem> Notices(RegisterPrimaryRequest request, MetadataView metadata)
    {
        List<Problem> notices = [.. request.Notices];
        if (RightsCheck.ForLater(metadata.Rights) is { } later)
            notices.Add(later);

        if (metadata is { Schema: SchemaState.Extension, PreloadsLibrary: not false })
        {
            notices.Add(new Problem(
                "the library of repmgr 5 is not needed any more",
                Hint: "Remove \"repmgr\" from shared_preload_libraries on every node before its package is removed: without the library the server would not start."));
        }

        return notices;
    }
}
