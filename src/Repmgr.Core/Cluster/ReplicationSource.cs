using Repmgr.Core.Postgres;

namespace Repmgr.Core.Cluster;

/// <summary>Where a standby is told to stream from.</summary>
/// <param name="PrimaryConninfo"><c>primary_conninfo</c>. May hold a password.</param>
/// <param name="SlotName"><c>primary_slot_name</c>; null: no slot.</param>
public sealed record ReplicationSource(Conninfo PrimaryConninfo, string? SlotName);
