using System.Text.Json.Serialization;

namespace Repmgr.Cli.Commands;

/// <summary><c>node service --list-actions --json</c>: what is run for each.</summary>
internal sealed record ServiceActionsJson(IReadOnlyDictionary<string, string> Actions);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ServiceActionsJson))]
internal sealed partial class ServiceActionsJsonContext : JsonSerializerContext;
