using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover;

/// <summary>How the own node stands as a candidate (R7).</summary>
internal static class Candidacies
{
    /// <summary>How far its data go; null for a voter without data: a witness, a node being made anew, one that cannot tell (R8, R12).</summary>
    public static DataPosition? DataOf(AgentState state) => state.Server.End is { } end ? DataAt(state, end) : null;

    /// <summary>How far its data go at least: enough to refuse a candidate that is behind, not to stand with.</summary>
    public static DataPosition? LeastOf(AgentState state) => DataOf(state) ?? (state.KnownEnd is { } end ? DataAt(state, end) : null);

    public static Candidacy? Own(AgentState state)
    {
        if (DataOf(state) is not { } data)
            return null;
        ulong left = state.Server is ServerView.Recovering recovering ? recovering.LeftToReplay : 0;
        bool isNear = state.Leader is null || state.Leader.Location == state.Policy.Location;
        return new Candidacy(
            state.Node, data, state.Durable.Data!, IsEligible(state, data.Position), IsSynchronous: false, state.Policy.Priority, isNear, left);
    }

    private static DataPosition? DataAt(AgentState state, Lsn end) =>
        state.Durable is { Data: { } history, Rebuilding: null } ? history.At(end) : null;

    private static bool IsEligible(AgentState state, Lsn position)
    {
        bool isNearEnough = state.Policy.MaximumLag is not { } limit || state.Leader is not { } leader
            || position >= leader.Position || (ulong)(leader.Position - position) <= limit;
        return state.Server is ServerView.Recovering && state.Policy is { Priority: > 0, IsDelayed: false } && isNearEnough && !state.IsStopping;
    }
}
