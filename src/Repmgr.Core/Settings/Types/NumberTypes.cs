using System.Globalization;

namespace Repmgr.Core.Settings.Types;

internal sealed record IntegerType(int Min, int Max) : SettingType<int>("integer", IntegerText.AtLeast("an integer", Min, Max))
{
    public override string? Read(string text, out int value) =>
        IntegerText.TryRead(text, out value) && value >= Min && value <= Max ? null : Expected;

    public override string Show(int value) => value.ToString(CultureInfo.InvariantCulture);
}

internal sealed record CountOrUnsetType() : SettingType<int?>("integer", "an integer of at least 0, or -1 for none")
{
    public override string? Read(string text, out int? value)
    {
        bool good = IntegerText.TryRead(text, out int number) && number >= -1;
        value = number < 0 ? null : number;
        return good ? null : Expected;
    }

    public override string Show(int? value) => (value ?? -1).ToString(CultureInfo.InvariantCulture);
}
