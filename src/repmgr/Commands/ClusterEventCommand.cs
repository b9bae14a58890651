using System.Text.Json.Serialization;
using Repmgr.Cli.Output;
using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Files;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Postgres;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr cluster event</c></summary>
internal sealed class ClusterEventCommand : ICommand
{
    private const int DefaultLimit = 20;

    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);

    public async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel)
    {
        if (!context.TryReadSettings(out SettingsLoad.Loaded? loaded))
            return ExitCode.BadConfig;

        Conninfo? on = loaded.Settings.Conninfo;
        Problem? problem = new("no node is named to ask", Hint: "Name a configuration file with -f/--config-file, or a server with -h, -p, -U and -d.");
        if (ConnectionOptions.AreGiven(context.Options) ? !ConnectionOptions.TryRead(context.Options, on, out on, out problem) : on is null)
            return context.Refuse(problem!);

        ConnectResult result = await new PostgresConnector().OpenAsync(on!, cancel);
        if (result is not ConnectResult.Opened opened)
        {
            NodeProbe probe = result is ConnectResult.Rejected rejected
                ? new NodeProbe.Rejected(rejected.SqlState, rejected.Reason)
                : new NodeProbe.Silent(result.Failure ?? "");
            (Problem unreached, ExitCode exitCode) = ConnectionProblem.From(probe, loaded.Settings.NodeName ?? on!["host"] ?? "local", on!);
            return context.Refuse(unreached, exitCode);
        }

        await using (opened.Session)
        {
            switch (await opened.Session.RunAsync((connection, token) => EventStore.ReadAsync(connection, Filter(context.Options), token), Within, cancel))
            {
                case Answer<IReadOnlyList<RecordedEvent>>.Got got:
                    Print(context, got.Value);
                    return ExitCode.Success;
                case Answer<IReadOnlyList<RecordedEvent>>.Failed { IsForLackOfRights: true }
                    when await MetadataLook.LackingAsync(opened.Session, MetadataUse.Events, cancel) is { } lacking:
                    return context.Refuse(lacking);
                case Answer<IReadOnlyList<RecordedEvent>>.Failed failed:
                    return context.Refuse(new Problem("the events cannot be read", Detail: failed.Reason), ExitCode.DbQuery);
                default:
                    throw new InvalidOperationException("an answer of no known kind");
            }
        }
    }

    private static EventFilter Filter(CommandOptions options) => new(
        options.All ? null : options.Limit ?? DefaultLimit,
        options.Event,
        options.NodeId is { } id ? new NodeId(id) : null,
        options.NodeName);

    private static void Print(CommandContext context, IReadOnlyList<RecordedEvent> events)
    {
        if (context.Options.Json)
        {
            context.Output.Json([.. events.Select(EventJson.Of)], EventJsonContext.Default.EventJsonArray);
            return;
        }

        if (context.Options.Csv)
        {
            foreach (RecordedEvent happened in events)
                context.Output.Csv(Cells(happened));
            return;
        }

        if (events.Count == 0)
        {
            context.Output.Line("no such event has been recorded");
            return;
        }

        string[] headers = ["Node ID", "Name", "Event", "OK", "Timestamp"];
        TextTable table = new(context.Options.Compact ? headers : [.. headers, "Details"]);
        foreach (RecordedEvent happened in events)
            table.Add(context.Options.Compact ? Cells(happened) : [.. Cells(happened), happened.Details ?? ""]);
        context.Output.Table(table);
        context.Output.Line("");
    }

    private static string[] Cells(RecordedEvent happened) =>
        [happened.Node.ToString(), happened.NodeName ?? "", happened.Name, happened.Successful ? "t" : "f", happened.LocalTime];
}

/// <summary>An event, for <c>--json</c>.</summary>
internal sealed record EventJson(int NodeId, string? NodeName, string Event, bool Successful, DateTimeOffset Timestamp, string? Details)
{
    public static EventJson Of(RecordedEvent happened) =>
        new(happened.Node.Value, happened.NodeName, happened.Name, happened.Successful, happened.At, happened.Details);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EventJson[]))]
internal sealed partial class EventJsonContext : JsonSerializerContext;
