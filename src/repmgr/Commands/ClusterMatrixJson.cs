using System.Text.Json.Serialization;
using Repmgr.Core.Cluster;

namespace Repmgr.Cli.Commands;

/// <summary><c>cluster matrix --json</c> and <c>cluster crosscheck --json</c></summary>
internal sealed record ClusterMatrixJson(IReadOnlyList<ReachJson> Connections, IReadOnlyList<string> Issues)
{
    public static ClusterMatrixJson Of(ReachMatrix matrix, IReadOnlyList<string> issues) => new(
        [.. matrix.Pairs.Select(pair => new ReachJson(pair.From.Id.Value, pair.From.Name, pair.To.Id.Value, pair.To.Name, pair.Reach.ToString().ToLowerInvariant()))], issues);
}

/// <summary><c>Reach</c> is <c>reached</c>, <c>failed</c> or <c>unknown</c>.</summary>
internal sealed record ReachJson(int From, string FromName, int To, string ToName, string Reach);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ClusterMatrixJson))]
internal sealed partial class ClusterMatrixJsonContext : JsonSerializerContext;
