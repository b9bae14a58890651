using System.Globalization;
using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Observation;
using Repmgr.Engine.Postgres;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr standby follow</c></summary>
internal sealed class StandbyFollowCommand : NodeCommand
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a restart of the server may take (<c>standby_follow_restart</c>): a standby has WAL to replay first.</summary>
    private static readonly TimeSpan RestartWithin = TimeSpan.FromSeconds(60);

    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel)
    {
        Settings settings = node.Settings;
        if (await AutomaticFailover.WhyNotByHandAsync(node.Tools.Connector, node.On, settings.Failover, cancel) is { } agentsDecide)
            return node.Context.Refuse(agentsDecide);
        (ClusterLook look, FollowTarget target) = await FindTargetAsync(node, cancel);
        if (look.First.Probe.Running is null)
        {
            (Problem unreachable, ExitCode code) = ConnectionProblem.From(look.First.Probe, settings.NodeName ?? $"node{node.Id}", node.On);
            return node.Context.Refuse(unreachable, code);
        }

        if ((look.First.Table as NodeTable.Unreadable)?.Lacking(MetadataUse.Change) is { } unreadable)
            return node.Context.Refuse(unreadable);
        if (look.View.Find(node.Id)?.Record is not { } self)
            return node.Context.Refuse([NotRegistered(node.Id), .. (target as FollowTarget.None)?.Problems ?? []]);
        if (target is not FollowTarget.Chosen chosen)
            return node.Context.Refuse(((FollowTarget.None)target).Problems, ((FollowTarget.None)target).ExitCode);

        ReplicationCredentials credentials = new(
            settings.ReplicationUser,
            settings.Passfile,
            settings.UsePrimaryConninfoPassword ? Environment.GetEnvironmentVariable("PGPASSWORD") : null);
        FollowSeen seen = await new FollowLook(node.Tools.Connector, new ReplicationLogin(node.Tools.Connector), credentials)
            .LookAsync(self, node.On, settings.DataDirectory, chosen, look.View, cancel);
        Planned planned = FollowPlanner.Plan(
            new FollowRequest(
                self, node.On, credentials, settings.UseReplicationSlots, settings.StandbyFollowRestart, RestartWithin, settings.StandbyFollowTimeout),
            seen).Unless(await node.LackingAsync(look.View, MetadataUse.Change, cancel));

        CarriedOut done = await node.Context.CarryOutAsync(planned, node.Tools.Runner, cancel);
        if (done.Outcome is { } outcome)
            await RecordAsync(node, chosen, seen.PrimaryOn, outcome, cancel);
        return done.ExitCode;
    }

    private static async Task RecordAsync(LocalNode node, FollowTarget.Chosen chosen, Conninfo primaryOn, PlanOutcome outcome, CancellationToken cancel)
    {
        string details = outcome.ReachedGoal ? $"standby attached to upstream {chosen.Upstream.Record.Label}" : outcome.Failure!;
        NodeRecord primary = chosen.Primary.Record;
        await node.Tools.Events.RecordAsync(
            primaryOn,
            new ClusterEvent(node.Id, EventName.StandbyFollow, outcome.ReachedGoal, details, new EventSubject(primary.Id, primary.Conninfo, primary.Name)),
            cancel);
        if (outcome.ReachedGoal)
            node.Log.Notice(details);
    }

    /// <summary>Looks until there is a node to follow: once, or with <c>--wait</c> until a primary has appeared.</summary>
    private static async Task<(ClusterLook Look, FollowTarget Target)> FindTargetAsync(LocalNode node, CancellationToken cancel)
    {
        string? wanted = node.Options.Argument ?? node.Options.UpstreamNodeId?.ToString(CultureInfo.InvariantCulture);
        TimeSpan within = node.Options.Wait ? node.Options.WaitWithin ?? node.Settings.PrimaryFollowTimeout : TimeSpan.Zero;
        long began = TimeProvider.System.GetTimestamp();
        bool said = false;
        while (true)
        {
            ClusterLook look = await node.Tools.Cluster.LookAsync(node.On, node.Id, cancel);
            FollowTarget target = FollowTarget.Choose(node.Id, wanted, look.View);
            if (target is not FollowTarget.None { MayAppear: true } || TimeProvider.System.GetElapsedTime(began) >= within)
                return (look, target);

            if (!said)
                node.Log.Info($"no primary yet; waiting at most {within.TotalSeconds:0} s for one");
            said = true;
            await Task.Delay(LookEvery, cancel);
        }
    }

    private static Problem NotRegistered(NodeId id) => new(
        $"node {id} is not registered",
        Hint: "Register it with \"repmgr standby register\" first; with --force it may be registered before it is attached.");
}
