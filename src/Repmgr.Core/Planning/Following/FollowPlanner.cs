using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning.Following;

/// <summary>What <c>standby follow</c> is asked to do.</summary>
/// <param name="Self">The standby's record.</param>
/// <param name="On">How it is reached.</param>
/// <param name="Credentials">How it logs in to its upstream, as configured.</param>
/// <param name="UseSlots"><c>use_replication_slots</c></param>
/// <param name="Restart"><c>standby_follow_restart</c>: restart in place of a reload.</param>
/// <param name="RestartWithin">How long a restart may take.</param>
/// <param name="Within">How long it may take until it streams.</param>
public sealed record FollowRequest(
    NodeRecord Self, Conninfo On, ReplicationCredentials Credentials, bool UseSlots, bool Restart, TimeSpan RestartWithin, TimeSpan Within);

/// <summary>What was seen before.</summary>
/// <param name="Local">What the standby answered.</param>
/// <param name="Follower">How it can be pointed elsewhere; null when it was not reached.</param>
/// <param name="Copy">How far it has come; null when it was not reached or is no standby.</param>
/// <param name="Upstream">The node it is to follow.</param>
/// <param name="Primary">The primary's record.</param>
/// <param name="PrimaryOn">How the primary is reached.</param>
/// <param name="Former">The node it follows now, by its record, where that is another one; null: none, or it is not known.</param>
/// <param name="FormerOn">How that is reached.</param>
public sealed record FollowSeen(
    NodeProbe Local,
    FollowerView? Follower,
    CopyEnd? Copy,
    UpstreamView Upstream,
    NodeRecord Primary,
    Conninfo PrimaryOn,
    NodeView? Former,
    Conninfo? FormerOn);

/// <summary>Decides how a standby comes to stream from another node.</summary>
public static class FollowPlanner
{
    public static Planned Plan(FollowRequest request, FollowSeen seen)
    {
        if (seen.Local is not NodeProbe.Standby standby || seen.Follower is not { } follower || seen.Copy is not { } copy)
            return NotAStandby(request, seen.Local);

        NodeRecord upstream = seen.Upstream.Node.Record;
        ReplicationSource source = SourceFor(request, seen, follower, standby);
        RepointWay? way = WayTo(follower, source, request.Restart);
        List<Problem> problems = [.. Rights(follower, seen.Upstream, way, source)];
        problems.AddRange(Attachable(request.Self, copy, standby, seen.Upstream));
        problems.AddRange(Room(request.Self, standby.Receiver, seen.Upstream, source));
        if (problems.Count > 0 || way is null)
            return new Planned.Refused(problems, seen.Upstream.Refused is null ? ExitCode.BadConfig : ExitCode.FollowFailed);

        ReplicationSource? back = BackTo(standby, follower, source);
        List<Step> steps = [];
        bool newSlot = source.SlotName is { } slot && seen.Upstream.Room?.Slots.Any(s => s.Name == slot) == false;
        if (newSlot)
            steps.Add(new Step.ReserveSlot(seen.Upstream.On, upstream.Label, source.SlotName!));
        if (follower.Source != source)
            steps.Add(new Step.Repoint(request.On, request.Self, source, way));
        if (request.Restart)
            steps.Add(new Step.RestartServer(request.Self, request.RestartWithin));
        steps.Add(new Step.AwaitStreaming(
            request.On, request.Self, seen.Upstream.On, upstream, source, request.Within, Otherwise(request.Self, upstream, back is not null)));

        int aftermath = steps.Count;
        NodeRecord record = request.Self with { Type = NodeType.Standby, Upstream = upstream.Id, Active = true, SlotName = source.SlotName };
        if (record != request.Self)
            steps.Add(new Step.WriteNode(seen.PrimaryOn, record, [], Replace: true));
        (Step? drop, Problem? left) = FormerSlot(seen, follower, upstream);
        if (drop is not null)
            steps.Add(drop);
        return new Planned.Ready(
            new Plan(steps, aftermath, WayBack(request, seen, way, back, newSlot ? source.SlotName : null)),
            left is null ? [] : [left]);
    }

