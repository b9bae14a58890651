using System.Globalization;
using Repmgr.Core.Cluster;

namespace Repmgr.Core.Cloning;

/// <summary>The settings for <c>postgresql.auto.conf</c> that make a standby of a copy, and away with what would end its recovery.</summary>
public static class StandbyConfiguration
{
    private static readonly string[] Targets = ["recovery_target", "recovery_target_name", "recovery_target_time", "recovery_target_xid", "recovery_target_lsn", "recovery_target_timeline"];

    /// <param name="settings">Of the node.</param>
    /// <param name="source">Where it is to stream from.</param>
    /// <param name="delay">How far it is to lag behind on purpose; null: as the settings say.</param>
    /// <returns>Name to value; null removes the setting. May hold a password.</returns>
    public static IReadOnlyDictionary<string, string?> Of(Settings.Settings settings, ReplicationSource source, TimeSpan? delay)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(source);
        var all = new Dictionary<string, string?>
        {
            ["primary_conninfo"] = source.PrimaryConninfo.Reveal(),
            ["primary_slot_name"] = source.SlotName,
            ["recovery_min_apply_delay"] = (delay ?? settings.RecoveryMinApplyDelay) is { Ticks: > 0 } behind ? string.Create(CultureInfo.InvariantCulture, $"{behind.TotalMilliseconds:0}ms") : null,
        };
        foreach (string target in Targets)
            all[target] = null;
        if (settings.RestoreCommand is { } restore)
            all["restore_command"] = restore;
        if (settings.ArchiveCleanupCommand is { } cleanup)
            all["archive_cleanup_command"] = cleanup;
        return all;
    }
}
