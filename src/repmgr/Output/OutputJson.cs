using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Repmgr.Cli.Output;

/// <summary>What the program itself prints as JSON. A command's own results have a context of their own beside the command.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CommandReport))]
[JsonSerializable(typeof(CloneReport))]
[JsonSerializable(typeof(ProgressLine))]
internal sealed partial class OutputJson : JsonSerializerContext;

/// <summary>Writes JSON so that people can read it too: quotes and letters of all languages stay as they are.</summary>
internal static class JsonText
{
    public static string Of<T>(T value, JsonTypeInfo<T> type, bool indented)
    {
        var buffer = new ArrayBufferWriter<byte>();
        // Relaxed: the output goes to a terminal or a program, never into a web page.
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = indented }))
            JsonSerializer.Serialize(json, value, type);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
