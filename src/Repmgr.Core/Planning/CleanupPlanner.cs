using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Planning;

/// <summary>Decides where monitoring history is deleted: on the one primary.</summary>
public static class CleanupPlanner
{
    /// <param name="cluster">All nodes.</param>
    /// <param name="keepDays">Rows of so many days stay; 0: none.</param>
    /// <param name="standby">Only this standby's; null: all.</param>
    /// <param name="own">The local node's conninfo, for its password.</param>
    public static Planned Plan(ClusterView cluster, int keepDays, NodeId? standby, Conninfo own) =>
        PrimarySearch.In(cluster) switch
        {
            PrimarySearch.Found primary => new Planned.Ready(new Plan([new Step.DeleteHistory(NodeReach.Of(primary.Node.Record, own), keepDays, standby)])),
            PrimarySearch.NotFound missing => new Planned.Refused([missing.Problem], missing.ExitCode),
            _ => throw new ArgumentException("a search of no known outcome", nameof(cluster)),
        };
}
