using Repmgr.Core.Checks;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Planning.Following;

/// <summary>What was seen of a running standby that decides how it can be pointed elsewhere.</summary>
/// <param name="Rights">What the role may do there.</param>
/// <param name="Source">Where it is told to stream from now; null when that is unset or may not be seen.</param>
/// <param name="DataDirectory">The directory in which this process can change <c>postgresql.auto.conf</c>; null when it cannot.</param>
public sealed record FollowerView(ReplicationRights Rights, ReplicationSource? Source, string? DataDirectory);

/// <summary>What repmgr's role may do on a server that concerns replication.</summary>
/// <param name="Role"><c>current_user</c></param>
/// <param name="IsSuperuser">Then it may do everything.</param>
/// <param name="AltersSource">It may set <c>primary_conninfo</c> and <c>primary_slot_name</c> with <c>ALTER SYSTEM</c>.</param>
/// <param name="Reloads">It may call <c>pg_reload_conf()</c>.</param>
/// <param name="Monitors">It may read all statistics.</param>
/// <param name="Replicates">It may make and drop slots.</param>
/// <param name="Database"><c>current_database()</c>: rights on functions hold there.</param>
public sealed record ReplicationRights(
    string Role, bool IsSuperuser, bool AltersSource, bool Reloads, bool Monitors, bool Replicates, string Database);

/// <summary>What a server has left for standbys.</summary>
/// <param name="MaxWalSenders"><c>max_wal_senders</c></param>
/// <param name="UsedWalSenders">Those that are taken.</param>
/// <param name="MaxSlots"><c>max_replication_slots</c></param>
/// <param name="Slots">All slots, logical ones too, since they share the limit.</param>
public sealed record ServerRoom(int MaxWalSenders, int UsedWalSenders, int MaxSlots, IReadOnlyList<SlotView> Slots)
{
    public int FreeWalSenders => MaxWalSenders - UsedWalSenders;

    public int FreeSlots => MaxSlots - Slots.Count;
}

/// <summary>What was seen of the server that is to be streamed from.</summary>
/// <param name="Node">It, as registered and as it answered.</param>
/// <param name="On">How it is reached.</param>
/// <param name="End">Its timeline and position, over a connection like the standby's own; null when that was refused.</param>
/// <param name="Refused">Why the replication connection was refused; null when it was not.</param>
/// <param name="Room">What it has left; null when it could not be asked.</param>
/// <param name="Rights">What the role may do there; null when it could not be asked.</param>
public sealed record UpstreamView(NodeView Node, Conninfo On, SourceEnd? End, Problem? Refused, ServerRoom? Room, ReplicationRights? Rights);
