using Repmgr.Core.Cluster;

namespace Repmgr.Core.Checks.Nodes;

/// <summary>What <c>node status</c> tells.</summary>
/// <param name="View">What was seen.</param>
/// <param name="MissingSlots">Slots that registered standbys are to use here, and that are not there.</param>
/// <param name="Issues">What <c>node check</c> would not call OK. Any makes the exit code 25.</param>
public sealed record NodeStatusReport(NodeHealthView View, IReadOnlyList<string> MissingSlots, IReadOnlyList<string> Issues)
{
    public static NodeStatusReport Of(NodeHealthView view, CheckLimits limits) => new(
        view,
        SlotCheck.MissingNames(view),
        [
            .. NodeChecks.All(view, limits).Where(finding => finding.Status != CheckStatus.Ok)
                .Select(finding => $"{finding.Item.Title}: {finding.Details}"),
            .. Paused(view),
        ]);

    /// <summary>What it runs as, whatever it is registered as.</summary>
    public string Role => View.Self.Type == NodeType.Witness ? "witness" : View.Node.Probe is NodeProbe.Standby ? "standby" : "primary";

    /// <summary>As registered; null for a node without one.</summary>
    public NodeRecord? Upstream => View.Self.Upstream is { } id ? View.Cluster.Find(id)?.Record : null;

    /// <summary>Null when it cannot be told, and for a node that is no standby.</summary>
    public long? LagSeconds => LagCheck.Seconds(View);

    private static IEnumerable<string> Paused(NodeHealthView view)
    {
        if (view.Node.Probe is NodeProbe.Standby { ReplayPaused: true } standby && standby.Position - (standby.Replayed ?? Postgres.Lsn.Zero) is > 0 and var pending)
            yield return $"replay is paused with {pending} bytes of WAL to be replayed";
    }
}
