using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;

namespace Repmgr.Cli.Output;

/// <summary>
/// Writes results to standard output; everything else goes to the log. With <c>--json</c> there is exactly one JSON document:
/// the command's own result, or else a report.
/// </summary>
internal sealed class ResultOutput(TextWriter writer, CommandOptions options, CommandJournal journal)
{
    private bool _wroteJson;

    /// <summary>A line for people; not printed with <c>--json</c>.</summary>
    public void Line(string text)
    {
        if (!options.Json)
            writer.WriteLine(text);
    }

    /// <summary>A table in repmgr 5.x's form; not printed with <c>--json</c>.</summary>
    public void Table(TextTable table)
    {
        if (!options.Json)
            table.Write(writer);
    }

    /// <summary>One line of comma-separated values. A value with a comma, a quote or a line feed is quoted.</summary>
    public void Csv(params IReadOnlyList<string> values) => Line(string.Join(',', values.Select(Quoted)));

    /// <summary>The command's result as the one JSON document, indented.</summary>
    /// <typeparam name="T">A record whose names say what it is; source-generated with snake_case names.</typeparam>
    public void Json<T>(T value, JsonTypeInfo<T> type)
    {
        if (_wroteJson)
            throw new InvalidOperationException("--json prints one document");
        _wroteJson = true;
        writer.WriteLine(JsonText.Of(value, type, indented: true));
    }

    /// <summary>The numbered steps, for <c>--dry-run</c>.</summary>
    public void Plan(Plan plan)
    {
        if (plan.Steps.Count == 0)
            Line("nothing to do");
        for (int index = 0; index < plan.Steps.Count; index++)
        {
            journal.Planned(plan.Steps[index]);
            Line(string.Create(CultureInfo.InvariantCulture, $"{index + 1}. {plan.Steps[index].Describe()}"));
        }
    }

    /// <summary>Ends the output: a command that has printed no JSON of its own is reported on.</summary>
    public void Close(string? command, ExitCode exitCode)
    {
        if (options.Json && !_wroteJson)
            Report(journal.Close(command, exitCode, options.DryRun));
        writer.Flush();
    }

    private void Report(CommandReport report)
    {
        if (journal.Copied is { } copied)
            Json(CloneReport.Of(report, copied), OutputJson.Default.CloneReport);
        else
            Json(report, OutputJson.Default.CommandReport);
    }

    private static string Quoted(string value) =>
        value.AsSpan().ContainsAny(",\"\r\n") ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : value;
}
