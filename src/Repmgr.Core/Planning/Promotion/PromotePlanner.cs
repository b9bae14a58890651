using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning.Promotion;

/// <summary>What <c>standby promote</c> is asked to do.</summary>
/// <param name="Self">The local node.</param>
/// <param name="Name">Its name, for messages where it is not registered.</param>
/// <param name="On">How it is reached.</param>
/// <param name="Force">Go on where a check finds something that need not stand in the way.</param>
/// <param name="SiblingsFollow">Let the other standbys follow it.</param>
/// <param name="Command"><c>service_promote_command</c></param>
/// <param name="Within">How long the promotion may take.</param>
/// <param name="FollowWithin">How long a sibling may take until it streams.</param>
public sealed record PromoteRequest(
    NodeId Self, string Name, Conninfo On, bool Force, bool SiblingsFollow, string? Command, TimeSpan Within, TimeSpan FollowWithin);

/// <summary>What was seen before.</summary>
/// <param name="Local">What the local server answered.</param>
/// <param name="Cluster">All registered nodes, looked at.</param>
/// <param name="Rights">What the role may do on the local server; null when it was not reached.</param>
/// <param name="Room">What the local server has left for standbys; null when it was not reached.</param>
/// <param name="Siblings">How the other standbys can be pointed elsewhere, of those that were reached and asked.</param>
public sealed record PromoteSeen(
    NodeProbe Local,
    ClusterView Cluster,
    RightsView? Rights,
    ServerRoom? Room,
    IReadOnlyDictionary<NodeId, (Conninfo On, FollowerView View)> Siblings);

/// <summary>Decides whether and how the local standby becomes the primary.</summary>
public static class PromotePlanner
{
    /// <summary>The standbys that would be left without a living upstream: those that do not stream from this node or a running standby.</summary>
    public static IReadOnlyList<NodeView> Siblings(NodeId self, ClusterView cluster) =>
    [
        .. cluster.Nodes.Where(node =>
            node.Record is { Type: NodeType.Standby, Active: true }
            && node.Record.Id != self
            && node.Probe is not NodeProbe.Primary
            && node.Record.Upstream != self
            && !(node.Record.Upstream is { } upstream && cluster.Find(upstream) is { Probe: NodeProbe.Standby, Record.Type: NodeType.Standby })),
    ];

    public static Planned Plan(PromoteRequest request, PromoteSeen seen)
    {
        if (seen.Local.Running is null)
        {
            (Problem problem, ExitCode code) = ConnectionProblem.From(seen.Local, request.Name, request.On);
            return new Planned.Refused([problem], code);
        }

        NodeRecord? self = seen.Cluster.Find(request.Self)?.Record;
        List<NodeView> others = [.. seen.Cluster.Nodes.Where(node => node.Record.Id != request.Self && node.Record.Type != NodeType.Witness)];
        List<NodeId> deposed = [.. others.Where(node => node.Record is { Type: NodeType.Primary, Active: true }).Select(node => node.Record.Id)];
        List<Problem> problems = [.. OtherPrimaries(others)];
        if (self is null)
        {
            problems.Add(new Problem(
                $"node {request.Self} is not registered",
                Hint: "Register it with \"repmgr standby register\" before it is promoted, or nobody will know of the new primary."));
        }
        else if (seen.Local is NodeProbe.Primary && self is { Type: NodeType.Primary, Active: true } && deposed.Count == 0)
        {
            problems.Add(new Problem(
                $"node \"{self.Name}\" (ID: {self.Id}) is the primary already",
                "It accepts writes, and it is registered as the primary.",
                "Only a standby can be promoted; see \"repmgr cluster show\"."));
        }

        problems.AddRange(Rights(request, seen));
        List<Problem> notices = [];
        foreach (Problem doubt in Doubts(others))
            (request.Force ? notices : problems).Add(request.Force ? doubt with { Hint = null } : doubt);

        List<Step> siblings = PlanSiblings(request, seen, self, problems, notices);
        if (problems.Count > 0 || self is null)
            return new Planned.Refused(problems);

        if (seen.Local is NodeProbe.Standby standby)
            notices.AddRange(Ahead(standby, others));
        else
            notices.Add(Resumed(self));
        return new Planned.Ready(PlanFor(request, seen, self, deposed, siblings), notices);
    }

