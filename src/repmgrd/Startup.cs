using Repmgr.Core.CommandLine;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Daemon;
using Repmgr.Engine.Files;
using Repmgr.Engine.Logging;

namespace Repmgr.Agent;

/// <summary>What command line and configuration say together.</summary>
internal static class Startup
{
    /// <summary>Reads the configuration; options stand above it, at every reload too.</summary>
    public static SettingsLoad Load(string? path, CommandOptions options) => SettingsLoader.Load(path) switch
    {
        SettingsLoad.Loaded loaded => loaded with { Settings = Override(loaded.Settings, options) },
        var refused => refused,
    };

    /// <summary>Why it cannot run like this.</summary>
    public static IReadOnlyList<Problem> Objections(SettingsLoad.Loaded loaded)
    {
        List<Problem> problems = [.. SettingRules.Missing(loaded.Settings, loaded.Path, "node_id", "conninfo")];
        if (Environment.IsPrivilegedProcess)
        {
            problems.Add(new Problem(
                "repmgrd does not run as root",
                Hint: "Run it as the operating system's user that PostgreSQL runs as, usually postgres."));
        }

        return problems;
    }

    /// <summary>
    /// In the background there is always one; in the foreground, where a service manager or a terminal holds the process, only one
    /// that was asked for.
    /// </summary>
    public static string? PidFile(CommandOptions options, Settings settings, bool inBackground)
    {
        if (options.NoPidFile)
            return null;
        string? named = options.PidFile ?? settings.RepmgrdPidFile;
        if (named is not null || !inBackground)
            return named is null ? null : Path.GetFullPath(named);
        return Path.Combine(Environment.GetEnvironmentVariable("TMPDIR") is { Length: > 0 } temporary ? temporary : "/tmp", "repmgrd.pid");
    }

    public static Problem Explain(PidFileClaim claim, string path) => claim switch
    {
        PidFileClaim.Running running => new Problem(
            running.Pid is { } pid ? $"repmgrd is already running with PID {pid}" : "another repmgrd is just starting",
            $"It holds pid file \"{path}\".",
            "Stop it first. If it watches another node of this host, name another file with repmgrd_pid_file or --pid-file."),
        PidFileClaim.Unwritable unwritable => unwritable.Problem,
        _ => throw new ArgumentException("the claim succeeded", nameof(claim)),
    };

    public static LogTarget LogTarget(Settings settings, CommandOptions options)
    {
        Severity threshold = options.LogLevel ?? settings.LogLevel;
        if (options.Verbose && threshold > Severity.Info)
            threshold = Severity.Info;
        return new LogTarget(threshold, settings.LogFacility.ToString(), settings.LogFile is { } file ? Path.GetFullPath(file) : null, settings.LogFormat);
    }

    private static Settings Override(Settings settings, CommandOptions options) =>
        options.MonitoringHistory ? settings with { MonitoringHistory = true } : settings;
}
