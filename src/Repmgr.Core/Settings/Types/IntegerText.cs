using System.Globalization;

namespace Repmgr.Core.Settings.Types;

/// <summary>Whole numbers, as the types that are made of them read and describe them.</summary>
internal static class IntegerText
{
    public static bool TryRead(string text, out int number) =>
        int.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);

    public static string AtLeast(string noun, int min, int max = int.MaxValue) => (min, max) switch
    {
        (int.MinValue, int.MaxValue) => noun,
        (_, int.MaxValue) => string.Create(CultureInfo.InvariantCulture, $"{noun} of at least {min}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{noun} from {min} to {max}"),
    };
}
