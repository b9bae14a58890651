using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Hosts;
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
/// <param name="PgCtl">Whether the server can be promoted from outside; null: that was not looked at, because it need not be.</param>
public sealed record PromoteSeen(
    NodeProbe Local,
    ClusterView Cluster,
    RightsView? Rights,
    ServerRoom? Room,
    IReadOnlyDictionary<NodeId, (Conninfo On, FollowerView View)> Siblings,
    Detected<PromoteWay.PgCtl>? PgCtl = null);

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
        IReadOnlyList<string> lacking = seen.Rights is { } rights ? RightsCheck.ToUse(MetadataUse.Change, rights) : [];
        if (self is null && lacking.Count == 0)
        {
            problems.Add(new Problem(
                $"node {request.Self} is not registered",
                Hint: "Register it with \"repmgr standby register\" before it is promoted, or nobody will know of the new primary."));
        }
        else if (seen.Local is NodeProbe.Primary && self is { Type: NodeType.Primary, Active: true } && deposed.Count == 0)
        {
            problems.Add(new Problem(
                $"{self.Label} is the primary already",
                "It accepts writes, and it is registered as the primary.",
                "Only a standby can be promoted; see \"repmgr cluster show\"."));
        }

        PromoteWay? way = WayTo(request, seen);
        problems.AddRange(Rights(seen, way, lacking));
        List<Problem> notices = [];
        foreach (Problem doubt in Doubts(others))
            (request.Force ? notices : problems).Add(request.Force ? doubt with { Hint = null } : doubt);

        List<Step> siblings = PlanSiblings(request, seen, self, problems, notices);
        if (problems.Count > 0 || self is null || way is null)
            return new Planned.Refused(problems);

        if (seen.Local is NodeProbe.Standby standby)
            notices.AddRange(Ahead(standby, others));
        else
            notices.Add(Resumed(self));
        if (way is PromoteWay.PgCtl && seen.Rights is { } own)
            notices.Add(FromOutside(own));
        return new Planned.Ready(PlanFor(request, seen, self, way, deposed, siblings), notices);
    }

    private static Plan PlanFor(
        PromoteRequest request, PromoteSeen seen, NodeRecord self, PromoteWay way, List<NodeId> deposed, List<Step> siblings)
    {
        List<Step> steps = [];
        if (seen.Local is NodeProbe.Standby)
            steps.Add(new Step.Promote(request.On, self, way, request.Within));
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
                $"{node.Record.Label} is a running primary",
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
            $"{node.Record.Label} is running and may be a primary",
            $"It is registered as the primary, listens, and does not let us in: {rejected.Reason}",
            "Stop it first, or make it answer; use -F/--force only if you know that it is not a primary.");

    // What the operator configured goes before all, and the server's own function before what reaches into its data directory.
    private static PromoteWay? WayTo(PromoteRequest request, PromoteSeen seen) => (request.Command, seen.Rights) switch
    {
        ({ } command, _) => new PromoteWay.Command(command),
        (_, { IsSuperuser: false, Promotes: false }) when seen.Local is NodeProbe.Standby => (seen.PgCtl as Detected<PromoteWay.PgCtl>.Found)?.Value,
        _ => new PromoteWay.Sql(),
    };

    private static IEnumerable<Problem> Rights(PromoteSeen seen, PromoteWay? way, IReadOnlyList<string> lacking)
    {
        if (seen.Rights is not { } rights || (way is not null && lacking.Count == 0))
            yield break;

        // A standby takes no GRANT: where the primary is gone, the server's operating-system user is the way left.
        string[] function = way is null ? [Grants.Promote(rights.Role)] : [];
        string outside = way is null && (seen.PgCtl as Detected<PromoteWay.PgCtl>.Unclear)?.Problem is { } why
            ? $"\nNor can pg_ctl be used from here: {why.Message}. {why.Detail}"
            : "";
        yield return new Problem(
            $"role \"{rights.Role}\" may not promote this node",
            Grants.Missing([.. function, .. lacking]) + outside,
            $"{Grants.RunThem(rights.Database)} If that is gone, "
            + (way is null
                ? "run repmgr on the standby's own host as the operating-system user of its server, name a superuser in conninfo, or set service_promote_command to \"pg_ctl promote -D DATA_DIRECTORY\"."
                : "name a superuser in conninfo."));
    }

    private static Problem FromOutside(RightsView rights) => new(
        $"role \"{rights.Role}\" may not execute pg_promote, so pg_ctl promotes the server",
        Grants.Missing([Grants.Promote(rights.Role)]),
        $"{Grants.RunThem(rights.Database)} Then this node can also be promoted from another host.");

    private static IEnumerable<Problem> Ahead(NodeProbe.Standby self, List<NodeView> others)
    {
        foreach (NodeView node in others)
        {
            if (node.Probe is NodeProbe.Standby other && other.Server.Timeline == self.Server.Timeline && other.Position > self.Position)
            {
                yield return new Problem(
                    $"{node.Record.Label} has more WAL than this node",
                    $"It has {other.Position - self.Position} bytes more (up to {other.Position}; this node has {self.Position}). They are lost, and that node must be cloned anew if it has replayed them.",
                    "Promote that node in place of this one to keep them.");
            }
        }
    }

    private static Problem Resumed(NodeRecord self) => new(
        $"{self.Label} accepts writes already",
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
                $"Left behind: {string.Join(", ", siblings.Select(node => node.Record.Label))}.",
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
            return new Problem(
                $"{sibling.Record.Label} cannot be reached, so it cannot be made to follow", sibling.Probe.Obstacle ?? "It could not be asked.", hint);
        }

        (on, view) = found;
        if (view.Rights.AltersSource && view.Rights.Reloads && view.Source is not null)
        {
            return view.Source.PrimaryConninfo["password"] is null
                ? null
                : new Problem(
                    $"{sibling.Record.Label} has a password in primary_conninfo, so it cannot be made to follow from here",
                    "ALTER SYSTEM would put the password into the server's log and statistics.",
                    hint);
        }

        return new Problem(
            $"role \"{view.Rights.Role}\" may not change where {sibling.Record.Label} streams from",
            Grants.Missing([.. Grants.Repoint(view.Rights.Role), $"GRANT pg_monitor TO {SqlText.Name(view.Rights.Role)};"]),
            $"{Grants.RunThem(view.Rights.Database)} Or: {char.ToLowerInvariant(hint[0])}{hint[1..]}");
    }

    private static IEnumerable<Step> StepsFor(PromoteRequest request, NodeRecord self, NodeView sibling, Conninfo on, FollowerView view)
    {
        NodeRecord node = sibling.Record;
        Conninfo upstream = Conninfo.TryParse(self.Conninfo, out Conninfo? parsed, out _) ? parsed : Conninfo.Empty;
        string? slot = view.Source!.SlotName ?? node.SlotName;
        ReplicationSource source = FollowPlanner.SourceTo(
            node, upstream, new ReplicationCredentials(view.Source.PrimaryConninfo["user"], null, null), view.Source.PrimaryConninfo, slot, sibling.Probe.Running!.Version);
        if (slot is not null)
            yield return new Step.ReserveSlot(request.On, self.Label, slot);
        yield return new Step.Repoint(on, node, source, new RepointWay.Sql());
        yield return new Step.AwaitStreaming(
            on, node, request.On, self, source, request.FollowWithin,
            $"See the server log of \"{node.Name}\" for the reason, and run \"repmgr standby follow\" there.");
        yield return new Step.WriteNode(
            request.On, node with { Upstream = self.Id, SlotName = slot }, [], Replace: true);
    }
}
