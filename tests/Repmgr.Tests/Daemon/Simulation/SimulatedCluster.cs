using System.Globalization;
using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Daemon;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Postgres;

namespace Repmgr.Tests.Daemon.Simulation;

/// <summary>
/// Servers that replicate, lag, freeze, restart and change roles, without a process or a socket. Nodes are known by their port,
/// which is 5000 + id.
/// </summary>
internal sealed class SimulatedCluster : IServers, IPrimaryWriter
{
    private const ulong SystemIdentifier = 7_000_000_000_000_000_001;

    private readonly Dictionary<int, SimulatedServer> _servers = [];

    public SimulatedCluster(int nodes)
    {
        for (int id = 1; id <= nodes; id++)
            _servers[id] = new SimulatedServer(id) { IsPrimary = id == 1, Upstream = id == 1 ? null : 1 };
        Server(1).Table[1] = Record(1, NodeType.Primary, null);
        Replicate();
    }

    public IEnumerable<SimulatedServer> Servers => _servers.Values;

    public List<MonitoringRow> History { get; } = [];

    /// <summary>Writes at a primary take for ever: it hangs, though it answers looks.</summary>
    public bool WritesHang { get; set; }

    public SimulatedServer Server(int id) => _servers[id];

    public static NodeRecord Record(int id, NodeType type, int? upstream) => new(
        new NodeId(id), upstream is { } up ? new NodeId(up) : null, true, $"node{id}", type, "default", 100, Conninfo(id), "repmgr", null, "/etc/repmgr.conf");

    public static string Conninfo(int id) => string.Create(CultureInfo.InvariantCulture, $"host=sim port={5000 + id} user=repmgr dbname=repmgr");

    /// <summary>A moment passes: what is written flows down to who streams, tables included.</summary>
    public void Pass(DateTimeOffset now, ulong written)
    {
        foreach (SimulatedServer server in Servers)
        {
            server.Now = now;
            if (server is { IsUp: true, IsPrimary: true })
                server.Position += written;
        }

        Replicate();
    }

    public void Promote(int id)
    {
        SimulatedServer server = Server(id);
        (server.IsPrimary, server.Upstream, server.Timeline) = (true, null, Servers.Max(other => other.Timeline) + 1);
    }

    /// <summary>Rewound or cloned anew, and started as a standby of another node.</summary>
    public void Reclone(int id, int from)
    {
        SimulatedServer server = Server(id);
        (server.IsPrimary, server.Upstream, server.IsUp) = (false, from, true);
        server.Position = Server(from).Position;
        server.StartedAt = server.Now;
    }

    public Task<Sight> LookAsync(NodeId node, Conninfo conninfo, LookPolicy policy)
    {
        SimulatedServer server = Find(conninfo);
        return Task.FromResult(server.IsUp
            ? new Sight(node, server.Probe(Servers), server.Table.Count == 0 ? null : [.. server.Table.OrderBy(row => row.Key).Select(row => row.Value)])
            : new Sight(node, new NodeProbe.Silent("no answer"), null));
    }

    public Sight Unanswered(NodeId node) => new(node, new NodeProbe.Silent("no answer"), null);

    public void KeepOnly(IReadOnlyCollection<NodeId> nodes) { }

    public async Task<Answer<bool>> KeepHistoryAsync(Conninfo primary, MonitoringRow row, CancellationToken cancel)
    {
        if (await RefusesAsync(primary, cancel) is { } reason)
            return new Answer<bool>.Failed(null, reason);
        lock (History)
            History.Add(row);
        return new Answer<bool>.Got(true);
    }

    public async Task<Answer<DateTimeOffset>> TellAsync(Conninfo primary, ClusterEvent happened, DateTimeOffset at, CancellationToken cancel)
    {
        if (await RefusesAsync(primary, cancel) is { } reason)
            return new Answer<DateTimeOffset>.Failed(null, reason);
        lock (History)
            Find(primary).Events.Add((happened, at));
        return new Answer<DateTimeOffset>.Got(at);
    }

    public async Task<Answer<WriteResult>> WriteAsync(Conninfo primary, NodeRecord record, IReadOnlyList<NodeId> deactivate, CancellationToken cancel)
    {
        if (await RefusesAsync(primary, cancel) is { } reason)
            return new Answer<WriteResult>.Failed(null, reason);
        lock (History)
        {
            Dictionary<int, NodeRecord> table = Find(primary).Table;
            foreach (NodeId id in deactivate)
                table[id.Value] = table[id.Value] with { Active = false };
            table[record.Id.Value] = record;
        }

        return new Answer<WriteResult>.Got(new WriteResult.Written());
    }

    private async Task<string?> RefusesAsync(Conninfo primary, CancellationToken cancel)
    {
        if (WritesHang)
            await Task.Delay(Timeout.InfiniteTimeSpan, cancel);
        SimulatedServer server = Find(primary);
        return !server.IsUp ? "no answer" : server.IsPrimary ? null : "cannot execute INSERT in a read-only transaction";
    }

    private SimulatedServer Find(Conninfo conninfo) => Server(int.Parse(conninfo["port"]!, CultureInfo.InvariantCulture) - 5000);

    private void Replicate()
    {
        // Twice, so that what a cascading node received reaches those below it.
        for (int round = 0; round < 2; round++)
        {
            foreach (SimulatedServer server in Servers.Where(server => server is { IsUp: true, IsPrimary: false }))
            {
                if (server.Upstream is not { } up || Server(up) is not { IsUp: true } upstream || upstream.Position < server.Position)
                    continue;
                (server.Position, server.Timeline) = (upstream.Position, upstream.Timeline);
                server.Table.Clear();
                foreach ((int id, NodeRecord record) in upstream.Table)
                    server.Table[id] = record;
            }
        }
    }

    internal sealed class SimulatedServer(int id)
    {
        public int Id { get; } = id;

        public bool IsUp { get; set; } = true;

        public bool IsPrimary { get; set; }

        public int? Upstream { get; set; }

        public int Timeline { get; set; } = 1;

        public ulong Position { get; set; } = 1000;

        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public DateTimeOffset StartedAt { get; set; } = DateTimeOffset.UnixEpoch;

        public Dictionary<int, NodeRecord> Table { get; } = [];

        public List<(ClusterEvent Event, DateTimeOffset At)> Events { get; } = [];

        public NodeProbe Probe(IEnumerable<SimulatedServer> all)
        {
            WalSenderFacts[] senders =
            [
                .. all.Where(other => other is { IsUp: true, IsPrimary: false } && other.Upstream == Id)
                    .Select(other => new WalSenderFacts($"node{other.Id}", "streaming", null, null, null, null, "async")),
            ];
            var facts = new ServerFacts(new PostgresVersion(180000), SystemIdentifier, Timeline, "/data", StartedAt, Now, senders);
            if (IsPrimary)
                return new NodeProbe.Primary(facts, new Lsn(Position));
            bool streams = all.Any(other => other.Id == Upstream && other.IsUp);
            return new NodeProbe.Standby(
                facts, new Lsn(Position), new Lsn(Position), false, Now,
                streams ? new WalReceiverFacts("streaming", Timeline, "sim", 5000 + Upstream, null) : null);
        }
    }
}
