using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Engine.Failover;

/// <summary>How a node stands, for load balancers and monitoring.</summary>
/// <param name="Node">Its number.</param>
/// <param name="Name">Its name.</param>
/// <param name="IsRunning">Its server answers.</param>
/// <param name="IsPrimary">It holds a lease and its server takes writes.</param>
/// <param name="IsStandby">Its server replays.</param>
/// <param name="IsStreaming">It streams from the holder.</param>
/// <param name="Lag">Bytes behind what the holder last announced; null: not known.</param>
/// <param name="Term">The highest term it knows; 0 before it is a voter.</param>
/// <param name="Holder">Who holds that term, as far as it knows.</param>
/// <param name="Role">What its agent is about.</param>
/// <param name="LeaseLeft">How long its own lease lasts, where it holds one.</param>
/// <param name="Voters">How many voters there are.</param>
public sealed record AgentHealth(
    int Node, string Name, bool IsRunning, bool IsPrimary, bool IsStandby, bool IsStreaming, ulong? Lag, long Term, int? Holder, string Role,
    TimeSpan? LeaseLeft, int Voters)
{
    /// <summary>What an acknowledged commit is worth, as far as this node knows; null: the cluster does without synchronous standbys.</summary>
    public CommitProtection? Commits { get; init; }
}

/// <summary>What an acknowledged commit is worth (R9, R16).</summary>
/// <param name="Mode"><c>synchronous</c>.</param>
/// <param name="Wanted"><c>synchronous_node_count</c>.</param>
/// <param name="Count">How many standbys acknowledge each commit.</param>
/// <param name="Members">Which ones can.</param>
/// <param name="IsMember">This node is one of them, with these data and under the name that counts.</param>
/// <param name="Unprotected">Why acknowledged commits may be lost; null: nothing is known to speak against it. Only the primary's agent knows.</param>
public sealed record CommitProtection(SyncMode Mode, int Wanted, int Count, IReadOnlyList<int> Members, bool IsMember, string? Unprotected)
{
    internal static CommitProtection? Of(AgentState? state)
    {
        if (state?.Durable.Set is not { Mode: not SyncMode.Off } remembered)
            return null;
        var server = state.Server as ServerView.Writable;
        StampedSet? inForce = state.Role is Role.Holding ? state.Durable.InForce : state.Leader?.InForce;
        SyncSet set = inForce?.Set ?? remembered.Set;
        bool isMember = inForce is not null && state is { Server: ServerView.Recovering { Stamp: { } stamp }, Identity: { } identity }
            && stamp == inForce.Stamp && set.Members.Contains(new SyncMember(state.Node, identity));
        string? unprotected = server is null ? null
            : set.Count == 0 ? "no standby is in the synchronous set: it has one again when it has caught up"
            : server.Unprotected;
        return new CommitProtection(remembered.Mode, remembered.Wanted, set.Count, [.. set.Members.Where(member => !member.IsNobody).Select(member => member.Node.Value)], isMember, unprotected);
    }
}
