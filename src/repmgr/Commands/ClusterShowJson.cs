using System.Text.Json.Serialization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;

namespace Repmgr.Cli.Commands;

/// <summary><c>cluster show --json</c>: what is registered, what was seen, and where they disagree.</summary>
internal sealed record ClusterShowJson(DateTimeOffset SeenAt, IReadOnlyList<NodeJson> Nodes, IReadOnlyList<string> Issues)
{
    /// <summary>Left out where failover is manual.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public FailoverJson? Failover { get; init; }

    public static ClusterShowJson Of(ClusterReport report, AgentsView? agents = null) =>
        new(report.At, [.. report.Nodes.Select(NodeJson.Of)], report.Issues) { Failover = agents is null ? null : FailoverJson.Of(agents) };
}

/// <summary>A node. <c>Registered</c> is its record; <c>Seen</c> is null when it was not reached, and then <c>Unreachable</c> says why.</summary>
internal sealed record NodeJson(
    int Id, string Name, string Status, string Upstream, RegisteredJson Registered, SeenJson? Seen, string? Unreachable)
{
    public static NodeJson Of(NodeReport node) => new(
        node.Record.Id.Value,
        node.Record.Name,
        node.Status.Trim(),
        node.Upstream,
        new RegisteredJson(
            node.Record.Type.Name(),
            node.Record.Active,
            node.Record.Upstream?.Value,
            node.Record.Location,
            node.Record.Priority,
            ClusterShowCommand.Shown(node.Record.Conninfo),
            node.Record.ReplicationUser,
            node.Record.SlotName,
            node.Record.ConfigFile),
        SeenJson.Of(node),
        node.Probe.Obstacle);
}

/// <summary>A row of <c>repmgr.nodes</c>.</summary>
internal sealed record RegisteredJson(
    string Type, bool Active, int? UpstreamNodeId, string Location, int Priority, string Conninfo, string ReplicationUser, string? SlotName, string ConfigFile);

/// <summary>What the server says of itself, and of a standby what its upstream says. Lags are counted from the primary's position.</summary>
internal sealed record SeenJson(
    string Role,
    string Version,
    string SystemIdentifier,
    int Timeline,
    string? Position,
    string? Replayed,
    bool? ReplayPaused,
    string? ReplicationState,
    string? AttachedTo,
    string? SyncState,
    long? ReceiveLagBytes,
    long? ReplayLagBytes,
    double? LagSeconds)
{
    public static SeenJson? Of(NodeReport node)
    {
        if (node.Probe.Running is not { } server)
            return null;

        var standby = node.Probe as NodeProbe.Standby;
        var to = node.Attachment as Attachment.To;
        return new SeenJson(
            ClusterShowText.RunningAs(node.Probe)!,
            server.Version.ToString(),
            server.SystemIdentifier.ToString(System.Globalization.CultureInfo.InvariantCulture),
            server.Timeline,
            node.Position?.ToString(),
            standby?.Replayed?.ToString(),
            standby?.ReplayPaused,
            node.Attachment is null ? null : ClusterShowText.State(node),
            to?.Node.Name,
            to?.Sender.SyncState,
            node.Lag?.ReceivedBytes,
            node.Lag?.ReplayedBytes,
            node.Lag?.Time?.TotalSeconds);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ClusterShowJson))]
internal sealed partial class ClusterShowJsonContext : JsonSerializerContext;
