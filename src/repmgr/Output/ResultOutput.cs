using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Planning;

namespace Repmgr.Cli.Output;

/// <summary>Writes results to standard output. Everything else goes to the log.</summary>
internal sealed class ResultOutput(TextWriter writer, CommandOptions options)
{
    public void Line(string text) => writer.WriteLine(text);

    /// <summary>A table in repmgr 5.x's form.</summary>
    public void Table(TextTable table) => table.Write(writer);

    /// <summary>One line of comma-separated values. A value with a comma, a quote or a line feed is quoted.</summary>
    public void Csv(params IReadOnlyList<string> values) => writer.WriteLine(string.Join(',', values.Select(Quoted)));

    /// <summary>One JSON document, indented.</summary>
    /// <typeparam name="T">A record whose names say what it is; source-generated with snake_case names.</typeparam>
    public void Json<T>(T value, JsonTypeInfo<T> type) => writer.WriteLine(JsonSerializer.Serialize(value, type));

    /// <summary>The numbered steps, for <c>--dry-run</c>.</summary>
    public void Plan(Plan plan)
    {
        if (plan.Steps.Count == 0)
            Line("nothing to do");
        for (int index = 0; index < plan.Steps.Count; index++)
            Line(string.Create(CultureInfo.InvariantCulture, $"{index + 1}. {plan.Steps[index].Describe()}"));
    }

    public bool IsJson => options.Json;

    private static string Quoted(string value) =>
        value.AsSpan().ContainsAny(",\"\r\n") ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : value;
}
