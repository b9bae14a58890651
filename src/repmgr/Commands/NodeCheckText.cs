using Repmgr.Cli.Output;
using Repmgr.Core.Checks.Nodes;
using Repmgr.Core.Cluster;

namespace Repmgr.Cli.Commands;

/// <summary>The forms of <c>node check</c> that repmgr 5 has.</summary>
internal static class NodeCheckText
{
    public static IEnumerable<string> Lines(NodeRecord node, IEnumerable<CheckFinding> findings) =>
        [$"Node \"{node.Name}\":", .. findings.Select(finding => $"\t{finding.Item.Title}: {Single(finding)}")];

    public static IEnumerable<string> Csv(NodeRecord node, IEnumerable<CheckFinding> findings) =>
    [
        QuotedCsv.Line("Node name", node.Name),
        QuotedCsv.Line("Node ID", node.Id.ToString()),
        .. findings.Select(finding => QuotedCsv.Line(finding.Item.Title, finding.Status.Name(), finding.Details)),
    ];

    public static string Single(CheckFinding finding) => $"{finding.Status.Name()} ({finding.Details})";

    /// <summary>The line of a Nagios plugin. A bar in the text would end it.</summary>
    /// <remarks>https://nagios-plugins.org/doc/guidelines.html#PLUGOUTPUT</remarks>
    public static string Nagios(CheckFinding finding)
    {
        string details = (finding.NagiosDetails ?? finding.Details).Replace('|', '/').ReplaceLineEndings(" ");
        return $"{finding.Item.NagiosName} {finding.Status.Name()}: {details}{(finding.Performance is { } performance ? $" | {performance}" : "")}";
    }
}
