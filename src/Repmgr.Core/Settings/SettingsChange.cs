namespace Repmgr.Core.Settings;

/// <summary>A setting that has another value in new settings.</summary>
/// <param name="Setting">Which one.</param>
/// <param name="Old">What it was, secrets hidden; null: unset.</param>
/// <param name="New">What it is; null: unset.</param>
public sealed record SettingsChange(Setting Setting, string? Old, string? New)
{
    /// <summary><c>log_level: INFO → DEBUG</c>, and when it takes effect if that is not now.</summary>
    public string Describe() => $"{Setting.Name}: {Shown(Old)} → {Shown(New)}" + (Setting.TakesEffect switch
    {
        TakesEffect.OnReload => "",
        TakesEffect.AtRestart => " (takes effect when repmgrd is restarted)",
        TakesEffect.AtRegistration => " (takes effect with \"repmgr primary|standby register --force\")",
        TakesEffect.Never => " (refused: it is the identity of the node; the old value stays in force)",
        _ => " (used by commands only)",
    });

    /// <summary>Everything that differs, in the order of the manual.</summary>
    public static IReadOnlyList<SettingsChange> Between(Settings before, Settings now)
    {
        List<SettingsChange> changes = [];
        foreach (Setting setting in SettingTable.All)
        {
            (string? old, string? @new) = (setting.Show(before), setting.Show(now));
            // Two passwords look the same when they are hidden.
            bool secretDiffers = setting.Name == "conninfo" && !Equals(before.Conninfo, now.Conninfo);
            if (old != @new)
                changes.Add(new SettingsChange(setting, old, @new));
            else if (secretDiffers)
                changes.Add(new SettingsChange(setting, old, $"{@new} with another password"));
        }

        return changes;
    }

    /// <summary>The new settings as a running daemon takes them over: its identity stays.</summary>
    public static Settings TakeOver(Settings before, Settings now) => now with { NodeId = before.NodeId, NodeName = before.NodeName };

    private static string Shown(string? value) => value is null ? "(unset)" : value;
}
