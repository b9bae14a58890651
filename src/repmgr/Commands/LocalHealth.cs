using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;
using Repmgr.Engine.Observation;

namespace Repmgr.Cli.Commands;

/// <summary>What <c>node status</c> and <c>node check</c> have in common.</summary>
internal static class LocalHealth
{
    public static Task<NodeHealth> LookAsync(LocalNode node, HealthWish wanted, CancellationToken cancel) =>
        new NodeHealthLook(node.Tools.Connector, node.Tools.Cluster).LookAsync(node.Id, node.On, node.Settings, wanted, cancel);

    /// <summary>Why nothing can be said of the node.</summary>
    public static (Problem Problem, ExitCode ExitCode) Why(LocalNode node, NodeHealth health) => health switch
    {
        NodeHealth.Unreached unreached => ConnectionProblem.From(unreached.Probe, NameOf(node), node.On),
        NodeHealth.Unregistered { Table: NodeTable.Unreadable unreadable } =>
            (unreadable.Explain(MetadataUse.Show), unreadable.Lacking(MetadataUse.Show) is null ? ExitCode.DbQuery : ExitCode.BadConfig),
        NodeHealth.Unregistered { Table: NodeTable.Rows rows } => (
            new Problem(
                $"node {node.Id} is not registered",
                $"Registered are: {string.Join(", ", rows.Records.Select(record => record.Quoted))}.",
                "Register it with \"repmgr standby register\", or correct node_id in repmgr.conf."),
            ExitCode.BadConfig),
        NodeHealth.Unregistered => (
            new Problem(
                $"node \"{NameOf(node)}\" knows no cluster",
                $"There is no table repmgr.nodes where this leads to: {node.On}",
                "Run \"repmgr primary register\" on the primary first, or name another database in conninfo."),
            ExitCode.BadConfig),
        _ => throw new ArgumentException("the node was seen", nameof(health)),
    };

    public static string NameOf(LocalNode node) => node.Settings.NodeName ?? $"node{node.Id}";
}
