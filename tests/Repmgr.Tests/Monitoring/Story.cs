using Repmgr.Core.Cluster;
using Repmgr.Core.Monitoring;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Monitoring;

/// <summary>Words to tell the machine a story, turn by turn, two seconds each.</summary>
internal sealed class Story(WatchPolicy policy)
{
    public const ulong Cluster = 7_000_000_000_000_000_001;

    private TimeSpan _clock;

    public WatchState State { get; private set; } = WatchState.Begin(TimeSpan.Zero);

    public List<WatchAct> Acts { get; } = [];

    public List<string> Events { get; } = [];

    public List<string> Lines { get; } = [];

    public Turn Last { get; private set; } = null!;

    public static NodeRecord Node(int id, NodeType type = NodeType.Standby, int? upstream = 1, bool active = true) => new(
        new NodeId(id), type == NodeType.Primary ? null : upstream is { } up ? new NodeId(up) : null, active, $"node{id}", type,
        "default", 100, $"host=node{id} port=5432 dbname=repmgr", "repmgr", null, "/etc/repmgr.conf");

    public static WatchPolicy Policy(int self, bool history = true, ChildPolicy? children = null, bool exitOnInactive = false) => new(
        Node(self, upstream: null), TimeSpan.FromSeconds(60), history, TimeSpan.FromSeconds(300), exitOnInactive,
        children ?? new ChildPolicy(TimeSpan.FromSeconds(2)));

    public static NodeProbe Primary(ulong written = 1000, int timeline = 1, ulong cluster = Cluster, params string[] serves) =>
        new NodeProbe.Primary(Server(timeline, cluster, serves), new Lsn(written));

    public static NodeProbe Standby(ulong received = 1000, ulong? replayed = null, int timeline = 1, int? from = 1, ulong cluster = Cluster, int startedAt = 0) =>
        new NodeProbe.Standby(
            Server(timeline, cluster, []) with { StartedAt = DateTimeOffset.UnixEpoch.AddSeconds(startedAt) },
            new Lsn(received), new Lsn(replayed ?? received), false, DateTimeOffset.UnixEpoch,
            from is { } node ? new WalReceiverFacts("streaming", timeline, $"node{node}", 5432, null) : null);

    public static NodeProbe Silent() => new NodeProbe.Silent("no answer within 2 s");

    public static Sight See(int node, NodeProbe probe, params NodeRecord[] table) => new(new NodeId(node), probe, probe.Running is null ? null : table);

    /// <summary>One turn; the others are those that were seen, whether or not they were asked for.</summary>
    public Story Turn(Sight own, params Sight[] others)
    {
        _clock += TimeSpan.FromSeconds(2);
        Last = WatchMachine.Decide(State, new Situation(_clock, own, others), policy);
        State = Last.Next;
        Acts.AddRange(Last.Acts);
        Events.AddRange(Last.Acts.OfType<WatchAct.Tell>().Select(tell => tell.Event.Name));
        Events.AddRange(Last.Acts.OfType<WatchAct.Write>().Select(write => write.Then?.Name).OfType<string>());
        Lines.AddRange(Last.Lines.Select(line => line.Message));
        return this;
    }

    public Story Turns(int count, Sight own, params Sight[] others)
    {
        for (int turn = 0; turn < count; turn++)
            Turn(own, others);
        return this;
    }

    /// <summary>Forgets what was said and done so far, to look at what comes.</summary>
    public Story Then()
    {
        Acts.Clear();
        Events.Clear();
        Lines.Clear();
        return this;
    }

    private static ServerFacts Server(int timeline, ulong cluster, string[] serves) => new(
        new PostgresVersion(180000), cluster, timeline, "/data", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddHours(1),
        [.. serves.Select(name => new WalSenderFacts(name, "streaming", null, null, null, null, "async"))]);
}
