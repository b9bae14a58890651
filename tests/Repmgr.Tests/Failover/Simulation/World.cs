using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>The invariant that a simulated world broke.</summary>
internal sealed class InvariantBroken(string message) : Exception(message);

/// <summary>
/// Agents over a simulated network, with simulated clocks, disks and servers. All chance is from one seed. The invariants of
/// docs/failover.md are checked after each event.
/// </summary>
internal sealed partial class World
{
    private const int EventsKept = 400;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(150);

    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _events = new();
    private readonly Queue<(TimeSpan At, NodeId? Node, object What)> _log = new();
    private readonly HashSet<(string From, string Name, string To, string Rule)> _edges = [];
    private readonly Dictionary<Term, NodeId> _holders = new() { [new Term(1)] = new NodeId(1) };
    private readonly Dictionary<(Term Term, NodeId Candidate), Dictionary<NodeId, TrueWal>> _votes = [];
    private readonly HashSet<Term> _promoted = [new Term(1)];
    private readonly Random _random;
    private readonly SimulationProfile _profile;
    private readonly SyncMode _mode;
    private long _order;
    private long _turns;
    private long _promotions = 1;

    public World(int seed, SimulationProfile profile)
    {
        Seed = seed;
        _profile = profile;
        _random = new Random(seed);
        _mode = profile.Synchronous ?? (SyncMode)_random.Next(3);
        Nodes = Build();
        _store = Nodes[0].Disk.Membership.Store is { } store ? MakeStore(store) : null;
        _blocked = new bool[Nodes.Count + 1, Nodes.Count + 1];
        foreach (SimulatedNode node in Nodes)
            After(Between(0, 150), () => Look(node));
        foreach (SimulatedNode node in _store is null ? [] : Nodes)
            After(Between(0, 500), () => PollStore(node));
        After(Between(10, 60), Write);
        if (_profile.Spares != 0 || _profile.Faults is null)
            After(Between(500, 1500), Reconcile);
    }

    public int Seed { get; }

    public IReadOnlyList<SimulatedNode> Nodes { get; }

    public TimeSpan Now { get; private set; }

    public long Turns => _turns;

    /// <summary>The node whose server takes writes, if one does.</summary>
    public SimulatedNode? Primary => Nodes.FirstOrDefault(node => node.Acknowledges);

    public SimulatedNode Node(int id) => Nodes[id - 1];

    public static SimulationResult Run(int seed, SimulationProfile profile)
    {
        var world = new World(seed, profile);
        string? violation = null;
        try
        {
            if (profile.LosesPrimary)
                world.LosePrimaries();
            else
                world.Trouble();
            if (profile.LosesMajority)
                world.LoseMajority();
            world.Heal();
        }
        catch (InvariantBroken broken)
        {
            violation = broken.Message;
        }

        return new SimulationResult(
            seed, violation, world._turns, world._promoted.Count - 1, world._edges, violation is null ? "" : world.LastEvents())
        {
            HighestTerm = world._promoted.Max(),
        };
    }

    public void RunFor(TimeSpan time)
    {
        TimeSpan end = Now + time;
        while (_events.TryPeek(out _, out (TimeSpan At, long Order) next) && next.At <= end)
        {
            Action action = _events.Dequeue();
            Now = next.At;
            action();
            if (_mode == SyncMode.Off)
                CheckOnePrimary();
        }

        Now = end;
    }

    /// <summary>Runs until something is so. Fails when it is not within the time.</summary>
    public void RunUntil(Func<bool> condition, TimeSpan within, Func<string> otherwise)
    {
        TimeSpan end = Now + within;
        while (!condition())
        {
            if (Now >= end)
                throw new InvariantBroken(otherwise());
            RunFor(TimeSpan.FromMilliseconds(20));
        }
    }

    public string LastEvents() => string.Join('\n', _log.Select(item => $"{item.At.TotalSeconds,9:0.0000} {item.Node,2} {item.What}"));

