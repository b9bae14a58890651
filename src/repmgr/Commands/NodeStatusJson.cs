using System.Globalization;
using System.Text.Json.Serialization;
using Repmgr.Core.Checks.Nodes;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;

namespace Repmgr.Cli.Commands;

/// <summary><c>node status --json</c>. What could not be found out is null.</summary>
internal sealed record NodeStatusJson(
    int NodeId,
    string NodeName,
    string Role,
    string RegisteredType,
    bool Active,
    string Version,
    string SystemIdentifier,
    int Timeline,
    string Conninfo,
    string? DataDirectory,
    long? DataBytes,
    ArchivingJson Archiving,
    int MaxWalSenders,
    int UsedWalSenders,
    int MaxReplicationSlots,
    IReadOnlyList<SlotJson> ReplicationSlots,
    IReadOnlyList<string> MissingReplicationSlots,
    int? UpstreamNodeId,
    string? UpstreamNodeName,
    long? ReplicationLagSeconds,
    long? ReplicationLagBytes,
    string? LastReceivedLsn,
    string? LastReplayedLsn,
    bool? ReplayPaused,
    IReadOnlyList<string> Issues)
{
    public static NodeStatusJson Of(NodeStatusReport report)
    {
        NodeHealthView view = report.View;
        ServerFacts server = view.Node.Probe.Running!;
        var standby = view.Node.Probe as NodeProbe.Standby;
        return new NodeStatusJson(
            view.Self.Id.Value,
            view.Self.Name,
            report.Role,
            view.Self.Type.Name(),
            view.Self.Active,
            server.Version.ToString(),
            server.SystemIdentifier.ToString(CultureInfo.InvariantCulture),
            server.Timeline,
            ClusterShowCommand.Shown(view.Self.Conninfo),
            view.Directory.OfServer ?? view.Directory.Configured,
            view.DataBytes,
            new ArchivingJson(view.Archiving.Mode, view.Archiving.Command, view.Archiving.Library, view.Archiving.Pending, view.Archiving.FailedFile),
            view.Room.MaxWalSenders,
            view.Room.UsedWalSenders,
            view.Room.MaxSlots,
            [.. view.Room.Slots.Select(SlotJson.Of)],
            report.MissingSlots,
            report.Upstream?.Id.Value,
            report.Upstream?.Name,
            report.LagSeconds,
            view.Node.Lag?.ReplayedBytes,
            standby?.Received?.ToString(),
            standby?.Replayed?.ToString(),
            standby?.ReplayPaused,
            report.Issues);
    }
}

/// <summary><c>LastFailed</c>: the file that could not be archived at the last attempt.</summary>
internal sealed record ArchivingJson(string Mode, string? Command, string? Library, int? PendingFiles, string? LastFailed);

internal sealed record SlotJson(string Name, string Type, bool Active, bool WalIsLost)
{
    public static SlotJson Of(SlotView slot) => new(slot.Name, slot.Physical ? "physical" : "logical", slot.ActivePid is not null, slot.Lost);
}

/// <summary><c>node status --is-shutdown-cleanly --json</c></summary>
internal sealed record ShutdownJson(string State, string? LastCheckpointLsn);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(NodeStatusJson))]
[JsonSerializable(typeof(ShutdownJson))]
internal sealed partial class NodeStatusJsonContext : JsonSerializerContext;
