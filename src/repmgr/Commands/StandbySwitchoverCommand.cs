using System.Globalization;
using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Switchover;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Execution;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Observation;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr standby switchover</c></summary>
internal sealed class StandbySwitchoverCommand : NodeCommand
{
    /// <summary>The wall clock may be set meanwhile.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ElectionLookEvery = TimeSpan.FromMilliseconds(200);

    protected override async Task<ExitCode> RunAsync(LocalNode node, CancellationToken cancel) => node.Settings.Failover == FailoverMode.Automatic
        ? await AgentCommands.OnAgentsAsync(node, ExitCode.DbConnection, look => RunAsync(node, look, cancel), cancel)
        : node.Context.Refuse(new Problem(
            "failover is manual on this node, and this version exchanges roles through the agents only",
            "With failover = automatic in repmgr.conf of all nodes they do it, from anywhere and without ssh.",
            "By hand: stop the primary in good order (pg_ctl -m fast stop), then \"repmgr standby promote --siblings-follow\" on the standby; then bring the former primary back with \"repmgr standby clone --force\"."));

    private static async Task<ExitCode> RunAsync(LocalNode node, AgentsLook agents, CancellationToken cancel)
    {
        TimeProvider clock = TimeProvider.System;
        DateTimeOffset? at = node.Options.At(clock.GetLocalNow(), clock.LocalTimeZone);
        if (at < clock.GetUtcNow())
            return node.Context.Refuse(new Problem("the time given with --at is over", $"It was {Text(at.Value)}.", "Give one that is still to come, or leave it out to begin at once."));
        Look looked = await LookAsync(node, agents, cancel);
        if (looked.Nowhere is { } nowhere)
            return node.Context.Refuse(nowhere);
        if (at is { } then && !node.Options.DryRun && looked.Planned is Planned.Ready ready)
        {
            foreach (Problem notice in ready.Notices)
                node.Log.Write(Severity.Notice, notice);
            await AwaitAsync(node, clock, then, cancel);
            looked = await LookAsync(node, agents, cancel);
            if (looked.Nowhere is { } lost)
                return node.Context.Refuse(lost);
        }

        return await CarryOutAsync(node, looked, cancel);
    }

    private static async Task<ExitCode> CarryOutAsync(LocalNode node, Look looked, CancellationToken cancel)
    {
        CarriedOut done = await node.Context.CarryOutAsync(looked.Planned!, node.Tools.Runner, cancel);
        if (done.Outcome is not { } outcome)
            return done.ExitCode;
        bool isExchanged = looked.Former is not null;
        if (isExchanged)
            await RecordAsync(node, looked, outcome, cancel);
        if (outcome is PlanOutcome.Done)
            node.Log.Notice(isExchanged ? $"{looked.New!.Label} is the primary now, and all others stream from it" : $"{looked.New!.Label} is the primary, and all others stream from it");
        return outcome is PlanOutcome.Failed { InAftermath: true } ? ExitCode.SwitchoverIncomplete : done.ExitCode;
    }

    private static async Task RecordAsync(LocalNode node, Look looked, PlanOutcome outcome, CancellationToken cancel)
    {
        (NodeRecord now, NodeRecord former) = (looked.New!, looked.Former!);
        string details = outcome switch
        {
            PlanOutcome.Failed { InAftermath: true } failed => $"{now.Label} has taken the role of the primary from {former.Label}; {failed.Problem.Message}",
            PlanOutcome.Failed failed => failed.Problem.Message,
            _ => $"{now.Label} has taken the role of the primary from {former.Label}",
        };
        await node.Tools.Events.RecordAsync(
            outcome.ReachedGoal ? NodeReach.Of(now, node.On) : await PrimaryAsync(node, cancel),
            new ClusterEvent(now.Id, EventName.StandbySwitchover, outcome.ReachedGoal, details, new EventSubject(former.Id, former.Conninfo, former.Name)), cancel);
    }

    /// <summary>Who takes writes after all; null: nobody that is seen.</summary>
    private static async Task<Conninfo?> PrimaryAsync(LocalNode node, CancellationToken cancel) =>
        PrimarySearch.In((await node.Tools.Cluster.LookAsync(node.On, node.Id, cancel)).View) is PrimarySearch.Found found ? NodeReach.Of(found.Node.Record, node.On) : null;

