using System.Text.Json.Serialization;
using Repmgr.Core.Checks.Nodes;

namespace Repmgr.Cli.Commands;

/// <summary><c>node check --json</c></summary>
/// <param name="Status">The worst there is.</param>
internal sealed record NodeCheckJson(int? NodeId, string? NodeName, string Status, int ExitCode, IReadOnlyList<CheckItemJson> Items)
{
    public static NodeCheckJson Of(int? id, string? name, IReadOnlyList<CheckFinding> findings, int exitCode) =>
        new(id, name, Worst(findings).Name().ToLowerInvariant(), exitCode, [.. findings.Select(CheckItemJson.Of)]);

    // What is known to be critical goes before what is not known.
    private static CheckStatus Worst(IReadOnlyList<CheckFinding> findings) =>
        findings.Any(finding => finding.Status == CheckStatus.Critical) ? CheckStatus.Critical : findings.Max(finding => finding.Status);
}

/// <summary>An item. <c>Values</c> are the numbers behind it.</summary>
internal sealed record CheckItemJson(string Item, string Title, string Status, string Details, IReadOnlyDictionary<string, long> Values)
{
    public static CheckItemJson Of(CheckFinding finding) =>
        new(finding.Item.Key, finding.Item.Title, finding.Status.Name().ToLowerInvariant(), finding.Details, finding.Values);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(NodeCheckJson))]
internal sealed partial class NodeCheckJsonContext : JsonSerializerContext;
