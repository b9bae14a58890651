using Repmgr.Core.Cluster;

namespace Repmgr.Core.Failover;

/// <summary>How a node with data stands as a candidate (R7).</summary>
/// <param name="Node">Which.</param>
/// <param name="Data">How far its data go.</param>
/// <param name="History">The term history of its data.</param>
/// <param name="IsEligible">It may become primary: server up, priority above 0, not delayed, within the allowed lag.</param>
/// <param name="IsSynchronous">It is in the synchronous set.</param>
/// <param name="Priority">The greater comes first.</param>
/// <param name="IsNear">It is in the location of the last holder.</param>
/// <param name="LeftToReplay">Received and not replayed yet, in bytes.</param>
public sealed record Candidacy(
    NodeId Node, DataPosition Data, TermHistory History, bool IsEligible, bool IsSynchronous, int Priority, bool IsNear, ulong LeftToReplay);

/// <summary>Who is the better candidate: a total order over different nodes (R7).</summary>
public sealed class CandidateOrder : IComparer<Candidacy>
{
    /// <summary>The best one sorts first.</summary>
    public static CandidateOrder BestFirst { get; } = new();

    public int Compare(Candidacy? x, Candidacy? y)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        int order = y.Data.CompareTo(x.Data);
        if (order == 0)
            order = y.IsSynchronous.CompareTo(x.IsSynchronous);
        if (order == 0)
            order = y.Priority.CompareTo(x.Priority);
        if (order == 0)
            order = y.IsNear.CompareTo(x.IsNear);
        if (order == 0)
            order = x.LeftToReplay.CompareTo(y.LeftToReplay);
        return order == 0 ? x.Node.CompareTo(y.Node) : order;
    }
}