    private static async Task AwaitAsync(LocalNode node, TimeProvider clock, DateTimeOffset then, CancellationToken cancel)
    {
        node.Log.Notice($"everything is ready: waiting until {Text(then)}", "Everything is checked again then. Nothing comes of it when this command is ended before.");
        while (then - clock.GetUtcNow() is { } left && left > TimeSpan.Zero)
            await Task.Delay(left < LookEvery ? left : LookEvery, clock, cancel);
    }

    /// <summary>What passes by itself is waited for: that agents elect a primary, as after this command was killed, or look at a server.</summary>
    private static async Task<Look> LookAsync(LocalNode node, AgentsLook look, CancellationToken cancel)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            Look looked = await LookOnceAsync(node, look, cancel);
            if (!looked.MayPass || TimeProvider.System.GetElapsedTime(began) >= node.Settings.PromoteCheckTimeout)
                return looked;
            await Task.Delay(ElectionLookEvery, cancel);
        }
    }

    private static async Task<Look> LookOnceAsync(LocalNode node, AgentsLook look, CancellationToken cancel)
    {
        switch (await new ClusterFinder(node.Tools, node.Context).FindAsync(node.Loaded, MetadataUse.Change, cancel))
        {
            case ClusterFound.Nowhere nowhere:
                return new Look { Nowhere = nowhere };
            case ClusterFound.Seen { View: var cluster }:
                return await LookAsync(node, look, cluster, cancel);
            default:
                throw new InvalidOperationException("a cluster found in no known way");
        }
    }

    private static async Task<Look> LookAsync(LocalNode node, AgentsLook look, ClusterView cluster, CancellationToken cancel)
    {
        NodeView? candidate = node.Options.NodeName is { } name ? cluster.Nodes.FirstOrDefault(each => each.Record.Name == name)
            : cluster.Find(node.Options.NodeId is { } id ? new NodeId(id) : node.Id);
        if (candidate is null && node.Options.NodeName is { } unknown)
            return new Look { Planned = SwitchoverPlanner.Unknown($"no node \"{unknown}\" is registered", cluster) };
        NodeRecord? primary = (PrimarySearch.In(cluster) as PrimarySearch.Found)?.Node.Record;
        var servers = new SwitchoverLook(node.Tools.Connector);
        Task<SwitchoverServer?> AtAsync(NodeRecord? record) => record is null ? Task.FromResult<SwitchoverServer?>(null) : servers.LookAsync(record, node.On, cancel);
        SwitchoverServer?[] seen = await Task.WhenAll(AtAsync(primary), AtAsync(candidate?.Record));
        AgentsView agents = await look.LookAsync(cancel);
        Settings settings = node.Settings;
        var request = new SwitchoverRequest(
            candidate?.Record.Id ?? new NodeId(node.Options.NodeId ?? node.Id.Value), node.On, node.Options.Force,
            new SwitchoverLimits(settings.ArchiveReadyWarning, settings.ArchiveReadyCritical, settings.ReplicationLagWarning, settings.ReplicationLagCritical),
            new SwitchoverTimes(settings.WalReceiveCheckTimeout, settings.PromoteCheckTimeout, settings.StandbyReconnectTimeout, settings.StandbyFollowTimeout));
        return new Look
        {
            Planned = SwitchoverPlanner.Plan(request, new SwitchoverSeen(cluster, seen[0], seen[1], agents)),
            New = candidate?.Record,
            Former = primary?.Id == candidate?.Record.Id ? null : primary,
            MayPass = agents.Pause is null && ((candidate is not null && agents.Of(candidate.Record.Id) is { Server: "unseen" }) || (!cluster.LivePrimaries.Any() && agents.IsMajority([.. agents.Voters]))),
        };
    }

    private static string Text(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);

    /// <summary>What was seen and decided.</summary>
    private sealed record Look
    {
        public ClusterFound.Nowhere? Nowhere { get; init; }

        public Planned? Planned { get; init; }

        /// <summary>Who is to be the primary.</summary>
        public NodeRecord? New { get; init; }

        /// <summary>Who is; null: the same, or it is not known.</summary>
        public NodeRecord? Former { get; init; }

        /// <summary>What stands in the way passes by itself: nobody takes writes, and enough agents answer to elect somebody; or an agent is just looking at its server.</summary>
        public bool MayPass { get; init; }
    }
}
