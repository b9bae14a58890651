using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning.Switchover;

/// <summary>What a check found.</summary>
/// <param name="Weight">What comes of it.</param>
/// <param name="Problem">What it is.</param>
public sealed record Finding(FindingWeight Weight, Problem Problem);

/// <summary>What comes of a finding.</summary>
public enum FindingWeight
{
    /// <summary>It is told.</summary>
    Notice,

    /// <summary>It stands in the way unless <c>--force</c> is given.</summary>
    Forcible,

    /// <summary>It stands in the way.</summary>
    Blocks,
}

/// <summary>What speaks against a switchover from one node to another: all of it, not just the first.</summary>
internal sealed class SwitchoverChecks(SwitchoverRequest request, SwitchoverSeen seen, NodeView primary, NodeView candidate)
{
    private readonly string _old = primary.Record.Label, _new = candidate.Record.Label;

    public IEnumerable<Finding> All()
    {
        if (candidate.Record.Type == NodeType.Witness)
        {
            yield return Blocks($"{_new} is a witness", "It has no copy of the data.", "Name a standby.");
            yield break;
        }

        if (candidate.Probe is not NodeProbe.Standby standby)
        {
            yield return new Finding(FindingWeight.Blocks, ConnectionProblem.From(candidate.Probe, candidate.Record.Name, NodeReach.Of(candidate.Record, request.Own)).Problem);
            yield break;
        }

        if (!candidate.Record.Active)
            yield return Inactive(standby);
        foreach (Finding finding in (Finding[])[.. Attached(standby), .. Behind(standby), .. Agents(), .. Backups(), .. Archiving(), .. Room(), .. Capacities(), .. Elsewhere(), .. Absent()])
            yield return finding;
    }

    private IEnumerable<Finding> Attached(NodeProbe.Standby standby)
    {
        ServerFacts server = primary.Probe.Running!;
        if (!Streams(standby))
        {
            yield return Blocks(
                $"{_new} does not stream from {_old}",
                standby.Receiver is { SenderHost: { } host } receiver ? $"It streams from {host}:{receiver.SenderPort}." : "It runs no WAL receiver that could be seen.",
                "Only a standby of the primary itself can take its role: let it follow first. Its server log says what keeps it from streaming.");
        }

        if (standby.Server.Timeline != server.Timeline)
        {
            yield return Blocks(
                string.Create(CultureInfo.InvariantCulture, $"{_new} is on timeline {standby.Server.Timeline}, and {_old} on timeline {server.Timeline}"),
                "It does not have what the primary has written.", "Let it follow the primary first.");
        }
    }

    private bool Streams(NodeProbe.Standby standby) =>
        primary.Probe.Running!.Downstreams.Any(sender => sender.IsOf(candidate.Record)) || NodeReach.Serves(primary.Record, standby.Receiver);

    // A primary that has become a standby is recorded as one by its own repmgrd, a few seconds later.
    private Finding Inactive(NodeProbe.Standby standby) => Streams(standby)
        ? Notice($"the record of {_new} says that it is not active", "It streams all the same: its repmgrd has not recorded that yet.")
        : Blocks($"{_new} is not active", "Its record says that it was taken out.", "Register it again first: \"repmgr standby register --force\".");

    private IEnumerable<Finding> Behind(NodeProbe.Standby standby)
    {
        if (standby.ReplayPaused)
            yield return Forcible($"replay is paused on {_new}", "What it has received meanwhile is replayed while there is no primary.", "Resume it there: SELECT pg_wal_replay_resume();");
        WalSenderFacts? sender = primary.Probe.Running!.Downstreams.FirstOrDefault(each => each.IsOf(candidate.Record));
        if (ReplicationLag.Between(standby, primary.Probe as NodeProbe.Primary, sender).Time is not { } lag || lag < request.Limits.LagWarning)
            yield break;
        string message = $"{_new} lags {Duration.Of(lag)} behind";
        yield return lag >= request.Limits.LagCritical
            ? Forcible(message, $"replication_lag_critical is {Duration.Of(request.Limits.LagCritical)}.", "Wait until it has caught up.")
            : Notice(message, $"replication_lag_warning is {Duration.Of(request.Limits.LagWarning)}.");
    }

