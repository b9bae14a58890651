using Repmgr.Core.Problems;

namespace Repmgr.Core.Settings;

/// <summary>What has to hold between settings.</summary>
public static class SettingRules
{
    /// <summary>Every rule that is broken.</summary>
    public static IEnumerable<Problem> Check(Settings settings, IReadOnlyDictionary<string, ConfPlace> places)
    {
        if (settings.ArchiveReadyCritical <= settings.ArchiveReadyWarning)
            yield return NotAbove("archive_ready_critical", settings.ArchiveReadyCritical, "archive_ready_warning", settings.ArchiveReadyWarning, places);

        if (settings.ReplicationLagCritical <= settings.ReplicationLagWarning)
        {
            yield return NotAbove(
                "replication_lag_critical",
                settings.ReplicationLagCritical.TotalSeconds,
                "replication_lag_warning",
                settings.ReplicationLagWarning.TotalSeconds,
                places);
        }

        if (settings is { LeaseStore: LeaseStore.Etcd, EtcdEndpoints.Count: 0 })
            yield return new Problem("\"lease_store\" is etcd, and \"etcd_endpoints\" is not set", null, "Name etcd's client URLs with etcd_endpoints.");

        if (settings.EtcdCertFile is null != settings.EtcdKeyFile is null)
            yield return new Problem("only one of \"etcd_cert_file\" and \"etcd_key_file\" is set", "A certificate is worth nothing without its key.", "Set both, or neither.");

        if (settings.StandbyReconnectTimeout < settings.NodeRejoinTimeout)
        {
            yield return new Problem(
                $"\"standby_reconnect_timeout\" is less than \"node_rejoin_timeout\"{Places(places, "standby_reconnect_timeout", "node_rejoin_timeout")}",
                $"They are {settings.StandbyReconnectTimeout.TotalSeconds} and {settings.NodeRejoinTimeout.TotalSeconds} seconds.",
                "Raise standby_reconnect_timeout, or lower node_rejoin_timeout.");
        }
    }

    /// <summary>
    /// The problems of a command that needs these keys, for those of them that are not set. One problem names all of them.
    /// </summary>
    /// <param name="settings">What was read.</param>
    /// <param name="path">From which file, or null when none was found.</param>
    /// <param name="names">Keys of <see cref="SettingTable"/>.</param>
    public static IReadOnlyList<Problem> Missing(Settings settings, string? path, params IReadOnlyList<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        string[] missing = [.. names.Where(name => SettingTable.Find(name)?.Show(settings) is null)];
        return (missing, path) switch
        {
            ([], _) => [],
            (_, null) => [new Problem(
                "no configuration file was found",
                $"This command needs these settings: {string.Join(", ", missing)}.",
                "Name the file with --config-file, or put it where it is looked for: ./repmgr.conf, /etc/repmgr.conf or /etc/repmgr/repmgr.conf.")],
            _ => [new Problem(
                $"{(missing.Length == 1 ? "a required setting is" : "required settings are")} missing from file \"{path}\"",
                $"Not set: {string.Join(", ", missing)}.",
                "Add a line \"name = 'value'\" for each.")],
        };
    }

    private static Problem NotAbove(string critical, double high, string warning, double low, IReadOnlyDictionary<string, ConfPlace> places) => new(
        $"\"{critical}\" is not greater than \"{warning}\"{Places(places, critical, warning)}",
        $"They are {high} and {low}.",
        $"Raise {critical}, or lower {warning}.");

    /// <summary>Where the two were set, the later place last; nothing for one that has its default.</summary>
    private static string Places(IReadOnlyDictionary<string, ConfPlace> places, string first, string second)
    {
        string[] found = [.. new[] { first, second }.Select(places.GetValueOrDefault).OfType<ConfPlace>().Select(place => place.ToString())];
        return found.Length == 0 ? "" : " " + string.Join(" and ", found);
    }
}
