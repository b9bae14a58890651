using System.Text.Json;
using System.Text.Json.Serialization;

namespace Repmgr.Cli.Output;

/// <summary>What the program itself prints as JSON. A command's own results have a context of their own beside the command.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(CommandReport))]
[JsonSerializable(typeof(ProgressLine))]
internal sealed partial class OutputJson : JsonSerializerContext
{
    /// <summary>The same without line breaks, for one object a line.</summary>
    public static OutputJson Lines { get; } = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = false });
}
