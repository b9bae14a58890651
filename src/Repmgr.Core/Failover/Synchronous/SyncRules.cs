using Repmgr.Core.Cluster;

namespace Repmgr.Core.Failover.Synchronous;

/// <summary>When a set in force protects what a remembered set promises (R9).</summary>
public static class SyncRules
{
    /// <summary>
    /// Whoever acknowledges a commit under the set in force, together with the holder, meets whoever can elect by the remembered set:
    /// k in force ≥ k remembered + members in force that are not remembered, and one less when the holder itself is remembered.
    /// </summary>
    public static bool Covers(SyncSet inForce, SyncSet remembered, NodeId holder)
    {
        int strangers = inForce.Members.Count(member => !remembered.Members.Contains(member));
        int sure = Math.Max(0, inForce.Count - strangers) + (remembered.Contains(holder) ? 1 : 0);
        return sure >= remembered.Count;
    }

    /// <summary>
    /// Whether those who answered are enough to elect by the newest set among the answers: all but k − 1 of its members, each with the data it had when it
    /// became one; or its holder, fenced and with unchanged data. By an empty set only its holder can.
    /// </summary>
    public static bool MayElect(RememberedSet newest, IReadOnlyCollection<SyncMember> answered)
    {
        if (newest.Mode == SyncMode.Off || answered.Contains(newest.Holder))
            return true;
        SyncSet set = newest.Set;
        return set.Count > 0 && set.Members.Count(answered.Contains) >= set.Members.Length - set.Count + 1;
    }

    /// <summary>
    /// What the winner of an election sets before it is promoted: a failover is a change of the set that it inherited. It names everybody who may become a
    /// member where the count can be met, else only those that were members.
    /// </summary>
    /// <param name="least">Never fewer than these acknowledge: nobodies stand in for who is missing (<c>strict</c>).</param>
    public static SyncSet First(SyncSet inherited, SyncMember winner, IEnumerable<SyncMember> others, int least = 0)
    {
        SyncSet first = First(inherited, winner, others);
        return first.Count >= least ? first : Padded(first.Members, least);
    }

    private static SyncSet First(SyncSet inherited, SyncMember winner, IEnumerable<SyncMember> others)
    {
        if (inherited.Count == 0)
            return SyncSet.Empty;
        SyncMember[] wide = [.. others.Where(member => member.Node != winner.Node)];
        SyncMember[] narrow = [.. inherited.Members.Where(member => member.Node != winner.Node)];
        int owed = inherited.Count - (inherited.Contains(winner.Node) ? 1 : 0);
        int count = Math.Max(1, owed + wide.Count(member => !inherited.Members.Contains(member)));
        return count <= wide.Length ? SyncSet.Of(wide, count) : SyncSet.Of(narrow, Math.Max(1, owed));
    }

    /// <summary>The set that is wanted when these stream.</summary>
    /// <param name="streaming">Members, and those that have passed the position at which they were added.</param>
    /// <param name="count"><c>synchronous_node_count</c>.</param>
    /// <param name="isStrict">Never fewer than the count: members that are gone stay until others have come (<c>strict</c>).</param>
    /// <param name="leaving">Those whose data are about to be overwritten: they go in <c>strict</c>, too, and nobodies come in their place (R12).</param>
    public static SyncSet Wanted(
        SyncSet present, IReadOnlyCollection<SyncMember> streaming, int count, bool isStrict, IReadOnlyCollection<NodeId>? leaving = null)
    {
        if (!isStrict || streaming.Count >= count)
            return SyncSet.Of(streaming, Math.Min(count, streaming.Count));
        IEnumerable<SyncMember> gone = present.Members.Where(member =>
            !member.IsNobody && leaving?.Contains(member.Node) != true && !streaming.Any(other => other.Node == member.Node));
        return Padded([.. streaming, .. gone], count);
    }

    private static SyncSet Padded(IReadOnlyCollection<SyncMember> members, int count) => SyncSet.Of(
        [.. members, .. Enumerable.Range(1, Math.Max(0, count - members.Count)).Select(SyncMember.Nobody)], count);
}
