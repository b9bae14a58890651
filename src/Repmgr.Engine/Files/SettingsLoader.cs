using Repmgr.Core.Problems;
using Repmgr.Core.Settings;

namespace Repmgr.Engine.Files;

/// <summary>Finds and reads <c>repmgr.conf</c>, with all it includes.</summary>
public static class SettingsLoader
{
    /// <summary>Where the file is looked for when none is named, in this order.</summary>
    public static IReadOnlyList<string> SearchPath { get; } =
    [
        "./repmgr.conf",
        "/etc/repmgr.conf",
        "/etc/repmgr/repmgr.conf",
        Path.Combine(AppContext.BaseDirectory, "repmgr.conf"),
    ];

    /// <summary>Reads the named file, or the first there is. When none is named and none is there, the settings are the defaults.</summary>
    /// <param name="explicitPath">The file of <c>--config-file</c>, or null.</param>
    /// <param name="searchPath">In place of <see cref="SearchPath"/>.</param>
    public static SettingsLoad Load(string? explicitPath, IReadOnlyList<string>? searchPath = null)
    {
        if ((explicitPath ?? (searchPath ?? SearchPath).FirstOrDefault(File.Exists)) is not { } found)
            return new SettingsLoad.Loaded(Settings.Defaults, null, new Dictionary<string, ConfPlace>(), []);

        string path = found.Length > 0 ? Path.GetFullPath(found) : found;
        ConfFiles files = new();
        files.Read(path);
        SettingsRead read = SettingsReader.Read(files.Assignments);
        Problem[] problems = [.. files.Problems, .. read.Problems];
        return problems.Length > 0
            ? new SettingsLoad.Refused(problems, read.Notices)
            : new SettingsLoad.Loaded(read.Settings, path, read.Places, read.Notices);
    }
}

/// <summary>What came of looking for the configuration.</summary>
public abstract record SettingsLoad
{
    private SettingsLoad() { }

    /// <summary>The settings can be used.</summary>
    /// <param name="Settings">What the file says, and defaults for the rest.</param>
    /// <param name="Path">The file's absolute path; null when there is none.</param>
    /// <param name="Places">Where each setting that was set was set, by name.</param>
    /// <param name="Notices">What the operator should know: unknown keys, keys without effect.</param>
    public sealed record Loaded(
        Settings Settings,
        string? Path,
        IReadOnlyDictionary<string, ConfPlace> Places,
        IReadOnlyList<LogLine> Notices) : SettingsLoad;

    /// <summary>The file cannot be used: every reason.</summary>
    public sealed record Refused(IReadOnlyList<Problem> Problems, IReadOnlyList<LogLine> Notices) : SettingsLoad;
}
