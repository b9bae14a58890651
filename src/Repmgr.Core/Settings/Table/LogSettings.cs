using Repmgr.Core.Problems;

namespace Repmgr.Core.Settings.Table;

internal static class LogSettings
{
    public static IReadOnlyList<Setting> All { get; } =
    [
        new Setting<Severity>("log_level", LogLevels, s => s.LogLevel, (s, v) => s with { LogLevel = v })
        {
            Aliases = ["loglevel"],
            Group = SettingGroup.Logging,
            Since = Generation.One,
            TakesEffect = TakesEffect.OnReload,
            Description = "The least grave messages that are written. The option --log-level overrides it.",
        },
        new Setting<LogFacility>("log_facility", LogFacilities, s => s.LogFacility, (s, v) => s with { LogFacility = v })
        {
            Aliases = ["logfacility"],
            Group = SettingGroup.Logging,
            Since = Generation.One,
            TakesEffect = TakesEffect.OnReload,
            Description = "Where messages go: STDERR, or a facility of syslog.",
        },
        new Setting<string?>("log_file", SettingType.Path, s => s.LogFile, (s, v) => s with { LogFile = v })
        {
            Aliases = ["logfile"],
            Group = SettingGroup.Logging,
            Since = Generation.Two,
            TakesEffect = TakesEffect.OnReload,
            Description = "A file that takes what would go to standard error: repmgrd's messages, and those of repmgr with --log-to-file. "
                + "repmgrd opens it anew on SIGHUP, as logrotate needs it.",
        },
        new Setting<LogFormat>(
            "log_format",
            SettingType.Choice(("line", LogFormat.Line), ("json", LogFormat.Json)),
            s => s.LogFormat,
            (s, v) => s with { LogFormat = v })
        {
            Group = SettingGroup.Logging,
            Since = Generation.Six,
            TakesEffect = TakesEffect.OnReload,
            Description = "The form of repmgrd's messages on standard error and in log_file: lines as repmgr 5 wrote them (line), or one JSON object a line (json). "
                + "Syslog has its own form.",
        },
        new Setting<TimeSpan>("log_status_interval", SettingType.Seconds(), s => s.LogStatusInterval, (s, v) => s with { LogStatusInterval = v })
        {
            Group = SettingGroup.Logging,
            TakesEffect = TakesEffect.OnReload,
            Description = "How often repmgrd writes a line that says what it watches and how that stands. 0: never.",
        },
        new Setting<string?>(
            "event_notification_command", SettingType.Command, s => s.EventNotificationCommand, (s, v) => s with { EventNotificationCommand = v })
        {
            Group = SettingGroup.Events,
            TakesEffect = TakesEffect.OnReload,
            Description = "A command that is run by a shell for each event. %n stands for the node's id, %e for the event, %s for success (1) or failure (0), %t for the time, "
                + "%d for the details; all of them are quoted for the shell.",
        },
        new Setting<IReadOnlyList<string>>(
            "event_notifications", SettingType.Names, s => s.EventNotifications, (s, v) => s with { EventNotifications = v })
        {
            Group = SettingGroup.Events,
            TakesEffect = TakesEffect.OnReload,
            Description = "The events the command is run for, separated by commas. When it is not set: all.",
        },
    ];

    private static SettingType<Severity> LogLevels => SettingType.Choice(
        ("DEBUG", Severity.Debug),
        ("INFO", Severity.Info),
        ("NOTICE", Severity.Notice),
        ("WARNING", Severity.Warning),
        ("ERROR", Severity.Error),
        ("ERR", Severity.Error), // 1.x
        ("ALERT", Severity.Alert),
        ("CRIT", Severity.Crit),
        ("EMERG", Severity.Emerg));

    private static SettingType<LogFacility> LogFacilities => SettingType.Choice(
        ("STDERR", LogFacility.Stderr),
        ("USER", LogFacility.User),
        ("LOCAL0", LogFacility.Local0),
        ("LOCAL1", LogFacility.Local1),
        ("LOCAL2", LogFacility.Local2),
        ("LOCAL3", LogFacility.Local3),
        ("LOCAL4", LogFacility.Local4),
        ("LOCAL5", LogFacility.Local5),
        ("LOCAL6", LogFacility.Local6),
        ("LOCAL7", LogFacility.Local7));
}
