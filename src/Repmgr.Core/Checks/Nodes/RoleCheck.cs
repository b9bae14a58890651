using Repmgr.Core.Cluster;

namespace Repmgr.Core.Checks.Nodes;

/// <summary>Whether a node is what it is registered as, and the only one.</summary>
internal static class RoleCheck
{
    public static CheckFinding Of(NodeHealthView view)
    {
        string type = view.Self.Type.Name();
        string running = view.Node.Probe is NodeProbe.Standby ? "standby" : "primary";
        string[] others = [.. view.Cluster.LivePrimaries.Where(node => node.Record.Type != NodeType.Witness && node.Record.Id != view.Self.Id).Select(node => node.Record.Label)];
        return (view.Self.Type, view.Node.Probe) switch
        {
            (NodeType.Primary, NodeProbe.Standby) or (NodeType.Standby, NodeProbe.Primary) or (NodeType.Witness, NodeProbe.Standby) =>
                Finding(CheckStatus.Critical, $"node is registered as {type} but running as {running}"),
            (NodeType.Primary, _) when others.Length > 0 => Finding(CheckStatus.Critical, $"node is primary, and so is {string.Join(", ", others)}"),
            _ when !view.Self.Active => Finding(CheckStatus.Warning, $"node is {type}, but registered as inactive"),
            _ => Finding(CheckStatus.Ok, $"node is {type}"),
        };
    }

    private static CheckFinding Finding(CheckStatus status, string details) => new(CheckItem.Role, status, details);
}
