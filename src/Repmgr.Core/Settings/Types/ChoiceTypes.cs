namespace Repmgr.Core.Settings.Types;

internal sealed record BooleanType() : SettingType<bool>("boolean", "one of true, false, on, off, yes, no, 1, 0")
{
    public override string? Read(string text, out bool value)
    {
        bool? read = text.Trim().ToLowerInvariant() switch
        {
            "true" or "on" or "yes" or "1" => true,
            "false" or "off" or "no" or "0" => false,
            _ => null,
        };
        value = read ?? false;
        return read is null ? Expected : null;
    }

    public override string Show(bool value) => value ? "true" : "false";
}

internal sealed record BooleanOrUnsetType() : SettingType<bool?>(SettingType.Boolean.Name, SettingType.Boolean.Allowed)
{
    public override string? Read(string text, out bool? value)
    {
        string? reason = SettingType.Boolean.Read(text, out bool read);
        value = read;
        return reason;
    }

    public override string? Show(bool? value) => value is { } set ? SettingType.Boolean.Show(set) : null;
}

internal sealed record ChoiceType<T>((string Text, T Value)[] Choices)
    : SettingType<T>("enum", "one of " + string.Join(", ", Choices.DistinctBy(choice => choice.Value).Select(choice => choice.Text)))
    where T : struct, Enum
{
    public override string? Read(string text, out T value)
    {
        foreach ((string known, T meaning) in Choices)
        {
            if (string.Equals(known, text.Trim(), StringComparison.OrdinalIgnoreCase))
            {
                value = meaning;
                return null;
            }
        }

        value = default;
        return Expected;
    }

    public override string Show(T value) =>
        Choices.First(choice => EqualityComparer<T>.Default.Equals(choice.Value, value)).Text;
}
