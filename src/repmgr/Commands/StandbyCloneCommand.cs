using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Hosts;
using Repmgr.Core.Planning;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Cloning;
using Repmgr.Engine.Execution;
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
        var connector = new PostgresConnector();
        CloneLook look = await new CloneObserver(connector, new HostObserver(HostPlaces.OfThisMachine())).LookAsync(wish, cancel).ConfigureAwait(false);
        if (look is not CloneLook.Seen seen)
            return context.Refuse(((CloneLook.Blind)look).Problem, ((CloneLook.Blind)look).ExitCode);

        if (seen.PathFromSource)
            context.Log.Notice($"the copy goes to \"{seen.Request.DataDirectory}\", the path it has on the source", hint: "Name another with -D/--pgdata.");
        using var steps = new StepRunner(new StepContext(loaded.Settings, connector, TimeProvider.System, context.Log) { CopyProgress = context.Progress });
        Planned planned = seen.Plan(context.Options.ReplicationConfOnly);
        (ExitCode code, _) = await context.CarryOutAsync(planned, steps, cancel).ConfigureAwait(false);
        if (planned is Planned.Ready && !context.Options.DryRun)
            await EndAsync(context, loaded.Settings, connector, seen, code, cancel).ConfigureAwait(false);
        return code;
    }

    private static CloneWish Wish(CommandOptions options, Settings settings) => new(
        options,
        settings,
        Environment.GetEnvironmentVariable("PGDATA"),
        Environment.GetEnvironmentVariable("PGPASSWORD"),
        Environment.GetEnvironmentVariable("PGDATABASE") ?? Environment.GetEnvironmentVariable("PGUSER"),
        Environment.GetEnvironmentVariable("PGHOST"),
        Environment.ProcessorCount);

    private static async Task EndAsync(
        CommandContext context, Settings settings, PostgresConnector connector, CloneLook.Seen seen, ExitCode code, CancellationToken cancel)
    {
        bool copied = code == ExitCode.Success;
        if (seen.Request.NodeId is { } id && seen.Source.RegisteredNodes.Count > 0)
        {
            string method = seen.Request.Method == CloneMethod.Rsync ? "rsync" : "pg_basebackup";
            await new EventRecorder(settings, connector, TimeProvider.System, context.Log).RecordAsync(
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
