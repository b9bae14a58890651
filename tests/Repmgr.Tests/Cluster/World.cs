using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Cluster;

/// <summary>Words for building what was seen of a cluster.</summary>
internal static class World
{
    public static readonly DateTimeOffset Now = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    public const ulong SystemIdentifier = 7_000_000_000_000_000_001;

    public static ClusterView See(params NodeView[] nodes) => new(Now, nodes);

    public static NodeRecord Record(
        int id, NodeType type = NodeType.Standby, int? upstream = null, bool active = true, string? name = null) =>
        new(
            new NodeId(id),
            upstream is { } u ? new NodeId(u) : null,
            active,
            name ?? $"node{id}",
            type,
            "default",
            100,
            $"host=node{id} user=repmgr dbname=repmgr",
            "repmgr",
            null,
            $"/etc/repmgr/{id}.conf");

    public static NodeView Primary(int id, params string[] attached) => new(Record(id, NodeType.Primary), Writable(attached: attached));

    public static NodeView Standby(int id, int upstream = 1) => new(Record(id, NodeType.Standby, upstream), InRecovery());

    public static NodeProbe.Primary Writable(Lsn? written = null, int timeline = 1, ulong system = SystemIdentifier, int started = 0, params string[] attached) =>
        new(Server(timeline, system, started, [.. attached.Select(name => Sender(name))]), written ?? new Lsn(0x3000000));

    public static NodeProbe.Standby InRecovery(
        Lsn? replayed = null, Lsn? received = null, int timeline = 1, bool paused = false, DateTimeOffset? commit = null,
        ulong system = SystemIdentifier, PostgresVersion? version = null, WalReceiverFacts? receiver = null, params string[] attached) =>
        new(
            Server(timeline, system, 1, [.. attached.Select(name => Sender(name))]) with { Version = version ?? new PostgresVersion(170002) },
            received ?? new Lsn(0x3000000),
            replayed ?? new Lsn(0x3000000),
            paused,
            commit,
            receiver);

    public static WalSenderFacts Sender(string name, string? state = "streaming", TimeSpan? lag = null) =>
        new(name, state, null, null, null, lag, "async");

    public static NodeProbe Silent { get; } = new NodeProbe.Silent("no answer within 2 s");

    public static NodeProbe Rejected(string sqlState = "28000") => new NodeProbe.Rejected(sqlState, "no pg_hba.conf entry");

    private static ServerFacts Server(int timeline, ulong system, int started, IReadOnlyList<WalSenderFacts> senders) =>
        new(new PostgresVersion(170002), system, timeline, "/data", Now.AddHours(-1).AddSeconds(started), Now, senders);
}
