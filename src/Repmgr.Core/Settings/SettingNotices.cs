using Repmgr.Core.Problems;

namespace Repmgr.Core.Settings;

/// <summary>What the operator should know about a file that is otherwise good.</summary>
internal static class SettingNotices
{
    public static IEnumerable<LogLine> For(Settings settings, IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce) =>
        [.. Replaced(inForce), .. Pending(inForce), .. Retired(inForce), .. WithAgents(settings, inForce), .. Password(settings, inForce), .. Events(settings, inForce)];

    /// <summary>One notice for each feature: a file of 5.x has many such keys.</summary>
    private static IEnumerable<LogLine> Pending(IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce) =>
        from entry in inForce
        where entry.Setting.Pending is not null
        group entry by entry.Setting.Pending into feature
        select new LogLine(
            Severity.Notice,
            $"settings have no effect yet: {string.Join(", ", feature.Select(entry => $"\"{entry.Assigned.Name}\""))}",
            $"They belong to a feature that is not in this version: {feature.Key}. Set at {string.Join(", ", feature.Select(entry => entry.Assigned.Place.Short))}.");

    private static IEnumerable<LogLine> Replaced(IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce) =>
        from entry in inForce
        where entry.Setting.Replaced is not null
        group entry by entry.Setting.Replaced into reason
        select new LogLine(
            Severity.Notice,
            $"settings have no effect any more: {string.Join(", ", reason.Select(entry => $"\"{entry.Assigned.Name}\""))}",
            $"Since repmgr 6 {reason.Key}. Set at {string.Join(", ", reason.Select(entry => entry.Assigned.Place.Short))}.");

    private static IEnumerable<LogLine> Retired(IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce) =>
        from entry in inForce
        where entry.Setting.Retired is not null
        select new LogLine(Severity.Warning, $"setting \"{entry.Assigned.Name}\" has no effect any more {entry.Assigned.Place}", entry.Setting.Retired);

    private static IEnumerable<LogLine> WithAgents(Settings settings, IReadOnlyList<(Setting Setting, Assigned Assigned)> inForce) => settings.Failover != FailoverMode.Automatic
        ? []
        : from entry in inForce
          where entry.Setting.WithAgents is not null
          group entry by entry.Setting.WithAgents into reason
          select new LogLine(
              Severity.Notice,
              $"with failover = automatic settings decide nothing about a failover: {string.Join(", ", reason.Select(entry => $"\"{entry.Assigned.Name}\""))}",
              $"Instead {reason.Key}. Set at {string.Join(", ", reason.Select(entry => entry.Assigned.Place.Short))}.");

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
