using System.Globalization;
using Repmgr.Core.Cloning;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Verification;

/// <summary>The result of a comparison in words.</summary>
public static class VerifyText
{
    private const int MostRanges = 10;

    /// <summary>A line for each file: <c>base/16384/16400 (public.t in repmgr): 2 pages differ: 7, 9-10</c>.</summary>
    public static string Line(FileFinding finding)
    {
        string name = (finding.Relation, finding.Database) switch
        {
            ({ } relation, { } database) => $" ({relation} in {database})",
            (null, { } database) => $" (in {database})",
            ({ } relation, null) => $" ({relation})",
            _ => "",
        };
        return $"{finding.Path}{name}: {What(finding)}{Blocks(finding.Pages)}";
    }

    /// <summary>What was found wrong; null when nothing was.</summary>
    /// <param name="result">What came of it.</param>
    /// <param name="source">The source's name.</param>
    public static Problem? Verdict(VerifyResult result, string source)
    {
        if (result.IsSame)
            return null;

        string[] counts =
        [
            .. new[]
            {
                Counted(result.Count(FileFault.Differs), "page differs", "pages differ"),
                Counted(result.Count(FileFault.MissingHere), "file is missing here", "files are missing here"),
                Counted(result.Count(FileFault.ExtraHere), "file is here that the source does not have", "files are here that the source does not have"),
                Counted(result.Count(FileFault.DamagedHere), "page here is damaged", "pages here are damaged"),
                Counted(result.Count(FileFault.DamagedOnSource), "page on the source is damaged", "pages on the source are damaged"),
            }.OfType<string>(),
        ];
        string detail = string.Join(" ", new[] { result.Divergence, counts.Length == 0 ? null : $"{Sentence(string.Join(", ", counts))}." }.OfType<string>());
        return result.Count(FileFault.DamagedOnSource) > 0
            ? new Problem($"the data of {source} is damaged", detail, "Check that server's disk, and do not clone from it: see whether another node's data is sound with \"repmgr node verify -h NODE\".")
            : new Problem(
                result.Divergence is null ? $"the data here is not that of {source}" : $"the data here has gone another way than that of {source}",
                detail,
                "Stop the server here and bring its data up to date with \"repmgr standby clone --force\", which moves only what differs. If this happens again, check this host's disk and memory.");
    }

    /// <summary>What could not be judged; null when all was.</summary>
    public static Problem? Rest(VerifyResult result)
    {
        if (result.Unsettled.Count == 0)
            return null;

        long pages = result.Unsettled.Sum(file => file.Pages);
        int files = result.Unsettled.Count(file => file.Pages == 0);
        string what = string.Join(" and ", new[] { Counted(pages, "page", "pages"), Counted(files, "file", "files") }.OfType<string>());
        return new Problem(
            $"{what} could not be judged",
            $"They differ, but were changed after the last checkpoint, which was at {result.SettledHere} here and at {result.SettledOnSource} on the source: one side may not have written or replayed them yet. For example: {string.Join(", ", result.Unsettled.Take(3).Select(file => file.Path))}.",
            result.CaughtUp
                ? "Where nothing changes them any more, run CHECKPOINT on the source, then here, and repeat the command."
                : "Repeat the command when the standby has caught up; to have them judged, run CHECKPOINT on the source, then here.");
    }

    /// <summary>A clause for success.</summary>
    public static string Same(VerifyResult result, string source) => string.Create(
        CultureInfo.InvariantCulture, $"no difference from {source} in {result.Files} files, {TargetChecks.Size(result.BytesCompared)}, compared in {result.Duration.TotalSeconds:0.0} s");

    private static string What(FileFinding finding) => finding.Fault switch
    {
        FileFault.MissingHere => "missing here",
        FileFault.ExtraHere => "here, but not on the source",
        FileFault.DamagedHere => Counted(finding.PageCount, "page here is damaged", "pages here are damaged")!,
        FileFault.DamagedOnSource => Counted(finding.PageCount, "page on the source is damaged", "pages on the source are damaged")!,
        _ => Counted(finding.PageCount, "page differs", "pages differ")!,
    };

    private static string Blocks(IReadOnlyList<PageRange> pages) => pages.Count == 0 ? ""
        : $": {(pages is [{ Count: 1 }] ? "block" : "blocks")} {string.Join(", ", pages.Take(MostRanges))}{(pages.Count > MostRanges ? " …" : "")}";

    private static string? Counted(long count, string one, string many) => count switch
    {
        0 => null,
        1 => $"1 {one}",
        _ => string.Create(CultureInfo.InvariantCulture, $"{count} {many}"),
    };

    private static string Sentence(string text) => char.ToUpperInvariant(text[0]) + text[1..];

}
