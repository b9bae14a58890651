using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Observation;

/// <summary>What one look at a server brought: what it is, and its copy of the table of nodes.</summary>
public sealed record NodeLook(NodeProbe Probe, NodeTable Table)
{
    /// <summary>A connection that did not come about, as an answer.</summary>
    public static NodeProbe ProbeOf(ConnectResult failed) => failed switch
    {
        ConnectResult.Rejected rejected => new NodeProbe.Rejected(rejected.SqlState, rejected.Reason),
        ConnectResult.Silent silent => new NodeProbe.Silent(silent.Reason),
        _ => throw new ArgumentException("the server was reached", nameof(failed)),
    };
}

/// <summary>One server's copy of <c>repmgr.nodes</c>.</summary>
public abstract record NodeTable
{
    private NodeTable() { }

    /// <param name="Records">By ascending node id.</param>
    public sealed record Rows(IReadOnlyList<NodeRecord> Records) : NodeTable;

    /// <summary>There is no such table in the database looked at.</summary>
    public sealed record Missing : NodeTable;

    /// <summary>The server was not reached, or the role may not read the table.</summary>
    /// <param name="Reason">In the server's words.</param>
    /// <param name="Rights">What the role may do, where that is the reason.</param>
    public sealed record Unreadable(string Reason, RightsView? Rights = null) : NodeTable
    {
        /// <summary>Which rights are missing to use the metadata like that; null when something else is the reason.</summary>
        public Problem? Lacking(MetadataUse use) => Rights is null ? null : RightsCheck.For(use, Rights);

        /// <summary>The rights that are missing, or what else is the reason.</summary>
        public Problem Explain(MetadataUse use) => Lacking(use) ?? new Problem("the table of nodes cannot be read", $"{Reason.TrimEnd('.')}.");
    }

    /// <summary>The rows, or none.</summary>
    public IReadOnlyList<NodeRecord> RecordsOrNone => this is Rows rows ? rows.Records : [];
}
