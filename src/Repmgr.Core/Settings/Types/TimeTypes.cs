using System.Globalization;

namespace Repmgr.Core.Settings.Types;

internal sealed record SecondsType(int Min) : SettingType<TimeSpan>("integer", IntegerText.AtLeast("a number of seconds", Min))
{
    public override string Unit => "seconds";

    public override string? Read(string text, out TimeSpan value)
    {
        bool good = IntegerText.TryRead(text, out int number) && number >= Min;
        value = TimeSpan.FromSeconds(number);
        return good ? null : Expected;
    }

    public override string Show(TimeSpan value) => value.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
}

internal sealed record SecondsOrNeverType() : SettingType<TimeSpan?>("integer", "a number of seconds of at least 0, or -1 for never")
{
    public override string Unit => "seconds";

    public override string? Read(string text, out TimeSpan? value)
    {
        bool good = IntegerText.TryRead(text, out int number) && number >= -1;
        value = number < 0 ? null : TimeSpan.FromSeconds(number);
        return good ? null : Expected;
    }

    public override string Show(TimeSpan? value) => value is { } time ? time.TotalSeconds.ToString("0", CultureInfo.InvariantCulture) : "-1";
}

internal sealed record SecondsOrUnsetType() : SettingType<TimeSpan?>("integer", IntegerText.AtLeast("a number of seconds", 0))
{
    public override string Unit => "seconds";

    public override string? Read(string text, out TimeSpan? value)
    {
        bool good = IntegerText.TryRead(text, out int number) && number >= 0;
        value = TimeSpan.FromSeconds(number);
        return good ? null : Expected;
    }

    public override string? Show(TimeSpan? value) => value?.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
}

internal sealed record DelayType() : SettingType<TimeSpan>("time", "a whole number with a unit of ms, s, min, h or d")
{
    public override string Unit => "milliseconds";

    public override string? Read(string text, out TimeSpan value)
    {
        value = default;
        string trimmed = text.Trim();
        int digits = trimmed.AsSpan().IndexOfAnyExceptInRange('0', '9');
        digits = digits < 0 ? trimmed.Length : digits;
        long? milliseconds = trimmed[digits..].Trim() switch
        {
            "" or "ms" => 1,
            "s" => 1000,
            "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => null,
        };
        // PostgreSQL keeps the value in a 32-bit number of milliseconds.
        if (milliseconds is null
            || !int.TryParse(trimmed.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            || number * milliseconds.Value > int.MaxValue)
            return Expected;

        value = TimeSpan.FromMilliseconds(number * milliseconds.Value);
        return null;
    }

    public override string Show(TimeSpan value) => value.TotalMilliseconds switch
    {
        0 => "0",
        double ms when ms % 1000 == 0 => value.TotalSeconds.ToString("0", CultureInfo.InvariantCulture) + "s",
        double ms => ms.ToString("0", CultureInfo.InvariantCulture) + "ms",
    };
}
