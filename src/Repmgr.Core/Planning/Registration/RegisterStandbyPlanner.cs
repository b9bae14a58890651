using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning.Registration;

/// <summary>What <c>standby register</c> is asked to do.</summary>
/// <param name="Node">The record to be; the planner sets its upstream.</param>
/// <param name="On">How this process reaches the standby.</param>
/// <param name="Upstream"><c>--upstream-node-id</c>; null: the primary.</param>
/// <param name="Force">Replace an existing record; register what is not attached, or not running.</param>
/// <param name="Sync">Wait until the record has reached the standby.</param>
/// <param name="Notices">What the operator should hear anyway.</param>
public sealed record RegisterStandbyRequest(
    NodeRecord Node, Conninfo On, NodeId? Upstream, bool Force, SyncWait? Sync, IReadOnlyList<Problem> Notices);

/// <summary>How long to wait for a record to arrive.</summary>
/// <param name="Within">Null: for ever.</param>
public sealed record SyncWait(TimeSpan? Within);

/// <summary>What was seen before.</summary>
/// <param name="Local">The server that is to be registered.</param>
/// <param name="Cluster">All registered nodes, as the primary has them where it was seen, looked at.</param>
/// <param name="Metadata">The primary's metadata; null when no single primary was seen.</param>
public sealed record StandbySeen(NodeProbe Local, ClusterView Cluster, MetadataView? Metadata);

/// <summary>Decides how the local server becomes a registered standby.</summary>
public static class RegisterStandbyPlanner
{
    public static Planned Plan(RegisterStandbyRequest request, StandbySeen seen)
    {
        if (seen.Local is NodeProbe.Primary)
        {
            return new Planned.Refused([new Problem(
                $"the server of node {request.Node.Id} is no standby",
                Detail: "It accepts writes (pg_is_in_recovery is false).",
                Hint: "Register it with \"repmgr primary register\", or clone it from the primary first.")]);
        }

        List<Problem> problems = [];
        ExitCode? exitCode = null;
        if (seen.Local is not NodeProbe.Standby && !request.Force)
        {
            (Problem unreachable, exitCode) = ConnectionProblem.From(seen.Local, request.Node.Name, request.On);
            problems.Add(unreachable with
            {
                Hint = $"{unreachable.Hint} To register a standby that does not run, name the primary with -h/--host and add --force.".TrimStart(),
            });
        }

        problems.AddRange(PlanningChecks.Identity(request.Node, seen.Cluster, null));
        if (seen.Cluster.Find(request.Node.Id)?.Record is { } existing && !request.Force)
            problems.Add(PlanningChecks.AlreadyRegistered(existing));

        if (PrimarySearch.In(seen.Cluster) is PrimarySearch.NotFound missing)
            return new Planned.Refused([.. problems, missing.Problem], exitCode ?? missing.ExitCode);

        var primary = (PrimarySearch.Found)PrimarySearch.In(seen.Cluster);
        MetadataView metadata = seen.Metadata
            ?? throw new ArgumentException("the primary was seen, so its metadata must have been looked at", nameof(seen));
        List<Problem> notices = [.. request.Notices];
        problems.AddRange(PlanningChecks.Version(primary.Probe.Server.Version));
        problems.AddRange(PlanningChecks.Schema(metadata.Schema, takeOver: false));
        if (RightsCheck.For(MetadataUse.Register, metadata.Rights) is { } lacking)
            problems.Add(lacking);
        problems.AddRange(SameCluster(seen.Local, primary));
        if (primary.Node.Record.Id == request.Node.Id)
            problems.Add(IdOfThePrimary(request, primary.Node.Record));
        else if (primary.Node.Record is { Type: not NodeType.Primary } or { Active: false })
            notices.Add(NotRecorded(primary.Node.Record));

        NodeRecord node = request.Node with { Upstream = request.Upstream ?? primary.Node.Record.Id };
        List<Step> steps = PlaceUnder(request, seen, node, problems, notices);
        if (problems.Count > 0)
            return new Planned.Refused(problems, exitCode ?? ExitCode.BadConfig);

        Conninfo onPrimary = NodeReach.Of(primary.Node.Record, request.On);
        if (RightsCheck.ForLater(metadata.Rights) is { } later)
            notices.Add(later);

        steps = [.. steps.Select(step => step is Step.WriteNode write ? write with { On = onPrimary } : step)];
        if (seen.Cluster.Find(node.Id)?.Record != node)
            steps.Add(new Step.WriteNode(onPrimary, node, [], request.Force));
        if (request.Sync is { } sync)
            steps.Add(new Step.AwaitNodeRecord(request.On, node, sync.Within));
        return new Planned.Ready(new Plan(steps), notices);
    }

    private static Problem IdOfThePrimary(RegisterStandbyRequest request, NodeRecord primary) => new(
        $"node {request.Node.Id} is the primary",
        Detail: $"Node \"{primary.Name}\" accepts writes at: {PlanningChecks.Shown(primary.Conninfo)}",
        Hint: "Set another \"node_id\" in repmgr.conf.");

