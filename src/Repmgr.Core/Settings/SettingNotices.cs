using Repmgr.Core.Problems;

namespace Repmgr.Core.Settings;

/// <summary>What the operator should know about a file that is otherwise good.</summary>
internal static class SettingNotices
{
    public static IEnumerable<LogLine> For(Settings settings, IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce) =>
        [.. Replaced(inForce), .. Pending(inForce), .. Retired(inForce), .. WithAgents(settings, inForce), .. Password(settings, inForce), .. Events(settings, inForce)];

    private static IEnumerable<LogLine> Pending(IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce) => Together(
        inForce, setting => setting.Pending, "settings have no effect yet", feature => $"They belong to a feature that is not in this version: {feature}");

    private static IEnumerable<LogLine> Replaced(IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce) => Together(
        inForce, setting => setting.Replaced, "settings have no effect any more", reason => $"Since repmgr 6 {reason}");

    private static IEnumerable<LogLine> WithAgents(Settings settings, IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce) => settings.Failover != FailoverMode.Automatic
        ? []
        : Together(inForce, setting => setting.WithAgents, "with failover = automatic settings decide nothing about a failover", reason => $"Instead {reason}");

    /// <summary>One notice for each reason: a file of 5.x has many such keys.</summary>
    private static IEnumerable<LogLine> Together(
        IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce, Func<Setting, string?> why, string message, Func<string, string> detail) =>
        from entry in inForce
        let reason = why(entry.Setting)
        where reason is not null
        group entry.Assigned by reason into those
        select new LogLine(
            Severity.Notice,
            $"{message}: {string.Join(", ", those.Select(assigned => $"\"{assigned.Name}\""))}",
            $"{detail(those.Key)}. Set at {string.Join(", ", those.Select(assigned => assigned.Place.Short))}.");

    private static IEnumerable<LogLine> Retired(IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce) =>
        from entry in inForce
        where entry.Setting.Retired is not null
        select new LogLine(Severity.Warning, $"setting \"{entry.Assigned.Name}\" has no effect any more {entry.Assigned.Place}", entry.Setting.Retired);

    private static IEnumerable<LogLine> Password(Settings settings, IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce)
    {
        if (settings.Conninfo?["password"] is not null && Place(inForce, "conninfo") is { } place)
        {
            yield return new LogLine(
                Severity.Warning,
                $"\"conninfo\" holds a password {place}",
                "It is used by this node, but not stored in the database; other nodes cannot use it.",
                "Keep the password in ~/.pgpass or another passfile on every node.");
        }
    }

    private static IEnumerable<LogLine> Events(Settings settings, IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce)
    {
        if (Place(inForce, "event_notifications") is not { } place)
            yield break;

        foreach (string unknown in settings.EventNotifications.Except(Cluster.EventName.All, StringComparer.Ordinal))
        {
            yield return new LogLine(
                Severity.Warning,
                $"unknown event \"{unknown}\" in \"event_notifications\" {place}",
                "No event of that name is ever recorded.",
                Nearest.To(unknown, Cluster.EventName.All) is { } near ? $"Perhaps \"{near}\" is meant." : null);
        }
    }

    private static ConfPlace? Place(IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce, string name) =>
        inForce.FirstOrDefault(entry => entry.Setting.Name == name).Assigned?.Place;
}
