using Repmgr.Core.Checks;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning.Rejoining;

/// <summary>What <c>node rejoin</c> is asked to do.</summary>
/// <param name="Self">The node's record.</param>
/// <param name="Settings">Its configuration.</param>
/// <param name="Credentials">How it logs in to its upstream, as configured.</param>
public sealed record RejoinRequest(NodeRecord Self, Settings.Settings Settings, ReplicationCredentials Credentials);

/// <summary>What was seen before.</summary>
/// <param name="DataDirectory">Of the node, whose server is stopped.</param>
/// <param name="State">How that has ended.</param>
/// <param name="Copy">How far its data and its WAL go.</param>
/// <param name="Version">The major version of its data.</param>
/// <param name="Present">Where it streamed from before; null: it was a primary, or that is not known.</param>
/// <param name="Primary">The primary, which it is to follow.</param>
public sealed record RejoinSeen(string DataDirectory, DatabaseState State, CopyEnd Copy, PostgresVersion Version, ReplicationSource? Present, UpstreamView Primary);

/// <summary>Decides whether a node whose server is stopped can come back as a standby with the data that it has.</summary>
public static class RejoinPlanner
{
    /// <summary>A server that was not stopped in good order has WAL to replay first.</summary>
    private static readonly TimeSpan StartWithin = TimeSpan.FromMinutes(30);

    public static Planned Plan(RejoinRequest request, RejoinSeen seen)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(seen);
        NodeRecord self = request.Self, primary = seen.Primary.Node.Record;
        ReplicationSource source = SourceFor(request, seen);
        Problem[] problems = [.. Obstacles(request, seen), .. FollowPlanner.Room(self, null, seen.Primary, source)];
        if (problems.Length > 0)
            return new Planned.Refused(problems, ExitCode.RejoinFailed);

        List<Step> steps = [];
        if (source.SlotName is { } slot && seen.Primary.Room?.Slots.Any(each => each.Name == slot) == false)
            steps.Add(new Step.ReserveSlot(seen.Primary.On, primary.Label, slot));
        steps.Add(new Step.ConfigureStandby(seen.DataDirectory, StandbyConfiguration.Of(request.Settings, source, delay: null)));
        steps.Add(new Step.StartStandby(seen.DataDirectory, self.Name, source.SlotName, seen.Primary.On, primary.Label, StartWithin, request.Settings.NodeRejoinTimeout));
        steps.Add(new Step.WriteNode(seen.Primary.On, self with { Type = NodeType.Standby, Upstream = primary.Id, Active = true, SlotName = source.SlotName }, [], Replace: true));
        return new Planned.Ready(new Plan(steps, AftermathFrom: steps.Count - 1), [Way(seen, primary)]);
    }

    private static IEnumerable<Problem> Obstacles(RejoinRequest request, RejoinSeen seen)
    {
        NodeRecord self = request.Self, primary = seen.Primary.Node.Record;
        if (seen.Primary.Node.Probe.Running is not { } server)
        {
            yield return ConnectionProblem.From(seen.Primary.Node.Probe, primary.Name, seen.Primary.On).Problem;
            yield break;
        }

        if (server.Version.Major != seen.Version.Major)
        {
            yield return new Problem(
                $"nodes \"{self.Name}\" and \"{primary.Name}\" are of different versions of PostgreSQL",
                $"The data of \"{self.Name}\" are of {seen.Version.Major}, \"{primary.Name}\" runs {server.Version}; WAL is understood within one major version only.");
        }

        if (seen.Primary.Refused is { } refused)
            yield return refused;
        else if (seen.Primary.End is { } end && AncestryCheck.WhyNotFollow(self.Name, seen.Copy, primary.Name, end) is { } diverged)
            yield return diverged;
    }

    private static ReplicationSource SourceFor(RejoinRequest request, RejoinSeen seen)
    {
        // A slot that was in use stays in use, whoever configured it: without it WAL could be gone before it is sent.
        string? slot = seen.Present?.SlotName ?? (request.Settings.UseReplicationSlots ? request.Self.SlotName ?? $"repmgr_slot_{request.Self.Id}" : null);
        Conninfo upstream = Conninfo.TryParse(seen.Primary.Node.Record.Conninfo, out Conninfo? parsed, out _) ? parsed : Conninfo.Empty;
        return FollowPlanner.SourceTo(request.Self, upstream, request.Credentials, seen.Present?.PrimaryConninfo, slot, seen.Version);
    }

    private static Problem Way(RejoinSeen seen, NodeRecord primary) => new(
        $"its data can follow {primary.Label} as they are",
        $"{(seen.State is DatabaseState.ShutDown or DatabaseState.ShutDownInRecovery ? "Its server was stopped in good order" : "Its server was not stopped in good order, and replays what it has first")}: its WAL ends at {seen.Copy.Received} on timeline {seen.Copy.Timeline}, which \"{primary.Name}\" has too. Nothing is lost.");
}
