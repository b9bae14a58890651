namespace Repmgr.Core.Cluster;

/// <summary>Something that happened to a node: a row of <c>repmgr.events</c>, and what its notification can tell.</summary>
/// <param name="Node">The node it happened to.</param>
/// <param name="Name">One of <see cref="EventName"/>.</param>
/// <param name="Successful">False when what was tried has failed.</param>
/// <param name="Details">A sentence, or null.</param>
/// <param name="About">What <c>%p</c>, <c>%c</c> and <c>%a</c> stand for; null for events that have none.</param>
public sealed record ClusterEvent(NodeId Node, string Name, bool Successful, string? Details, EventSubject? About = null);

/// <summary>The other node an event is about.</summary>
/// <param name="Id"><c>%p</c>: the current primary (register, follow), or the former one (switchover, failover).</param>
/// <param name="Conninfo"><c>%c</c></param>
/// <param name="Name"><c>%a</c></param>
public sealed record EventSubject(NodeId Id, string? Conninfo = null, string? Name = null);

/// <summary>An event as it was recorded; its node's name is null when the node is registered no more.</summary>
public sealed record RecordedEvent(
    NodeId Node, string? NodeName, string Name, bool Successful, DateTimeOffset At, string? Details)
{
    /// <summary>The time to the second, in the time zone of the server's session.</summary>
    public required string LocalTime { get; init; }
}