    private void After(TimeSpan delay, Action action) => _events.Enqueue(action, (Now + delay, _order++));

    private TimeSpan Between(double least, double most) => TimeSpan.FromMilliseconds(least + (_random.NextDouble() * (most - least)));

    private void Note(NodeId? node, object what)
    {
        if (_log.Count == EventsKept)
            _log.Dequeue();
        _log.Enqueue((Now, node, what));
    }

    private List<SimulatedNode> Build()
    {
        int data = _profile.DataNodes ?? _random.Next(2, 6);
        int witnesses = _profile.Witnesses ?? (_profile.HasStore ? 0 : data == 2 ? 1 : _random.Next(0, 3));
        int spares = _profile.Spares ?? Math.Max(0, Math.Min(_random.Next(-1, 3), 7 - data - witnesses));
        Voter[] voters = [.. Enumerable.Range(1, data + witnesses).Select(id => Voter(id, id <= data))];
        var history = new TermHistory([new TermLine(new Term(1), 1, Lsn.Zero, new Term(1))]);
        Voter[] store = _profile.HasStore ? [new Voter(new VoterId(VoterId.StoreNode, 7), HasData: false)] : [];
        var membership = new Membership(new Term(1), 1, [.. voters, .. store]);
        RememberedSet? set = FirstSet(data);
        return [.. voters.Select(voter => Make(voter, membership, history, set)), .. Enumerable.Range(data + witnesses + 1, spares).Select(MakeSpare)];
    }

    private static Voter Voter(int id, bool hasData) => new(new VoterId(new NodeId(id), (ulong)(id * 16)), hasData);

    private SimulatedNode Make(Voter voter, Membership membership, TermHistory history, RememberedSet? set)
    {
        bool isHolder = voter.Id.Node == new NodeId(1);
        AgentPolicy policy = _profile.Policy with
        {
            RestartGrace = TimeSpan.FromSeconds(7),
            FailoverCooldown = TimeSpan.FromSeconds(4),
            Priority = !isHolder && _random.Next(6) == 0 && !_profile.LosesPrimary ? 0 : 100,
        };
        var durable = new DurableState
        {
            Term = new Term(1),
            VotedFor = new NodeId(1),
            LongestPromise = policy.Ttl,
            Held = new Term(isHolder ? 1 : 0),
            Served = new Term(isHolder ? 1 : 0),
            AttachFrom = new Term(1),
            Membership = membership,
            Announced = history,
            Data = voter.HasData ? history : null,
            Set = set,
            InForce = isHolder && set is not null ? new StampedSet(new SyncStamp(new Term(1), 1), set.Set) : null,
        };
        var node = new SimulatedNode(voter.Id, policy, durable, voter.HasData);
        node.SetClock(TimeSpan.Zero, Between(0, 1e6), Rate());
        if (voter.HasData)
        {
            node.Server.Phase = isHolder ? ServerPhase.Writable : ServerPhase.Recovering;
            node.Server.Configured = isHolder ? null : (new NodeId(1), new Term(1));
            BeginSynchronous(node, durable);
        }

        if (isHolder)
            node.GuardDeadline = node.Clock(TimeSpan.Zero) + TimeSpan.FromSeconds(2);
        if (_profile.HasSlowDisks)
            node.DiskDelay = Between(5, 80);
        StartAgent(node);
        return node;
    }

    // Two clocks at the ends of this range part by less than the drift margin in one ttl.
    private double Rate() => 0.955 + (0.09 * (_profile.HasExtremeClocks ? _random.Next(2) : _random.NextDouble()));

    /// <summary>Clients write wherever it is possible; in lease mode a commit is acknowledged at once.</summary>
    private void Write()
    {
        After(Between(10, 60), Write);
        foreach (SimulatedNode node in Nodes)
        {
            if (node.Acknowledges && !_isQuietTime)
                Commit(node, (ulong)_random.Next(1, 100), null);
        }
    }
}
