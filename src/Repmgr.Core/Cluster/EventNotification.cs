using System.Globalization;

namespace Repmgr.Core.Cluster;

/// <summary>Which events are announced, and what <c>event_notification_command</c> is told.</summary>
public static class EventNotification
{
    /// <summary>Is this event to be announced?</summary>
    /// <param name="filter">The names in <c>event_notifications</c>; empty: all events.</param>
    /// <param name="name">The event's name.</param>
    public static bool IsWanted(IReadOnlyCollection<string> filter, string name) =>
        filter.Count == 0 || filter.Contains(name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The command for an event.</summary>
    /// <param name="template"><c>event_notification_command</c></param>
    /// <param name="happened">The event.</param>
    /// <param name="at">When it was recorded, or, if it could not be, when it happened.</param>
    public static HookCommand Compose(string template, ClusterEvent happened, DateTimeOffset at) =>
        HookCommand.Compose(template, new Dictionary<char, HookValue>
        {
            ['n'] = new("REPMGR_NODE_ID", happened.Node.ToString()),
            ['e'] = new("REPMGR_EVENT", happened.Name),
            ['s'] = new("REPMGR_SUCCESSFUL", happened.Successful ? "1" : "0"),
            ['t'] = new("REPMGR_TIMESTAMP", Timestamp(at)),
            ['d'] = new("REPMGR_DETAILS", happened.Details),
            ['p'] = new("REPMGR_SUBJECT_ID", happened.About?.Id.ToString()),
            ['c'] = new("REPMGR_SUBJECT_CONNINFO", happened.About?.Conninfo),
            ['a'] = new("REPMGR_SUBJECT_NAME", happened.About?.Name),
        });

    /// <summary>As PostgreSQL writes a timestamptz, <c>2026-01-31 08:15:00.123456+00</c>, which is what repmgr 5 passes.</summary>
    private static string Timestamp(DateTimeOffset at)
    {
        string offset = at.ToString("zzz", CultureInfo.InvariantCulture);
        string seconds = at.ToString("yyyy-MM-dd HH:mm:ss.FFFFFF", CultureInfo.InvariantCulture);
        return seconds + (offset.EndsWith(":00", StringComparison.Ordinal) ? offset[..^3] : offset);
    }
}
