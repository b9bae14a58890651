using System.Globalization;
using System.Text.RegularExpressions;

namespace Repmgr.Core.Cloning;

/// <summary>Reads what rsync prints, run with <c>LC_ALL=C</c> and <c>--no-human-readable</c>.</summary>
public static partial class RsyncListing
{
    /// <summary>The regular files of <c>--list-only</c>: mode, size, date, time, name.</summary>
    public static IReadOnlyList<SourceFile> Read(string output) =>
    [
        .. output.Split('\n').Select(line => ListLine().Match(line.TrimEnd('\r'))).Where(match => match.Success)
            .Select(match => new SourceFile(match.Groups[2].Value, long.Parse(match.Groups[1].Value.Replace(",", "", StringComparison.Ordinal), CultureInfo.InvariantCulture))),
    ];

    /// <summary>Bytes so far in a line of <c>--info=progress2</c>; null when it is none.</summary>
    public static long? ProgressBytes(string line) =>
        ProgressLine().Match(line) is { Success: true } match ? Number(match.Groups[1].Value) : null;

    /// <summary>Bytes that came over the wire, from <c>--info=stats1</c>; null when the line does not say.</summary>
    public static long? ReceivedBytes(string line) =>
        StatsLine().Match(line) is { Success: true } match ? Number(match.Groups[1].Value) : null;

    private static long Number(string text) => long.Parse(text.Replace(",", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^-[-a-zA-Z]{9}\S*\s+([0-9,]+) [0-9/]+ [0-9:]+ (.+)$")]
    private static partial Regex ListLine();

    [GeneratedRegex(@"^\s*([0-9,]+)\s+[0-9]+%")]
    private static partial Regex ProgressLine();

    [GeneratedRegex(@"^sent [0-9,]+ bytes\s+received ([0-9,]+) bytes")]
    private static partial Regex StatsLine();
}
