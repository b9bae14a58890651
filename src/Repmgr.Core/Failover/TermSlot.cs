using System.Globalization;
using Repmgr.Core.Cluster;

namespace Repmgr.Core.Failover;

/// <summary>
/// The slot through which a standby streams from a holder. Its name carries the term in which the standby was pointed there
/// (docs/adr/0081), so that what streams through it is known to be of that holder.
/// </summary>
public static class TermSlot
{
    public const string Pattern = "repmgr_t%", FilePattern = "repmgr_t*";

    public static string Name(Term term, NodeId holder, NodeId standby) =>
        string.Create(CultureInfo.InvariantCulture, $"repmgr_t{term}_h{holder}_n{standby}");

    /// <summary>Whose the slot is; null: it is not one of these.</summary>
    public static NodeId? StandbyOf(string name) =>
        Read(name) is not null && int.TryParse(name.AsSpan(name.LastIndexOf('n') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int node) ? new NodeId(node) : null;

    /// <summary>Who the slot leads to; null: it is not one of these.</summary>
    public static (Term Term, NodeId Holder)? Read(string? name)
    {
        if (name?.Split('_') is not ["repmgr", ['t', .. var term], ['h', .. var holder], ['n', ..]]
            || !long.TryParse(term, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            || !int.TryParse(holder, NumberStyles.None, CultureInfo.InvariantCulture, out int node))
            return null;
        return (new Term(number), new NodeId(node));
    }
}
