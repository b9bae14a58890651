using Repmgr.Core.Settings.Table;

namespace Repmgr.Core.Settings;

/// <summary>Every key of <c>repmgr.conf</c>, in the order of the manual.</summary>
public static class SettingTable
{
    public static IReadOnlyList<Setting> All { get; } =
    [
        .. NodeSettings.All,
        .. ReplicationSettings.All,
        .. LogSettings.All,
        .. ProgramSettings.All,
        .. CommandSettings.All,
        .. DaemonSettings.All,
        .. FailoverSettings.All,
        .. ServiceSettings.All,
    ];

    private static readonly Dictionary<string, Setting> ByName = All
        .SelectMany(setting => setting.Aliases.Prepend(setting.Name), (setting, name) => (setting, name))
        .ToDictionary(pair => pair.name, pair => pair.setting, StringComparer.OrdinalIgnoreCase);

    /// <summary>Every accepted spelling.</summary>
    public static IEnumerable<string> Names => ByName.Keys;

    /// <summary>The setting of that name or alias, or null.</summary>
    public static Setting? Find(string name) => ByName.GetValueOrDefault(name);
}