    /// <summary>
    /// The setting for another upstream. What the standby logs in with now is kept where the configuration says nothing: a
    /// password that an operator put there is not ours to take away, and without it the standby would be cut off.
    /// </summary>
    public static ReplicationSource SourceTo(
        NodeRecord standby, Conninfo upstream, ReplicationCredentials configured, Conninfo? present, string? slot, PostgresVersion version)
    {
        Conninfo built = PrimaryConninfo.Build(
            upstream,
            standby.Name,
            new ReplicationCredentials(
                configured.User ?? (standby.ReplicationUser.Length > 0 ? standby.ReplicationUser : null),
                configured.Passfile ?? present?["passfile"],
                configured.Password ?? present?["password"]),
            version);
        string[] ownFiles = ["sslcert", "sslkey", "sslrootcert", "sslpassword"];
        foreach (string keyword in ownFiles.Where(keyword => present?[keyword] is not null))
            built = built.WithDefault(keyword, present![keyword]!);
        return new ReplicationSource(built, slot);
    }

    private static ReplicationSource SourceFor(FollowRequest request, FollowSeen seen, FollowerView follower, NodeProbe.Standby standby)
    {
        // A slot that is in use stays in use, whoever configured it: without it WAL could be gone before it is sent.
        string? slot = request.UseSlots
            ? request.Self.SlotName ?? follower.Source?.SlotName ?? $"repmgr_slot_{request.Self.Id}"
            : follower.Source?.SlotName;
        Conninfo upstream = Conninfo.TryParse(seen.Upstream.Node.Record.Conninfo, out Conninfo? parsed, out _) ? parsed : Conninfo.Empty;
        return SourceTo(request.Self, upstream, request.Credentials, follower.Source?.PrimaryConninfo, slot, standby.Server.Version);
    }

    /// <summary>How the source can be changed; null when this process has no right to do it in any way.</summary>
    /// <remarks>ALTER SYSTEM would put a password into the server's log and statistics, so one that is there goes by the file.</remarks>
    public static RepointWay? WayTo(FollowerView follower, ReplicationSource source, bool restart)
    {
        ReplicationRights rights = follower.Rights;
        bool secret = source.PrimaryConninfo["password"] is not null;
        RepointWay? file = follower.DataDirectory is { } directory
            ? new RepointWay.File(directory, restart ? FileReload.NotNow : rights.Reloads ? FileReload.Sql : FileReload.Signal)
            : null;
        RepointWay? sql = rights is { AltersSource: true, Reloads: true } && !secret ? new RepointWay.Sql() : null;
        return restart || secret ? file ?? sql : sql ?? file;
    }

    private static Planned.Refused NotAStandby(FollowRequest request, NodeProbe local)
    {
        if (local is NodeProbe.Primary)
        {
            return new Planned.Refused([new Problem(
                $"{request.Self.Label} is a primary",
                "Only a running standby can be pointed at another node.",
                "To make it a standby of the new primary, clone it with \"repmgr standby clone --force\".")]);
        }

        (Problem problem, ExitCode code) = ConnectionProblem.From(local, request.Self.Name, request.On);
        return new Planned.Refused([problem], code);
    }

    private static IEnumerable<Problem> Rights(FollowerView follower, UpstreamView upstream, RepointWay? way, ReplicationSource source)
    {
        string role = SqlText.Name(follower.Rights.Role);
        List<string> grants = [];
        if (follower.Rights is { Monitors: false, IsSuperuser: false })
            grants.Add($"GRANT pg_monitor TO {role};");
        if (source.SlotName is not null && upstream.Rights is { Replicates: false, IsSuperuser: false } there)
            grants.Add($"ALTER ROLE {SqlText.Name(there.Role)} REPLICATION;");
        if (way is null)
            grants.AddRange(Grants.Repoint(follower.Rights.Role));
        if (grants.Count == 0)
            yield break;

        yield return new Problem(
            $"role \"{follower.Rights.Role}\" lacks rights to change where a standby streams from, and to see it",
            Grants.Missing(grants),
            Grants.RunThem(follower.Rights.Database)
            + (way is null ? " Or run repmgr on the standby's own host as the operating-system user that owns the data directory, with data_directory set." : ""));
    }

    private static IEnumerable<Problem> Attachable(NodeRecord self, CopyEnd copy, NodeProbe.Standby standby, UpstreamView upstream)
    {
        NodeRecord node = upstream.Node.Record;
        if (upstream.Node.Probe.Running is not { } server)
        {
            yield return ConnectionProblem.From(upstream.Node.Probe, node.Name, upstream.On).Problem;
            yield break;
        }

        if (server.Version.Major != standby.Server.Version.Major)
        {
            yield return new Problem(
                $"nodes \"{self.Name}\" and \"{node.Name}\" run different versions of PostgreSQL",
                $"\"{self.Name}\" runs {standby.Server.Version}, \"{node.Name}\" runs {server.Version}; WAL is understood within one major version only.");
        }

        if (upstream.Refused is { } refused)
            yield return refused;
        else if (upstream.End is { } end && AncestryCheck.WhyNotFollow(self.Name, copy, node.Name, end) is { } problem)
            yield return problem;
    }

