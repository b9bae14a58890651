using System.Globalization;

namespace Repmgr.Cli.Output;

/// <summary>Comma-separated values as repmgr 5 prints them of a node: texts always in quotes, numbers never. A quote within a text is doubled.</summary>
internal static class QuotedCsv
{
    public static string Line(params IEnumerable<string> values) => string.Join(',', values.Select(Quoted));

    /// <summary>A number, and what it counts.</summary>
    public static string Number(string key, long value, IEnumerable<string>? names = null) =>
        string.Join(',', [Quoted(key), value.ToString(CultureInfo.InvariantCulture), .. (names ?? []).Select(Quoted)]);

    private static string Quoted(string value) => $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
