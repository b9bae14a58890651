using System.Globalization;

namespace Repmgr.Cli.Output;

/// <summary>Numbers of bytes for people.</summary>
internal static class ByteText
{
    private static readonly string[] Units = ["bytes", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>As <c>pg_size_pretty</c> has its units: kB is 1024 bytes..</summary>
    public static string Of(long bytes)
    {
        double amount = bytes;
        int unit = 0;
        for (; amount >= 1024 && unit < Units.Length - 1; unit++)
            amount /= 1024;
        return unit == 0 || amount >= 100
            ? string.Create(CultureInfo.InvariantCulture, $"{amount:0} {Units[unit]}")
            : string.Create(CultureInfo.InvariantCulture, $"{amount:0.0} {Units[unit]}");
    }
}