    // How far it is behind is waited for, and what the agents themselves refuse needs no word of ours.
    private IEnumerable<Finding> Agents()
    {
        switch (RequestChoice.Promote(seen.Agents, request.Candidate, isForced: true))
        {
            case RequestChoice.Refused refused:
                yield return new Finding(FindingWeight.Blocks, refused.Problem);
                break;
            case RequestChoice.Wait:
                yield return Blocks("no node holds the lease, so there is nobody who could hand it over", $"At this moment, {seen.Agents.Now()}.", "\"repmgr cluster explain\" says what the agents wait for.");
                break;
            case RequestChoice.Ask ask when ask.Of[0] != primary.Record.Id:
                yield return Blocks($"{seen.Agents.Label(ask.Of[0])} holds the lease, and {_old} takes writes", null, "Look at \"repmgr cluster show\", and run this again when they are the same.");
                break;
        }
    }

    private IEnumerable<Finding> Backups()
    {
        if (seen.Primary is { IsInExclusiveBackup: true })
            yield return Blocks($"{_old} is in exclusive backup mode", "The backup would be lost.", "Wait for its end, or end it: SELECT pg_stop_backup();");
        int backups = primary.Probe.Running!.Downstreams.Count(sender => sender.State == "backup");
        if (backups > 0)
            yield return Forcible(string.Create(CultureInfo.InvariantCulture, $"{backups} base {(backups == 1 ? "backup is" : "backups are")} being taken from {_old}"), "They would fail when it stops.", "Wait for their end.");
    }

    // A server does not stop before all is archived that waits to be.
    private IEnumerable<Finding> Archiving()
    {
        if (seen.Primary?.ArchiveBacklog is not { } files || files < request.Limits.ArchiveWarning)
            yield break;
        string message = string.Create(CultureInfo.InvariantCulture, $"{files} files of WAL wait to be archived on {_old}");
        yield return files >= request.Limits.ArchiveCritical
            ? Forcible(
                message, string.Create(CultureInfo.InvariantCulture, $"archive_ready_critical is {request.Limits.ArchiveCritical}. A server that is stopped archives them first, for as long as it is given."),
                "See why archive_command fails or is slow, in that server's log.")
            : Notice(message, string.Create(CultureInfo.InvariantCulture, $"archive_ready_warning is {request.Limits.ArchiveWarning}. They are archived before the server stops, for as long as it is given."));
    }

    private IEnumerable<Finding> Room()
    {
        if (seen.Candidate is not { Room: { } room })
            yield break;
        int followers = SwitchoverPlanner.Followers(seen.Cluster, request.Candidate, primary.Record.Id).Count();
        int attached = candidate.Probe.Running!.Downstreams.Count;
        if (room.FreeWalSenders + attached < followers || room.FreeSlots < followers)
        {
            yield return Forcible(
                $"{_new} has not enough room for its standbys",
                string.Create(CultureInfo.InvariantCulture, $"{followers} are to stream from it, with a slot each; {Math.Max(room.FreeWalSenders, 0)} of max_wal_senders = {room.MaxWalSenders} and {Math.Max(room.FreeSlots, 0)} of max_replication_slots = {room.MaxSlots} are free."),
                "Raise these settings, which needs a restart of that server.");
        }
    }

    private IEnumerable<Finding> Capacities()
    {
        if (seen is not { Primary.Capacities: { } before, Candidate.Capacities: { } after })
            yield break;
        string[] greater = [.. before.Where(setting => after.TryGetValue(setting.Key, out long value) && value > setting.Value)
            .Select(setting => string.Create(CultureInfo.InvariantCulture, $"{setting.Key} is {setting.Value} there and {after[setting.Key]} on {_new}"))];
        if (greater.Length > 0)
            yield return Forcible($"{_old} could not come back as a standby", $"A hot standby must not have less than its primary: {string.Join("; ", greater)}.", "Make them equal, which needs a restart.");
    }

    private IEnumerable<Finding> Elsewhere()
    {
        if (primary.Record.Location != candidate.Record.Location)
            yield return Notice($"the primary moves from location \"{primary.Record.Location}\" to \"{candidate.Record.Location}\"", null);
    }

    private IEnumerable<Finding> Absent()
    {
        foreach (NodeView node in seen.Cluster.Nodes.Where(node => node.Record is { Type: NodeType.Standby, Active: true } && node.Probe.Running is null))
        {
            if (node.Record.Id != request.Candidate)
                yield return Notice($"{node.Record.Label} cannot be reached, and is not waited for", $"{node.Probe.Obstacle?.TrimEnd('.')}. Its agent lets it follow when it is back.");
        }
    }

    private static Finding Blocks(string message, string? detail, string hint) => new(FindingWeight.Blocks, new Problem(message, detail, hint));

    private static Finding Forcible(string message, string detail, string hint) => new(FindingWeight.Forcible, new Problem(message, detail, $"{hint} -F/--force goes on all the same."));

    private static Finding Notice(string message, string? detail) => new(FindingWeight.Notice, new Problem(message, detail));
}
