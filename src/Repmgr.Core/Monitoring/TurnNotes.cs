using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Monitoring;

/// <summary>Collects what one turn says and wants, while its parts decide one after the other.</summary>
internal sealed class TurnNotes(NodeRecord self)
{
    public List<WatchAct> Acts { get; } = [];

    public List<LogLine> Lines { get; } = [];

    /// <summary>What is wrong in this turn. Only what was not wrong in the last one is said.</summary>
    public List<LogLine> Complaints { get; } = [];

    public void Say(Severity severity, string message, string? detail = null, string? hint = null) =>
        Lines.Add(new LogLine(severity, message, detail, hint));

    public void Complain(Severity severity, string message, string? detail = null, string? hint = null) =>
        Complaints.Add(new LogLine(severity, message, detail, hint));

    /// <summary>Records an event of this node, and says the same in the log.</summary>
    public void Tell(string name, bool successful, Severity severity, string details, EventSubject? about = null)
    {
        Say(severity, details);
        Acts.Add(new WatchAct.Tell(new ClusterEvent(self.Id, name, successful, details, about)));
    }
}
