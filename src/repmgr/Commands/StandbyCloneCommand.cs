using Repmgr.Core.Checks;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Hosts;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Cloning;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Postgres;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr standby clone [node]</c></summary>
internal sealed class StandbyCloneCommand : ICommand
{
    public async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel)
    {
        if (!context.TryReadSettings(out SettingsLoad.Loaded? loaded))
            return ExitCode.BadConfig;

        CloneWish wish = Wish(context.Options, loaded.Settings);
        using NodeTools tools = new(context, loaded.Settings);
        CloneLook look = await new CloneObserver(tools.Connector, new HostObserver(HostPlaces.OfThisMachine())).LookAsync(wish, cancel).ConfigureAwait(false);
        Problem? unknown = await UnknownNodesAsync(tools.Connector, wish, look, cancel).ConfigureAwait(false);
        if (look is not CloneLook.Seen seen)
            return context.Refuse([((CloneLook.Blind)look).Problem, .. unknown is null ? (Problem[])[] : [unknown]], ((CloneLook.Blind)look).ExitCode);

        if (seen.PathFromSource)
            context.Log.Notice($"the copy goes to \"{seen.Request.DataDirectory}\", the path it has on the source", hint: "Name another with -D/--pgdata.");
        if (unknown is not null)
            context.Log.Write(Severity.Warning, unknown with { Message = $"the nodes registered on {seen.Servers.SourceName} cannot be seen: {unknown.Message}" });
        Planned planned = seen.Plan(context.Options.ReplicationConfOnly);
        planned = planned.Unless(await UnwritableRecordAsync(tools.Connector, planned, cancel).ConfigureAwait(false));
        (ExitCode code, _) = await context.CarryOutAsync(planned, tools.Runner, cancel).ConfigureAwait(false);
        if (planned is Planned.Ready && !context.Options.DryRun)
            await EndAsync(context, loaded.Settings, tools.Events, seen, code, cancel).ConfigureAwait(false);
        return code;
    }

    /// <summary>The rights without which the source's table of nodes looks empty; null when it was read, or there is none.</summary>
    private static async Task<Problem?> UnknownNodesAsync(PostgresConnector connector, CloneWish wish, CloneLook look, CancellationToken cancel)
    {
        Conninfo? source = look switch
        {
            CloneLook.Seen { Source.RegisteredNodes.Count: 0 } seen => seen.Servers.Backup,
            CloneLook.Blind { ExitCode: ExitCode.BadConfig } => wish.Source(out _),
            _ => null,
        };
        return source is null ? null : await MetadataLook.LackingAsync(connector, source, MetadataUse.Show, cancel).ConfigureAwait(false);
    }

    /// <summary>The rights that are missing to change this node's record; null when none is, or when it stays as it is.</summary>
    private static async Task<Problem?> UnwritableRecordAsync(PostgresConnector connector, Planned planned, CancellationToken cancel) =>
        (planned as Planned.Ready)?.Plan.Steps.OfType<Step.WriteNode>().FirstOrDefault() is { } write
            ? await MetadataLook.LackingAsync(connector, write.On, MetadataUse.Change, cancel).ConfigureAwait(false)
            : null;

    private static CloneWish Wish(CommandOptions options, Settings settings) => new(
        options,
        settings,
        Environment.GetEnvironmentVariable("PGDATA"),
        Environment.GetEnvironmentVariable("PGPASSWORD"),
        Environment.GetEnvironmentVariable("PGDATABASE") ?? Environment.GetEnvironmentVariable("PGUSER"),
        Environment.GetEnvironmentVariable("PGHOST"),
        Environment.ProcessorCount);

    private static async Task EndAsync(
        CommandContext context, Settings settings, EventRecorder events, CloneLook.Seen seen, ExitCode code, CancellationToken cancel)
    {
        bool copied = code == ExitCode.Success;
        if (seen.Request.NodeId is { } id && seen.Source.RegisteredNodes.Count > 0)
        {
            string method = seen.Request.Method switch
            {
                CloneMethod.BaseBackup => "pg_basebackup",
                var other => other.ToString().ToLowerInvariant(),
            };
            await events.RecordAsync(
                seen.Primary,
                new ClusterEvent(
                    new NodeId(id),
                    EventName.StandbyClone,
                    copied,
                    $"{(copied ? "cloned" : "could not clone")} from {seen.Servers.SourceName}; method: {method}; --force: {(seen.Request.Force ? "Y" : "N")}"),
                cancel).ConfigureAwait(false);
        }

        if (copied)
            SayWhatIsNext(context, settings, seen);
        else if (seen.Request.SlotName is { } slot && seen.Servers.Upstream is not null)
            context.Log.Notice($"replication slot \"{slot}\" on {seen.Servers.UpstreamName} holds WAL for the next attempt", hint: $"If there will be none, run there: SELECT pg_drop_replication_slot('{slot}');");
    }

    private static void SayWhatIsNext(CommandContext context, Settings settings, CloneLook.Seen seen)
    {
        string directory = seen.Request.DataDirectory;
        context.Output.Line(context.Options.ReplicationConfOnly
            ? $"replication from {seen.Servers.UpstreamName} configured in \"{directory}\""
            : $"standby cloned from {seen.Servers.SourceName} into \"{directory}\"");
        if (context.Options.Start)
        {
            context.Log.Notice("the standby is running", hint: $"Now {Registering(seen)}.");
            return;
        }

        context.Log.Notice(
            "the standby is ready to be started",
            hint: $"Start it with: {StartCommand(settings, seen)}. Then {Registering(seen)}.");
    }

    // The record of a node that was here before (a former primary's, for instance) is replaced only by force.
    private static string Registering(CloneLook.Seen seen) => seen.Request.NodeId switch
    {
        null => "write its repmgr.conf and run: repmgr standby register",
        { } id when seen.Source.RegisteredNodes.ContainsKey(id) => "run: repmgr standby register --force",
        _ => "run: repmgr standby register",
    };

    private static string StartCommand(Settings settings, CloneLook.Seen seen) => settings.ServiceStartCommand ?? seen.Manager switch
    {
        ServiceManager.Systemd { OfUser: false } unit => $"sudo systemctl start {unit.Unit}",
        ServiceManager.Systemd unit => $"systemctl --user start {unit.Unit}",
        ServiceManager.PgCtlCluster debian => $"pg_ctlcluster {debian.Major} {debian.Cluster} start",
        _ => $"{(seen.Tools.BinDirectory is { } programs ? programs + "/" : "")}pg_ctl -D {seen.Request.DataDirectory} -l logfile start",
    };
}
