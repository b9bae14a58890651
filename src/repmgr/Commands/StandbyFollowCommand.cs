using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Files;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Postgres;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr standby follow</c></summary>
internal sealed class StandbyFollowCommand : ICommand
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a restart of the server may take (<c>standby_follow_restart</c>): a standby has WAL to replay first.</summary>
    private static readonly TimeSpan RestartWithin = TimeSpan.FromSeconds(60);

    public async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel)
    {
        if (!context.TryReadSettings(out SettingsLoad.Loaded? loaded))
            return ExitCode.BadConfig;
        Settings settings = loaded.Settings;
        if (LocalNode.Missing(settings) is { Count: > 0 } missing)
            return context.Refuse(missing);

        (NodeId id, Conninfo on) = (settings.NodeId!.Value, settings.Conninfo!);
        var connector = new PostgresConnector();
        (ClusterLook look, FollowTarget target) = await FindTargetAsync(context, settings, connector, cancel);
        if (look.First.Probe.Running is null)
        {
            (Problem unreachable, ExitCode code) = ConnectionProblem.From(look.First.Probe, settings.NodeName ?? $"node{id}", on);
            return context.Refuse(unreachable, code);
        }

        if (look.View.Find(id)?.Record is not { } self)
            return context.Refuse([NotRegistered(id), .. (target as FollowTarget.None)?.Problems ?? []]);
        if (target is not FollowTarget.Chosen chosen)
            return context.Refuse(((FollowTarget.None)target).Problems, ((FollowTarget.None)target).ExitCode);

        ReplicationCredentials credentials = new(
            settings.ReplicationUser,
            settings.Passfile,
            settings.UsePrimaryConninfoPassword ? Environment.GetEnvironmentVariable("PGPASSWORD") : null);
        FollowSeen seen = await new FollowLook(connector, new ReplicationLogin(), credentials)
            .LookAsync(self, on, settings.DataDirectory, chosen, look.View, cancel);
        Planned planned = FollowPlanner.Plan(
            new FollowRequest(
                self, on, credentials, settings.UseReplicationSlots, settings.StandbyFollowRestart, RestartWithin, settings.StandbyFollowTimeout),
            seen);

        using var runner = new StepRunner(new StepContext(settings, connector, TimeProvider.System, context.Log));
        CarriedOut done = await context.CarryOutAsync(planned, runner, cancel);
        if (done.Outcome is not { } outcome)
            return done.ExitCode;

        bool follows = outcome is PlanOutcome.Done or PlanOutcome.Failed { InAftermath: true };
        NodeRecord upstream = chosen.Upstream.Record;
        string details = follows
            ? $"standby attached to upstream node \"{upstream.Name}\" (ID: {upstream.Id})"
            : ((PlanOutcome.Failed)outcome).Problem.Message;
        NodeRecord primary = chosen.Primary.Record;
        await new EventRecorder(settings, connector, TimeProvider.System, context.Log).RecordAsync(
            seen.PrimaryOn,
            new ClusterEvent(id, EventName.StandbyFollow, follows, details, new EventSubject(primary.Id, primary.Conninfo, primary.Name)),
            cancel);
        if (follows)
            context.Log.Notice(details);
        return done.ExitCode;
    }

    /// <summary>Looks until there is a node to follow: once, or with <c>--wait</c> until a primary has appeared.</summary>
    private static async Task<(ClusterLook Look, FollowTarget Target)> FindTargetAsync(
        CommandContext context, Settings settings, PostgresConnector connector, CancellationToken cancel)
    {
        string? wanted = context.Options.Argument ?? context.Options.UpstreamNodeId?.ToString(CultureInfo.InvariantCulture);
        TimeSpan within = context.Options.Wait ? context.Options.WaitWithin ?? settings.PrimaryFollowTimeout : TimeSpan.Zero;
        var observer = new ClusterObserver(new NodeObserver(connector), TimeProvider.System);
        long began = TimeProvider.System.GetTimestamp();
        bool said = false;
        while (true)
        {
            ClusterLook look = await observer.LookAsync(settings.Conninfo!, settings.NodeId, cancel);
            FollowTarget target = FollowTarget.Choose(settings.NodeId!.Value, wanted, look.View);
            if (target is not FollowTarget.None { MayAppear: true } || TimeProvider.System.GetElapsedTime(began) >= within)
                return (look, target);

            if (!said)
                context.Log.Info($"no primary yet; waiting at most {within.TotalSeconds:0} s for one");
            said = true;
            await Task.Delay(LookEvery, cancel);
        }
    }

    private static Problem NotRegistered(NodeId id) => new(
        $"node {id} is not registered",
        Hint: "Register it with \"repmgr standby register\" first; with --force it may be registered before it is attached.");
}