    private static Plan PlanFor(PromoteRequest request, PromoteSeen seen, NodeRecord self, List<NodeId> deposed, List<Step> siblings)
    {
        List<Step> steps = [];
        if (seen.Local is NodeProbe.Standby)
            steps.Add(new Step.Promote(request.On, self, request.Command, request.Within));
        steps.Add(new Step.WriteNode(
            request.On, self with { Type = NodeType.Primary, Upstream = null, Active = true }, deposed, Replace: true));
        int aftermath = steps.Count;
        steps.AddRange(siblings);
        return new Plan(steps, siblings.Count > 0 ? aftermath : null);
    }

    // There is no option that overrides this: two primaries are the one thing that cannot be undone.
    private static IEnumerable<Problem> OtherPrimaries(List<NodeView> others)
    {
        foreach (NodeView node in others.Where(node => node.Probe is NodeProbe.Primary))
        {
            yield return new Problem(
                $"{Named(node.Record)} is a running primary",
                $"It accepts writes on timeline {node.Probe.Running!.Timeline}.",
                "Stop it first if this node is to take its place.");
        }
    }

    // A server that listens and turns us away may well be serving others, or be about to.
    private static IEnumerable<Problem> Doubts(List<NodeView> others) =>
        from node in others
        where node.Record is { Type: NodeType.Primary, Active: true }
        let rejected = node.Probe as NodeProbe.Rejected
        where rejected is not null
        select new Problem(
            $"{Named(node.Record)} is running and may be a primary",
            $"It is registered as the primary, listens, and does not let us in: {rejected.Reason}",
            "Stop it first, or make it answer; use -F/--force only if you know that it is not a primary.");

    private static IEnumerable<Problem> Rights(PromoteRequest request, PromoteSeen seen)
    {
        if (seen.Rights is not { IsSuperuser: false } rights)
            yield break;

        string role = SqlText.Name(rights.Role);
        List<string> grants = [];
        if (!rights.Promotes && request.Command is null && seen.Local is NodeProbe.Standby)
            grants.Add($"GRANT EXECUTE ON FUNCTION pg_catalog.pg_promote(boolean, integer) TO {role};");
        if (rights.Schema is { Use: false })
            grants.Add($"GRANT USAGE ON SCHEMA repmgr TO {role};");
        if (rights.Schema is { ReadAndWrite: false })
            grants.Add($"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA repmgr TO {role};");
        if (grants.Count == 0)
            yield break;

        // A standby takes no GRANT: where the primary is gone, its service account is the way left.
        yield return new Problem(
            $"role \"{rights.Role}\" may not promote this node",
            $"Missing, in the words that grant it:\n  {string.Join("\n  ", grants)}",
            $"Run these statements as a superuser on the primary; if it is gone, name a superuser in conninfo, or set service_promote_command to \"pg_ctl promote -D DATA_DIRECTORY\".");
    }

    private static IEnumerable<Problem> Ahead(NodeProbe.Standby self, List<NodeView> others)
    {
        foreach (NodeView node in others)
        {
            if (node.Probe is NodeProbe.Standby other && other.Server.Timeline == self.Server.Timeline && other.Position > self.Position)
            {
                yield return new Problem(
                    $"{Named(node.Record)} has more WAL than this node",
                    $"It has {other.Position - self.Position} bytes more (up to {other.Position}; this node has {self.Position}). They are lost, and that node must be cloned anew if it has replayed them.",
                    "Promote that node in place of this one to keep them.");
            }
        }
    }

    private static Problem Resumed(NodeRecord self) => new(
        $"node \"{self.Name}\" (ID: {self.Id}) accepts writes already",
        "It was promoted before, but the metadata does not say so. It is brought up to date.");

    private static List<Step> PlanSiblings(
        PromoteRequest request, PromoteSeen seen, NodeRecord? self, List<Problem> problems, List<Problem> notices)
    {
        IReadOnlyList<NodeView> siblings = Siblings(request.Self, seen.Cluster);
        if (siblings.Count == 0 || self is null)
            return [];

        if (!request.SiblingsFollow)
        {
            notices.Add(new Problem(
                siblings.Count == 1 ? "another standby does not follow by itself" : $"{siblings.Count} other standbys do not follow by themselves",
                $"Left behind: {string.Join(", ", siblings.Select(node => Named(node.Record)))}.",
                "Run \"repmgr standby follow\" on each of them, or promote with --siblings-follow."));
            return [];
        }

        List<Step> steps = [];
        List<Problem> obstacles = [];
        if (RoomFor(siblings, seen.Room) is { } noRoom)
            obstacles.Add(noRoom);
        foreach (NodeView sibling in siblings)
        {
            if (WhyNot(sibling, seen, out Conninfo? on, out FollowerView? view) is { } obstacle)
                obstacles.Add(obstacle);
            else
                steps.Add(new Step.Together([.. StepsFor(request, self, sibling, on!, view!)]));
        }

        // What is in the way of a sibling is not in the way of the promotion: with --force the siblings that can follow do.
        foreach (Problem obstacle in obstacles)
            (request.Force ? notices : problems).Add(obstacle);
        return steps;
    }

