using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Monitoring;

/// <summary>
/// On a primary: compares the nodes that are registered below it with the WAL senders at work. When too few are left for too
/// long, <c>child_nodes_disconnect_command</c> runs, once until there are enough again.
/// </summary>
internal static class ChildNodesWatch
{
    public static ChildNodes Decide(ChildNodes before, Situation s, Surroundings around, ChildPolicy policy, TurnNotes notes)
    {
        if (policy.Every == TimeSpan.Zero)
            return ChildNodes.Unseen;
        if (s.Own.Probe is not NodeProbe.Primary primary || around.OwnRecord is null)
            // A server that is away has no senders; that its children are gone is no news then. Another role has no children here.
            return s.Own.Probe is NodeProbe.Standby ? ChildNodes.Unseen : before;
        if (before.Nodes is not null && s.Clock - before.LastCheck < policy.Every)
            return before;

        ChildNode[] now =
        [
            .. around.Known
                .Where(node => node.Type == NodeType.Standby && node.Upstream == s.Own.Node)
                .Select(node => Look(node, before.Nodes, primary, s, notes)),
        ];
        bool ran = RunCommand(before, now, s, policy, notes);
        return new ChildNodes(now, s.Clock, ran);
    }

    private static ChildNode Look(NodeRecord node, IReadOnlyList<ChildNode>? before, NodeProbe.Primary primary, Situation s, TurnNotes notes)
    {
        bool attached = primary.Server.Downstreams.Any(sender => sender.IsOf(node) && sender.State != "backup");
        ChildNode? was = before?.FirstOrDefault(child => child.Id == node.Id);
        switch (was, attached)
        {
            case (null, true) when before is not null:
                notes.Tell(EventName.ChildNodeNewConnect, successful: true, Severity.Notice, $"new standby {node.Quoted} has connected");
                break;
            case (null, false):
                notes.Say(Severity.Warning, $"standby {node.Quoted} is registered below this node but not attached");
                break;
            case ({ IsAttached: true }, false):
                notes.Tell(EventName.ChildNodeDisconnect, successful: true, Severity.Notice, $"standby {node.Quoted} has disconnected");
                return new ChildNode(node.Id, IsAttached: false, s.Clock);
            case ({ IsAttached: false, DetachedAt: var since }, true):
                string after = since is { } at ? $" after {OwnServerWatch.Seconds(s.Clock - at)} seconds" : "";
                notes.Tell(EventName.ChildNodeReconnect, successful: true, Severity.Notice, $"standby {node.Quoted} has reconnected{after}");
                break;
            case ({ IsAttached: false }, false):
                return was;
        }

        return new ChildNode(node.Id, attached, DetachedAt: null);
    }

    private static bool RunCommand(ChildNodes before, ChildNode[] now, Situation s, ChildPolicy policy, TurnNotes notes)
    {
        int connected = now.Count(child => child.IsAttached);
        int needed = policy.Needed(now.Length);
        if (policy.DisconnectCommand is not { } command || now.Length == 0 || connected >= needed)
            return false;
        if (before.CommandRan)
            return true;

        // The last one to go counts, and only one seen to go: who was gone when the watch began may never have been there.
        TimeSpan? last = now.Max(child => child.DetachedAt);
        if (last is not { } at || s.Clock - at < policy.DisconnectTimeout)
            return false;
        string why = string.Create(
            CultureInfo.InvariantCulture,
            $"{connected} of {now.Length} child nodes are connected and at least {needed} must be; the last one left {OwnServerWatch.Seconds(s.Clock - at)} seconds ago");
        notes.Say(Severity.Warning, "running child_nodes_disconnect_command", why + ".");
        notes.Acts.Add(new WatchAct.RunChildCommand(command, s.Own.Node, why));
        return true;
    }
}
