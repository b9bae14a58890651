using Repmgr.Core.Checks;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Planning.Following;
using Repmgr.Core.Planning.Promotion;
using Repmgr.Core.Planning.Switchover;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Execution;
using Repmgr.Tests.Cluster;
using Repmgr.Tests.Failover.Reports;

namespace Repmgr.Tests.Planning;

/// <summary>
/// A cluster in memory that does the steps of promotion and following the way servers would, for walking through plans step by
/// step. A fake with state, not a mock: what it answers comes from what was done to it.
/// </summary>
internal sealed class SmallCluster : IStepRunner
{
    public sealed class Server(int id)
    {
        public int Id => id;

        public bool Up { get; set; } = true;

        public bool InRecovery { get; set; } = true;

        public int Timeline { get; set; } = 1;

        public ReplicationSource? Source { get; set; }

        public HashSet<string> Slots { get; } = [];

        /// <summary>Refuses replication connections: a standby that is pointed here never attaches.</summary>
        public bool RefusesReplication { get; set; }

        /// <summary>The password in this server's primary_conninfo etc. play no part here; who may do what does.</summary>
        public ReplicationRights Rights { get; set; } = new("repmgr", true, true, true, true, true, "repmgr");
    }

    public Dictionary<int, Server> Servers { get; } = [];

    /// <summary><c>repmgr.nodes</c>, the same everywhere: replication is at once.</summary>
    public Dictionary<int, NodeRecord> Table { get; } = [];

    public List<Step> Done { get; } = [];

    /// <summary>Node 1 is the primary, the others stream from it.</summary>
    public static SmallCluster Of(int nodes, bool slots = false)
    {
        var cluster = new SmallCluster();
        for (int id = 1; id <= nodes; id++)
        {
            cluster.Servers[id] = new Server(id) { InRecovery = id != 1 };
            cluster.Table[id] = World.Record(id, id == 1 ? NodeType.Primary : NodeType.Standby, id == 1 ? null : 1)
                with
            { SlotName = slots && id != 1 ? $"repmgr_slot_{id}" : null };
        }

        foreach (Server standby in cluster.Servers.Values.Where(server => server.InRecovery))
        {
            string? slot = slots ? $"repmgr_slot_{standby.Id}" : null;
            standby.Source = new ReplicationSource(cluster.SourceConninfo(1, standby.Id), slot);
            if (slot is not null)
                cluster.Servers[1].Slots.Add(slot);
        }

        return cluster;
    }

    public Conninfo SourceConninfo(int upstream, int standby) =>
        PrimaryConninfo.Build(On(upstream), $"node{standby}", new ReplicationCredentials("repmgr", null, null), new PostgresVersion(170002));

    public Conninfo On(int id) => Conninfo.TryParse(Table[id].Conninfo, out Conninfo? conninfo, out _) ? conninfo : Conninfo.Empty;

    public Server Upstream(Server standby) =>
        Servers.Values.Single(server => standby.Source!.PrimaryConninfo["host"] == $"node{server.Id}");

    /// <summary>The standby receives: both are up, it may log in, and it has the slot it asks for.</summary>
    public bool Streams(Server standby) =>
        standby is { Up: true, InRecovery: true, Source: { } source }
        && Upstream(standby) is { Up: true, RefusesReplication: false } upstream
        && (source.SlotName is null || upstream.Slots.Contains(source.SlotName));

    public NodeProbe Probe(Server server)
    {
        if (!server.Up)
            return World.Silent;

        string[] attached = [.. Servers.Values.Where(other => Streams(other) && Upstream(other) == server).Select(other => $"node{other.Id}")];
        if (!server.InRecovery)
            return World.Writable(timeline: server.Timeline, attached: attached);

        WalReceiverFacts? receiver = Streams(server)
            ? new WalReceiverFacts("streaming", Upstream(server).Timeline, server.Source!.PrimaryConninfo["host"], null, server.Source.SlotName)
            : null;
        return World.InRecovery(timeline: receiver?.Timeline ?? server.Timeline, receiver: receiver, attached: attached);
    }

    public ClusterView Look() => World.See([.. Table.OrderBy(row => row.Key).Select(row => new NodeView(row.Value, Probe(Servers[row.Key])))]);

    private ServerRoom Room(Server server) => new(
        10, Servers.Values.Count(other => Streams(other) && Upstream(other) == server), 10,
        [.. server.Slots.Select(slot => new SlotView(slot, true, Servers.Values.Any(other => Streams(other) && Upstream(other) == server && other.Source!.SlotName == slot) ? 1 : null, false))]);

    public Planned PlanPromotion(int self, bool siblingsFollow = false, bool force = false) => PromotePlanner.Plan(
        new PromoteRequest(new NodeId(self), $"node{self}", On(self), force, siblingsFollow, null, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(30)),
        new PromoteSeen(
            Probe(Servers[self]),
            Look(),
            new RightsView("repmgr", "repmgr", true, true, new SchemaRights(true, true, []), null, true, true, true, true, true, "repmgr", true),
            Room(Servers[self]),
            Servers.Values.Where(server => server.Id != self && server.Up && server.InRecovery)
                .ToDictionary(server => new NodeId(server.Id), server => (On(server.Id), new FollowerView(server.Rights, server.Source, null)))));

