using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover;

/// <summary>How the own node stands as a candidate (R7).</summary>
internal static class Candidacies
{
    /// <summary>How far its data go; null for a voter without data: a witness, a node being made anew, one that cannot tell (R8, R12).</summary>
    public static DataPosition? DataOf(AgentState state) => state.Server.End is { } end ? DataAt(state, end) : null;

    /// <summary>How far its data go at least: enough to refuse a candidate that is behind, not to stand with.</summary>
    public static DataPosition? LeastOf(AgentState state) => DataOf(state) ?? (state.KnownEnd is { } end ? DataAt(state, end) : null);

    /// <summary>The node with its data, where it can tell how far they go (R9).</summary>
    public static SyncMember? MemberOf(AgentState state) =>
        DataOf(state) is not null && state.Identity is { } identity ? new SyncMember(state.Node, identity) : null;

    public static bool IsSynchronous(AgentState state) => state.Durable.Set is { Mode: not SyncMode.Off };

    /// <summary>Null: it says nothing of its data.</summary>
    public static Candidacy? Own(AgentState state)
    {
        // What only a server has that is being started, by whomever, the others are to fetch, or to wait for (R11).
        bool starts = state.Server is ServerView.Recovering { IsStarting: true } or ServerView.Recovering { Position: null } or ServerView.Unseen;
        DataPosition? known = starts ? LeastOf(state) : DataOf(state);
        if (known is not { } data || (starts && (state.Broken & BrokenRule.SilentWhileStarting) != 0))
            return null;
        ulong left = state.Server is ServerView.Recovering recovering ? recovering.LeftToReplay : 0;
        bool isNear = state.Leader is null || state.Leader.Location == state.Policy.Location;
        bool isMember = MemberOf(state) is { } member && state.Durable.Set?.Set.Members.Contains(member) == true;
        return new Candidacy(
            state.Node, data, state.Durable.Data!, IsEligible(state, data.Position), isMember, state.Policy.Priority, isNear, left);
    }

    private static DataPosition? DataAt(AgentState state, Lsn end) =>
        state.Durable is { Data: { } history, Rebuilding: null } ? history.At(end) : null;

    private static bool IsEligible(AgentState state, Lsn position)
    {
        bool isNearEnough = state.Policy.MaximumLag is not { } limit || state.Leader is not { } leader
            || position >= leader.Position || (ulong)(leader.Position - position) <= limit;
        return state.Server is ServerView.Recovering { IsStarting: false, Position: not null } && state.Policy is { Priority: > 0, IsDelayed: false } && isNearEnough && !state.IsStopping;
    }
}
