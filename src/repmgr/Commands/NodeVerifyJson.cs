using System.Text.Json.Serialization;
using Repmgr.Core.Problems;
using Repmgr.Core.Verification;
using Repmgr.Engine.Verification;

namespace Repmgr.Cli.Commands;

/// <summary><c>node verify --json</c></summary>
internal sealed record NodeVerifyJson(
    bool Same,
    int ExitCode,
    string Source,
    string DataDirectory,
    string? Divergence,
    long PagesDiffer,
    long PagesDamagedHere,
    long PagesDamagedOnSource,
    long FilesMissing,
    long FilesExtra,
    long PagesUnsettled,
    long FilesUnsettled,
    IReadOnlyList<NodeVerifyFinding> Differences,
    IReadOnlyList<NodeVerifyUnsettled> Unsettled,
    bool CaughtUp,
    string SettledHere,
    string SettledOnSource,
    long Files,
    long BytesCompared,
    long BytesMoved,
    int Jobs,
    double Seconds)
{
    public static NodeVerifyJson Of(VerifyResult result, VerifyRequest request, ExitCode exitCode) => new(
        result.IsSame,
        (int)exitCode,
        request.SourceName,
        request.DataDirectory,
        result.Divergence,
        result.Count(FileFault.Differs),
        result.Count(FileFault.DamagedHere),
        result.Count(FileFault.DamagedOnSource),
        result.Count(FileFault.MissingHere),
        result.Count(FileFault.ExtraHere),
        result.Unsettled.Sum(file => file.Pages),
        result.Unsettled.Count(file => file.Pages == 0),
        [.. result.Findings.Select(NodeVerifyFinding.Of)],
        [.. result.Unsettled.Select(file => new NodeVerifyUnsettled(file.Path, file.Pages))],
        result.CaughtUp,
        result.SettledHere.ToString(),
        result.SettledOnSource.ToString(),
        result.Files,
        result.BytesCompared,
        result.BytesMoved,
        result.Jobs,
        Math.Round(result.Duration.TotalSeconds, 3));
}

/// <summary>A file that is not as it should be; <c>Blocks</c> are numbers and ranges within the file.</summary>
internal sealed record NodeVerifyFinding(string File, string? Database, string? Relation, string Fault, long Pages, IReadOnlyList<string> Blocks)
{
    public static NodeVerifyFinding Of(FileFinding finding) => new(
        finding.Path,
        finding.Database,
        finding.Relation,
        finding.Fault switch
        {
            FileFault.Differs => "differs",
            FileFault.MissingHere => "missing_here",
            FileFault.ExtraHere => "extra_here",
            FileFault.DamagedHere => "damaged_here",
            FileFault.DamagedOnSource => "damaged_on_source",
            _ => throw new ArgumentOutOfRangeException(nameof(finding), finding.Fault, "a fault of no known kind"),
        },
        finding.PageCount,
        [.. finding.Pages.Select(range => range.ToString())]);
}

/// <summary>A file in which something differs that could not be judged; 0 pages: it is on one side only.</summary>
internal sealed record NodeVerifyUnsettled(string File, long Pages);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(NodeVerifyJson))]
internal sealed partial class NodeVerifyJsonContext : JsonSerializerContext;