    /// <summary>What the upstream lacks that a standby needs there.</summary>
    internal static IEnumerable<Problem> Room(NodeRecord self, WalReceiverFacts? receiver, UpstreamView upstream, ReplicationSource source)
    {
        if (upstream.Room is not { } room || upstream.Node.Probe.Running is not { } server)
            yield break;

        string named = $"node \"{upstream.Node.Record.Name}\"";
        bool attached = server.Downstreams.Any(sender => sender.IsOf(self)) || NodeReach.Serves(upstream.Node.Record, receiver);
        if (!attached && room.FreeWalSenders < 1)
        {
            yield return new Problem(
                $"{named} has no WAL sender left",
                $"max_wal_senders is {room.MaxWalSenders}, and {room.UsedWalSenders} are in use.",
                "Raise max_wal_senders there, which needs a restart, or end connections that are not needed.");
        }

        if (source.SlotName is not { } slot)
            yield break;

        switch (room.Slots.FirstOrDefault(s => s.Name == slot))
        {
            case null when room.FreeSlots < 1:
                yield return new Problem(
                    $"{named} has no replication slot left",
                    $"max_replication_slots is {room.MaxSlots}, and {room.Slots.Count} exist.",
                    "Raise max_replication_slots there, which needs a restart, or drop slots that are not needed.");
                break;
            case { Physical: false }:
                yield return new Problem(
                    $"slot \"{slot}\" on {named} is a logical one",
                    "A standby streams from a physical slot.",
                    "Drop or rename that slot, or set another slot_name for this node.");
                break;
            case { ActivePid: { } pid } when !attached:
                yield return new Problem(
                    $"slot \"{slot}\" on {named} is in use",
                    $"Process {pid} there streams from it, and it is not this standby.",
                    "End that connection, or find out who uses this node's slot.");
                break;
            case { Lost: true }:
                yield return new Problem(
                    $"slot \"{slot}\" on {named} has lost WAL",
                    "It fell further behind than max_slot_wal_keep_size allows.",
                    $"Drop it: SELECT pg_drop_replication_slot({SqlText.Literal(slot)}).");
                break;
        }
    }

    // Back is only where it streams now: a source that brings nothing is no better than the new one.
    private static ReplicationSource? BackTo(NodeProbe.Standby standby, FollowerView follower, ReplicationSource source) =>
        standby.Receiver is { Status: "streaming" } && follower.Source is { } present && present != source ? present : null;

    private static List<Step>? WayBack(FollowRequest request, FollowSeen seen, RepointWay way, ReplicationSource? back, string? newSlot)
    {
        if (back is null)
            return null;

        List<Step> steps = [new Step.Repoint(request.On, request.Self, back, WayTo(seen.Follower!, back, request.Restart) ?? way)];
        if (request.Restart)
            steps.Add(new Step.RestartServer(request.Self, request.RestartWithin));
        if (newSlot is not null)
            steps.Add(new Step.DropSlot(seen.Upstream.On, seen.Upstream.Node.Record.Label, newSlot));
        return steps;
    }

    private static string Otherwise(NodeRecord self, NodeRecord upstream, bool goesBack) => goesBack
        ? $"See the server log of \"{self.Name}\" for the reason. It is pointed back at where it streamed from before."
        : $"See the server log of \"{self.Name}\" for the reason. It stays pointed at \"{upstream.Name}\" and attaches as soon as the reason is gone; then run the command again to have it recorded.";

    private static (Step? Drop, Problem? Left) FormerSlot(FollowSeen seen, FollowerView follower, NodeRecord upstream)
    {
        if (follower.Source?.SlotName is not { } slot || seen.Former is not { } former || former.Record.Id == upstream.Id)
            return (null, null);

        if (former.Probe.Running is not null && seen.FormerOn is { } on)
            return (new Step.DropSlot(on, former.Record.Label, slot), null);

        return (null, new Problem(
            $"slot \"{slot}\" stays on {former.Record.Label}, which cannot be reached",
            Hint: $"When that server runs again, drop it there, or it keeps WAL for ever: SELECT pg_drop_replication_slot({SqlText.Literal(slot)})."));
    }
}
