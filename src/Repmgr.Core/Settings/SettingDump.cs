using Repmgr.Core.Hosts;

namespace Repmgr.Core.Settings;

/// <summary>What <c>--dump-config</c> shows of one setting.</summary>
/// <param name="Name">The setting.</param>
/// <param name="Value">The value in force, secrets hidden; null when it is unset.</param>
/// <param name="Default">The default; null when there is none.</param>
/// <param name="Source">Where the value comes from: <c>file:line</c>, <c>default</c>, or for what was looked for, where it was found.</param>
public sealed record SettingDump(string Name, string? Value, string? Default, string Source)
{
    /// <summary>Every setting that can have an effect, in the order of the manual.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="places">Where in the file each setting stands.</param>
    /// <param name="found">What is used for settings that are not set, by their names.</param>
    public static IReadOnlyList<SettingDump> Of(
        Settings settings, IReadOnlyDictionary<string, ConfPlace> places, IReadOnlyDictionary<string, Detected<string>.Found> found) =>
        [.. SettingTable.All.Where(setting => setting.Retired is null).Select(setting => Of(setting, settings, places, found))];

    private static SettingDump Of(
        Setting setting, Settings settings, IReadOnlyDictionary<string, ConfPlace> places, IReadOnlyDictionary<string, Detected<string>.Found> found)
    {
        string? value = setting.Show(settings);
        return places.GetValueOrDefault(setting.Name) is { } place
            ? new SettingDump(setting.Name, value, setting.Default, place.Short)
            : value is null && found.GetValueOrDefault(setting.Name) is { } detected
                ? new SettingDump(setting.Name, detected.Value, setting.Default, detected.How)
                : new SettingDump(setting.Name, value, setting.Default, "default");
    }
}
