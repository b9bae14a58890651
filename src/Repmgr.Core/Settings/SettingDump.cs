namespace Repmgr.Core.Settings;

/// <summary>What <c>--dump-config</c> shows of one setting.</summary>
/// <param name="Name">The setting.</param>
/// <param name="Value">The value in force, secrets hidden; null when it is unset.</param>
/// <param name="Default">The default; null when there is none.</param>
/// <param name="Source">Where the value comes from: <c>file:line</c>, or <c>default</c>.</param>
public sealed record SettingDump(string Name, string? Value, string? Default, string Source)
{
    /// <summary>Every setting that can have an effect, in the order of the manual.</summary>
    public static IReadOnlyList<SettingDump> Of(Settings settings, IReadOnlyDictionary<string, ConfPlace> places) =>
    [
        .. SettingTable.All
            .Where(setting => setting.Retired is null)
            .Select(setting => new SettingDump(
                setting.Name, setting.Show(settings), setting.Default, places.GetValueOrDefault(setting.Name)?.Short ?? "default")),
    ];
}