    private static Problem? RoomFor(IReadOnlyList<NodeView> siblings, ServerRoom? room)
    {
        if (room is null)
            return null;

        int senders = siblings.Count;
        int slots = siblings.Count(node => node.Record.SlotName is { } slot && room.Slots.All(s => s.Name != slot));
        return room.FreeWalSenders >= senders && room.FreeSlots >= slots
            ? null
            : new Problem(
                "this node has not enough room for the other standbys",
                $"They need {senders} WAL senders and {slots} new slots; {Math.Max(room.FreeWalSenders, 0)} of max_wal_senders = {room.MaxWalSenders} and {Math.Max(room.FreeSlots, 0)} of max_replication_slots = {room.MaxSlots} are free.",
                "Raise these settings, which needs a restart, or use -F/--force to promote all the same.");
    }

    private static Problem? WhyNot(NodeView sibling, PromoteSeen seen, out Conninfo? on, out FollowerView? view)
    {
        string hint = $"Run \"repmgr standby follow\" on that node after the promotion; -F/--force promotes without it.";
        (on, view) = (null, null);
        if (sibling.Probe is not NodeProbe.Standby || !seen.Siblings.TryGetValue(sibling.Record.Id, out (Conninfo On, FollowerView View) found))
        {
            string reason = sibling.Probe switch { NodeProbe.Silent silent => silent.Reason, NodeProbe.Rejected rejected => rejected.Reason, _ => "It could not be asked." };
            return new Problem($"{Named(sibling.Record)} cannot be reached, so it cannot be made to follow", reason, hint);
        }

        (on, view) = found;
        if (view.Rights.AltersSource && view.Rights.Reloads && view.Source is not null)
        {
            return view.Source.PrimaryConninfo["password"] is null
                ? null
                : new Problem(
                    $"{Named(sibling.Record)} has a password in primary_conninfo, so it cannot be made to follow from here",
                    "ALTER SYSTEM would put the password into the server's log and statistics.",
                    hint);
        }

        string role = SqlText.Name(view.Rights.Role);
        return new Problem(
            $"role \"{view.Rights.Role}\" may not change where {Named(sibling.Record)} streams from",
            $"Missing, in the words that grant it:\n  GRANT ALTER SYSTEM ON PARAMETER primary_conninfo, primary_slot_name TO {role}; -- PostgreSQL 15 or newer\n  GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO {role};\n  GRANT pg_monitor TO {role};",
            hint);
    }

    private static IEnumerable<Step> StepsFor(PromoteRequest request, NodeRecord self, NodeView sibling, Conninfo on, FollowerView view)
    {
        NodeRecord node = sibling.Record;
        Conninfo upstream = Conninfo.TryParse(self.Conninfo, out Conninfo? parsed, out _) ? parsed : Conninfo.Empty;
        string? slot = view.Source!.SlotName ?? node.SlotName;
        ReplicationSource source = FollowPlanner.SourceTo(
            node, upstream, new ReplicationCredentials(view.Source.PrimaryConninfo["user"], null, null), view.Source.PrimaryConninfo, slot, sibling.Probe.Running!.Version);
        if (slot is not null)
            yield return new Step.ReserveSlot(request.On, Named(self), slot);
        yield return new Step.Repoint(on, node, source, new RepointWay.Sql());
        yield return new Step.AwaitStreaming(
            on, node, request.On, self, source, request.FollowWithin,
            $"See the server log of \"{node.Name}\" for the reason, and run \"repmgr standby follow\" there.");
        yield return new Step.WriteNode(
            request.On, node with { Upstream = self.Id, SlotName = slot }, [], Replace: true);
    }

    private static string Named(NodeRecord node) => $"node \"{node.Name}\" (ID: {node.Id})";
}
