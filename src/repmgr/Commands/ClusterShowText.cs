using System.Globalization;
using Repmgr.Cli.Output;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;

namespace Repmgr.Cli.Commands;

/// <summary>The forms of <c>cluster show</c> that repmgr 5 has, to the byte, and the second table of <c>--detail</c>.</summary>
internal static class ClusterShowText
{
    public static TextTable Table(ClusterReport report, bool compact)
    {
        TextTable table = compact
            ? new TextTable("ID", "Name", "Role", "Status", "Upstream", "Location", "Prio.", "TLI")
            : new TextTable("ID", "Name", "Role", "Status", "Upstream", "Location", "Priority", "Timeline", "Connection string");
        foreach (NodeReport node in report.Nodes)
        {
            List<string> cells =
            [
                node.Record.Id.ToString(),
                node.Record.Name,
                node.Record.Type.Name(),
                node.Status,
                node.Upstream,
                node.Record.Location,
                Number(node.Record.Priority),
                Timeline(node),
            ];
            if (!compact)
                cells.Add(ClusterShowCommand.Shown(node.Record.Conninfo));
            table.Add(cells);
        }

        return table;
    }

    /// <summary>What each node says of itself.</summary>
    public static TextTable Detail(ClusterReport report)
    {
        TextTable table = new("ID", "Name", "Running as", "Timeline", "Position", "Lag bytes", "Lag seconds", "Attached to", "State", "Sync");
        foreach (NodeReport node in report.Nodes)
        {
            var to = node.Attachment as Attachment.To;
            table.Add(
                node.Record.Id.ToString(),
                node.Record.Name,
                RunningAs(node.Probe) ?? "",
                Timeline(node),
                node.Position?.ToString() ?? "",
                node.Lag?.ReplayedBytes is { } bytes ? Number(bytes) : "",
                node.Lag?.Time is { } time ? time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture) : "",
                to?.Node.Name ?? "",
                State(node),
                to?.Sender.SyncState ?? "");
        }

        return table;
    }

    /// <summary>How failover stands, and which protection is missing.</summary>
    public static void Failover(ResultOutput output, AgentsView agents)
    {
        output.Line("");
        foreach (string line in AgentsText.Summary(agents))
            output.Line(line);
        foreach (string lack in agents.Lacks())
            output.Line($"not protected: {lack}");
    }

    /// <summary>Availability is 0 or -1; recovery is 0 for a primary, 1 for a standby, -1 when it is not known.</summary>
    public static IEnumerable<string> Csv(ClusterReport report) =>
        report.Nodes.Select(node => node.Probe switch
        {
            NodeProbe.Primary => $"{node.Record.Id},0,0",
            NodeProbe.Standby => $"{node.Record.Id},0,1",
            NodeProbe.Agent => $"{node.Record.Id},0,0",
            _ => $"{node.Record.Id},-1,-1",
        });

    public static string? RunningAs(NodeProbe probe) => probe switch
    {
        NodeProbe.Primary => "primary",
        NodeProbe.Standby => "standby",
        _ => null,
    };

    public static string State(NodeReport node) => node.Attachment switch
    {
        Attachment.To to => to.Sender.State ?? "attached",
        Attachment.None => "detached",
        Attachment.Unknown => "unknown",
        _ => "",
    };

    private static string Timeline(NodeReport node) =>
        node.Record.Type == NodeType.Witness ? "n/a" : node.Timeline is { } timeline ? Number(timeline) : "";

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
