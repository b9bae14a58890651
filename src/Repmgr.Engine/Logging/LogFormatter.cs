using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;

namespace Repmgr.Engine.Logging;

/// <summary>Turns a line into bytes.</summary>
internal static class LogFormatter
{
    private static readonly JsonWriterOptions Plain = new() { SkipValidation = true };

    /// <summary>Appends the line, its detail and its hint, each ending in a line feed.</summary>
    public static void Write(ArrayBufferWriter<byte> into, LogFormat format, string program, DateTimeOffset at, LogLine line)
    {
        if (format == LogFormat.Json)
        {
            WriteJson(into, program, at, line);
            return;
        }

        WriteLine(into, at, line.Severity.Name(), line.Message);
        if (line.Detail is { Length: > 0 } detail)
            WriteLine(into, at, "DETAIL", detail);
        if (line.Hint is { Length: > 0 } hint)
            WriteLine(into, at, "HINT", hint);
    }

    private static void WriteLine(ArrayBufferWriter<byte> into, DateTimeOffset at, string level, string text)
    {
        string whole = string.Create(CultureInfo.InvariantCulture, $"[{at:yyyy-MM-dd HH:mm:ss}] [{level}] {OneLine(text)}\n");
        int written = Encoding.UTF8.GetBytes(whole, into.GetSpan(Encoding.UTF8.GetMaxByteCount(whole.Length)));
        into.Advance(written);
    }

    private static void WriteJson(ArrayBufferWriter<byte> into, string program, DateTimeOffset at, LogLine line)
    {
        using (var json = new Utf8JsonWriter(into, Plain))
        {
            json.WriteStartObject();
            json.WriteString("time", at);
            json.WriteString("level", line.Severity.Name());
            json.WriteString("program", program);
            json.WriteNumber("pid", Environment.ProcessId);
            json.WriteString("message", line.Message);
            if (line.Detail is { Length: > 0 } detail)
                json.WriteString("detail", detail);
            if (line.Hint is { Length: > 0 } hint)
                json.WriteString("hint", hint);
            json.WriteEndObject();
        }

        into.Write("\n"u8);
    }

    /// <summary>Text from outside (a script's output, a server's message) must not be able to forge a line of the log.</summary>
    public static string OneLine(string text)
    {
        if (!text.Any(char.IsControl))
            return text;
        return string.Create(text.Length, text, static (span, source) =>
        {
            for (int index = 0; index < span.Length; index++)
                span[index] = char.IsControl(source[index]) ? ' ' : source[index];
        });
    }
}