    private static Problem NotRecorded(NodeRecord primary) => new(
        $"{primary.Label} accepts writes, but the records do not name it as the primary",
        "It was promoted without being recorded.",
        "Run \"repmgr primary register --force\" on it.");

    private static IEnumerable<Problem> SameCluster(NodeProbe local, PrimarySearch.Found primary)
    {
        if (local.Running is not { } server)
            yield break;

        ServerFacts other = primary.Probe.Server;
        if (server.Version.Major != other.Version.Major)
        {
            yield return new Problem(
                $"the standby runs PostgreSQL {server.Version.Major}, the primary PostgreSQL {other.Version.Major}",
                Detail: "Streaming replication works within one major version.");
        }

        if (server.SystemIdentifier != other.SystemIdentifier)
        {
            yield return new Problem(
                "the standby is no copy of the primary",
                Detail: $"Its system identifier is {server.SystemIdentifier}; that of node \"{primary.Node.Record.Name}\" is {other.SystemIdentifier}.",
                Hint: "Clone it with \"repmgr standby clone\".");
        }
    }

    // The upstream must exist, and serve this standby. What --force overrides is told as a notice.
    private static List<Step> PlaceUnder(
        RegisterStandbyRequest request, StandbySeen seen, NodeRecord node, List<Problem> problems, List<Problem> notices)
    {
        NodeId upstream = node.Upstream!.Value;
        if (upstream == node.Id)
        {
            if (request.Upstream is not null)
                problems.Add(new Problem($"node {node.Id} cannot be its own upstream", Hint: "Give another --upstream-node-id, or leave it out."));
            return []; // Else it has the primary's id, which has been said.
        }

        if (seen.Cluster.Find(upstream) is not { } found)
        {
            var unknown = new Problem(
                $"no node {upstream} is registered, which is to be the upstream",
                Hint: "Register that node first, or use -F/--force to have an inactive record made in its place.");
            if (!request.Force)
            {
                problems.Add(unknown);
                return [];
            }

            notices.Add(unknown with { Hint = $"An inactive record is made in its place; register node {upstream} as soon as it runs." });
            return [new Step.WriteNode(request.On, Placeholder(node, upstream), [], Replace: false)];
        }

        if (NotAttached(node, seen.Local, found) is { } detached)
        {
            if (StreamsUnderAnotherName(seen.Local, found.Record))
                notices.Add(AnotherName(node, found.Record));
            else
                (request.Force ? notices : problems).Add(request.Force ? detached with { Hint = null } : detached);
        }

        return [];
    }

    private static NodeRecord Placeholder(NodeRecord node, NodeId upstream) => node with
    {
        Id = upstream,
        Upstream = null,
        Active = false,
        Name = $"node_{upstream}_not_registered_yet",
        Type = NodeType.Standby,
        Conninfo = "",
        SlotName = null,
        ConfigFile = "",
    };

    private static Problem? NotAttached(NodeRecord node, NodeProbe local, NodeView upstream)
    {
        string named = upstream.Record.Label;
        string hint = $"Point it there with \"repmgr standby follow --upstream-node-id={upstream.Record.Id}\", or use -F/--force to register it as it is.";
        if (upstream.Probe.Running is not { } server)
        {
            return new Problem(
                $"cannot tell whether this standby is attached to {named}",
                Detail: $"That node cannot be asked: {upstream.Probe.Obstacle}",
                Hint: "Start that node, or use -F/--force to register the standby as it is.");
        }

        if (server.Downstreams.Any(sender => sender.IsOf(node) && sender.State is not "backup"))
            return null;

        WalReceiverFacts? receiver = (local as NodeProbe.Standby)?.Receiver;
        bool streamsFromSomewhere = receiver is { Status: not null };
        return new Problem(
            $"this standby is not attached to {named}",
            Detail: streamsFromSomewhere
                ? $"Its WAL receiver is connected to {receiver!.SenderHost}:{receiver.SenderPort}, "
                    + $"but there pg_stat_replication shows no application_name \"{node.Name}\"."
                : $"pg_stat_replication there shows no application_name \"{node.Name}\".",
            Hint: streamsFromSomewhere
                ? $"If that is the right server, add application_name={node.Name} to primary_conninfo and reload the standby. {hint}"
                : hint);
    }

    // A clone made without a repmgr.conf, as the original's manual has it, cannot know the node's name. Such a standby is known by
    // the address that its WAL receiver has.
    private static bool StreamsUnderAnotherName(NodeProbe local, NodeRecord upstream) =>
        local is NodeProbe.Standby { Receiver: { Status: "streaming" } receiver } && NodeReach.Serves(upstream, receiver);

    private static Problem AnotherName(NodeRecord node, NodeRecord upstream) => new(
        $"the standby streams from {upstream.Label}, but not under its own name",
        Detail: $"pg_stat_replication there shows no application_name \"{node.Name}\".",
        Hint: $"Run \"repmgr standby follow\" on it when it is registered: that adds application_name={node.Name} to primary_conninfo, by which it is told from others.");
}