    public Planned PlanFollow(int self, int upstream, bool useSlots = false)
    {
        Server standby = Servers[self];
        Server target = Servers[upstream];
        TimelineHistory history = target.Timeline == 1
            ? TimelineHistory.First
            : new TimelineHistory(target.Timeline, [.. Enumerable.Range(1, target.Timeline - 1).Select(t => new TimelineHistory.Ancestor(t, new Lsn(0x3000000)))]);
        NodeView? former = Table[self].Upstream is { } id && id.Value != upstream ? Look().Find(id) : null;
        return FollowPlanner.Plan(
            new FollowRequest(
                Table[self], On(self), new ReplicationCredentials(null, null, null), useSlots, Restart: false, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(30)),
            new FollowSeen(
                Probe(standby),
                new FollowerView(standby.Rights, standby.Source, null),
                standby.InRecovery ? new CopyEnd(World.SystemIdentifier, Probe(standby).Running!.Timeline, new Lsn(0x3000000), new Lsn(0x3000000), true, null) : null,
                new UpstreamView(
                    Look().Find(new NodeId(upstream))!,
                    On(upstream),
                    new SourceEnd(World.SystemIdentifier, target.Timeline, new Lsn(0x3000000), history, true, !target.InRecovery),
                    null,
                    Room(target),
                    target.Rights),
                Table.Values.First(record => !Servers[record.Id.Value].InRecovery && Servers[record.Id.Value].Up),
                On(1),
                former,
                former is null ? null : On(former.Record.Id.Value)));
    }

    /// <summary>With agents, whose holder is who takes writes.</summary>
    public Planned PlanSwitchover(int candidate)
    {
        int holder = Servers.Values.Single(server => !server.InRecovery).Id;
        var server = new SwitchoverServer(Room(Servers[candidate]), new Dictionary<string, long>(), 0, false);
        return SwitchoverPlanner.Plan(SwitchoverPlannerTests.Request(candidate), new SwitchoverSeen(Look(), server, server, Agents.View(report => report with
        {
            Holder = new NodeId(holder),
            Role = report.Node.Value == holder ? "Serving" : "Voting",
            LeaseLeft = report.Node.Value == holder ? TimeSpan.FromSeconds(2) : null,
        })));
    }

    public Task<StepOutcome> RunAsync(Step step, CancellationToken cancel)
    {
        Done.Add(step);
        return Task.FromResult(Do(step));
    }

    private StepOutcome Do(Step step)
    {
        switch (step)
        {
            case Step.Promote promote:
                Server promoted = Servers[promote.Node.Id.Value];
                if (!promoted.InRecovery)
                    return new StepOutcome.AlreadyDone();
                promoted.InRecovery = false;
                promoted.Timeline++;
                return new StepOutcome.Done();
            case Step.WriteNode write:
                foreach (NodeId id in write.Deactivate)
                    Table[id.Value] = Table[id.Value] with { Active = false };
                Table[write.Record.Id.Value] = write.Record;
                return new StepOutcome.Done();
            case Step.ReserveSlot reserve:
                return At(reserve.Server).Slots.Add(reserve.Slot) ? new StepOutcome.Done() : new StepOutcome.AlreadyDone();
            case Step.DropSlot drop:
                return At(drop.Server).Slots.Remove(drop.Slot) ? new StepOutcome.Done() : new StepOutcome.AlreadyDone();
            case Step.Repoint repoint:
                Servers[repoint.Node.Id.Value].Source = repoint.Source;
                return new StepOutcome.Done();
            case Step.AwaitStreaming wait:
                Server standby = Servers[wait.Node.Id.Value];
                if (!standby.InRecovery)
                    return new StepOutcome.Failed(new("it is a primary"), Core.Problems.ExitCode.FollowFailed);
                return new StreamingView(wait.Node, wait.Source, Probe(standby), Probe(Upstream(standby))) is { IsStreaming: false } view
                    ? new StepOutcome.Failed(new(string.Join("; ", view.Missing)), Core.Problems.ExitCode.FollowFailed)
                    : new StepOutcome.Done();
            case Step.Checkpoint or Step.AwaitNear:
                return new StepOutcome.Done();
            case Step.HandOver hand:
                return HandOver(Servers[hand.Node.Id.Value]);
            case Step.Together together:
                return together.Steps.Select(Do).FirstOrDefault(outcome => outcome is StepOutcome.Failed) ?? new StepOutcome.Done();
            default:
                throw new InvalidOperationException($"no such step here: {step.Describe()}");
        }
    }

    /// <summary>The agents exchange the roles, and point all others at the new primary.</summary>
    private StepOutcome HandOver(Server successor)
    {
        if (!successor.InRecovery)
            return new StepOutcome.AlreadyDone();
        successor.Timeline++;
        foreach (Server server in Servers.Values)
        {
            server.InRecovery = server != successor;
            server.Source = server == successor ? null : new ReplicationSource(SourceConninfo(successor.Id, server.Id), null);
        }

        return new StepOutcome.Done();
    }

    private Server At(Conninfo conninfo) => Servers.Values.Single(server => conninfo["host"] == $"node{server.Id}");

    /// <summary>All that there is to see, for comparing.</summary>
    public string Picture() => string.Join('\n', Servers.Values.Select(server =>
        $"{server.Id}: {(server.InRecovery ? "standby" : "primary")} timeline {server.Timeline}, from {server.Source?.PrimaryConninfo} {server.Source?.SlotName}, slots {string.Join(",", server.Slots.Order())}, streams {Streams(server)}, {Table[server.Id]}"));
}

/// <summary>Hears nothing.</summary>
internal sealed class NoLog : IExecutionLog
{
    public void Starting(Step step) { }

    public void Finished(Step step, StepOutcome outcome) { }
}
