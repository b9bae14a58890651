using System.Globalization;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Failover;

/// <summary>Where a node's file says something else than what the cluster remembers, which counts (R13).</summary>
internal static class AgreedDifferences
{
    public static void Warn(Settings settings, DurableState durable, ILog log)
    {
        foreach (Problem differing in new[] { Of(settings, durable), OfStore(settings, durable.Membership) }.OfType<Problem>())
            log.Write(Severity.Warning, differing);
    }

    /// <summary>Where the lease lies was decided when failover began; null: this node's file says the same.</summary>
    public static Problem? OfStore(Settings settings, Membership membership)
    {
        LeaseStore agreed = membership.Store is null ? LeaseStore.Peers : LeaseStore.Etcd;
        if (membership.Voters.Count == 0 || (agreed == settings.LeaseStore && (agreed == LeaseStore.Peers || settings.EtcdEndpoints.Count > 0)))
            return null;
        string without = agreed == LeaseStore.Etcd && settings.EtcdEndpoints.Count == 0 ? " Without etcd_endpoints this node can neither hold a lease nor be elected." : "";
        return new Problem(
            $"lease_store = {Word(settings.LeaseStore)} is not what the cluster has agreed on",
            $"Its failover began with lease_store = {Word(agreed)}, and that counts. It cannot be changed while automatic failover lasts.{without}",
            agreed == LeaseStore.Peers ? "Write lease_store = peers into repmgr.conf." : "Write lease_store = etcd and etcd_endpoints into repmgr.conf.");
    }

    /// <summary>Null: they agree.</summary>
    public static Problem? Of(Settings settings, DurableState durable)
    {
        // Who is not admitted yet knows nothing of what was agreed on.
        if (durable.Membership.Voters.Count == 0)
            return null;
        (SyncMode mode, int count) = durable.Set is { } set ? (set.Mode, set.Wanted) : (SyncMode.Off, settings.SynchronousNodeCount);
        AgreedTimes times = durable.Membership.Times ?? new AgreedTimes(settings.LeaseTtl, settings.AgentRestartGrace);
        List<(string File, string Agreed)> differing = [];
        Compare("synchronous", Word(settings.Synchronous), Word(mode));
        if (mode != SyncMode.Off)
            Compare("synchronous_node_count", Number(settings.SynchronousNodeCount), Number(count));
        Compare("lease_ttl", Number(settings.LeaseTtl.TotalMilliseconds) + "ms", Number(times.Ttl.TotalMilliseconds) + "ms");
        Compare("agent_restart_grace", Number(settings.AgentRestartGrace.TotalMilliseconds) + "ms", Number(times.RestartGrace.TotalMilliseconds) + "ms");
        return differing.Count == 0 ? null : new Problem(
            $"{string.Join(", ", differing.Select(pair => pair.File))} is not what the cluster has agreed on",
            $"It goes by {string.Join(", ", differing.Select(pair => pair.Agreed))}.",
            "Write the same into repmgr.conf, or change it for all with \"repmgr service set\".");

        void Compare(string name, string file, string agreed)
        {
            if (file != agreed)
                differing.Add(($"{name} = {file}", $"{name} = {agreed}"));
        }
    }

    private static string Word<T>(T value)
        where T : struct, Enum => value.ToString().ToLowerInvariant();

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
