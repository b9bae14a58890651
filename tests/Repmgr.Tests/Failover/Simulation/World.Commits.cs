using System.Collections.Immutable;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>Commits that wait for standbys, and what was promised to those who made them (I3, and I1 in synchronous modes).</summary>
internal sealed partial class World
{
    private static readonly StampedSet NobodyIsNamed = new(new SyncStamp(new Term(0), 0), SyncSet.Of([SyncMember.Nobody(1)], 1));

    private readonly Dictionary<long, TrueWal> _acknowledged = [];
    private readonly List<(Term Term, NodeId Node, TrueWal Wal)> _promotedWith = [];

    private RememberedSet? FirstSet(int dataNodes)
    {
        if (_mode == SyncMode.Off)
            return null;
        int wanted = _profile.SynchronousCount ?? _random.Next(1, Math.Min(3, dataNodes));
        IEnumerable<SyncMember> members = Enumerable.Range(2, dataNodes - 1).Select(id => new SyncMember(new NodeId(id), (ulong)id));
        return new RememberedSet(new Term(1), 1, SyncSet.Of(members, wanted), new SyncMember(new NodeId(1), 1)) { Mode = _mode, Wanted = wanted };
    }

    private void BeginSynchronous(SimulatedNode node, DurableState durable)
    {
        node.Server.Identity = (ulong)node.Node.Value;
        if (_mode == SyncMode.Off)
            return;
        node.Server.Names.Add(durable.InForce ?? NobodyIsNamed);
        if (durable.InForce is null)
            node.Server.Stamp = new SyncStamp(new Term(1), 1);
    }

    /// <summary>A standby's own setting names nobody, so that one that is set at its promotion counts at once (R9).</summary>
    private void NameNobody(SimulatedNode node)
    {
        if (_mode == SyncMode.Off)
            return;
        node.Server.Names.Clear();
        node.Server.Names.Add(NobodyIsNamed);
    }

    private void Commit(SimulatedNode node, ulong bytes, TimeSpan? probedAt)
    {
        SimulatedServer server = node.Server;
        server.Wal = server.Wal with { End = server.Wal.End + bytes };
        if (_mode != SyncMode.Off)
        {
            server.Waiting.Enqueue((server.Wal.End, probedAt));
            Release(node);
        }

        Stream(node);
    }

    /// <summary>The agent's own commit; one that is not acknowledged in time is abandoned.</summary>
    private void Probe(SimulatedNode node)
    {
        if (_mode == SyncMode.Off || _isQuietTime || !node.Acknowledges || Now - node.Server.ProbedAt < TimeSpan.FromSeconds(1))
            return;
        node.Server.ProbedAt = Now;
        Commit(node, 8, node.Clock(Now));
    }

    /// <summary>A standby connects, under its name, and says what it has.</summary>
    private void Greet(SimulatedNode node, SimulatedNode source)
    {
        source.Server.Senders[node.Node] = new WalSender(node.Server.Connection, node.Server.Stamp, 0);
        Acknowledge(node);
    }

    /// <summary>What is on its way arrives, even if the standby ends the connection meanwhile.</summary>
    private void Acknowledge(SimulatedNode node)
    {
        if (_mode == SyncMode.Off || node.Server.Connected is not { } upstream)
            return;
        SimulatedNode source = Node(upstream.Value);
        (int connection, ulong flushed, int life) = (node.Server.Connection, node.Server.Wal.End, source.Server.Life);
        After(_random.Next(20) == 0 ? Between(0.1, 200) : Between(0.1, 2), () =>
        {
            SimulatedServer server = source.Server;
            if (server.Life != life || server.IsFrozen || source.IsSuspended || !server.Senders.TryGetValue(node.Node, out WalSender sender) || sender.Connection != connection)
                return;
            server.Senders[node.Node] = sender with { Flushed = Math.Max(flushed, sender.Flushed) };
            Release(source);
        });
    }

    /// <summary>The receiver is gone; its WAL sender notices that a moment later.</summary>
    private void Disconnect(SimulatedNode node)
    {
        int connection = node.Server.Connection++;
        if (node.Server.Connected is not { } upstream)
            return;
        node.Server.Connected = null;
        if (_mode == SyncMode.Off)
            return;
        SimulatedServer source = Node(upstream.Value).Server;
        After(_random.Next(10) == 0 ? Between(1, 300) : Between(0.1, 3), () =>
        {
            if (source.Senders.TryGetValue(node.Node, out WalSender sender) && sender.Connection == connection)
                source.Senders.Remove(node.Node);
        });
    }

    /// <summary>Commits are acknowledged that any of the settings in use lets go.</summary>
    private void Release(SimulatedNode node)
    {
        SimulatedServer server = node.Server;
        if (!node.Acknowledges)
            return;
        while (server.Waiting.TryPeek(out (ulong End, TimeSpan? ProbedAt) commit) && server.Names.Any(names => IsMet(server, names, commit.End)))
        {
            server.Waiting.Dequeue();
            if (commit.ProbedAt is { } sentAt)
                (server.LastCommit, server.ProbedAt) = (new AcknowledgedCommit(sentAt, new Lsn(commit.End)), null);
            CountCommit(node, commit.End);
        }
    }

    private static bool IsMet(SimulatedServer server, StampedSet names, ulong end) =>
        server.Senders.Count(sender => sender.Value.Flushed >= end && sender.Value.Stamp == names.Stamp && names.Set.Contains(sender.Key)) >= names.Set.Count;

    private static ImmutableArray<Sender> SeenSenders(SimulatedServer server) =>
        [.. server.Senders.Select(sender => new Sender(sender.Key, sender.Value.Stamp, new Lsn(sender.Value.Flushed)))];

    private void SetSynchronous(SimulatedNode node, StampedSet set, Finisher finish)
    {
        SimulatedServer server = node.Server;
        int life = server.Life;
        bool canSet = server is { Phase: not ServerPhase.Down, IsFrozen: false } && !node.IsSuspended;
        if (canSet)
        {
            server.Names.Add(set);
            Release(node);
        }

        // Who saw an empty setting waits for nobody until the checkpointer has run.
        bool wasEmpty = server.Names[0].Set.Count == 0;
        After(wasEmpty ? Between(1, 600) : Between(1, 60), () =>
        {
            if (!canSet || server.Life != life || server.IsFrozen || node.IsSuspended || !server.Names.Contains(set))
            {
                finish(new StepOutcome.Failed("the setting is not shown"));
                return;
            }

            EndOldSenders(node, set);
            server.Names.RemoveAll(names => names != set);
            finish(new StepOutcome.Done());
        });
    }

    private void EndOldSenders(SimulatedNode source, StampedSet set)
    {
        foreach (SimulatedNode node in Nodes)
        {
            if (node.Server.Connected != source.Node || node.Server.Stamp == set.Stamp)
                continue;
            source.Server.Senders.Remove(node.Node);
            Disconnect(node);
            After(Between(1, 20), () => Connect(node));
        }
    }

    /// <summary>Somebody was told that this commit will not be lost.</summary>
    private void CountCommit(SimulatedNode node, ulong end)
    {
        TrueWal wal = node.Server.Wal with { End = end };
        (long promotion, long term, _) = wal.Last;
        foreach ((Term later, NodeId other, TrueWal with) in _promotedWith)
        {
            if (later.Number > term && !wal.IsPrefixOf(with))
                throw new InvariantBroken($"I1: node {node.Node} acknowledges {end} of term {term}, which node {other}, promoted in term {later}, lacks");
        }

        if (!_acknowledged.TryGetValue(promotion, out TrueWal? before) || before.End < end)
            _acknowledged[promotion] = wal;
    }

    private void CheckCommits(SimulatedNode node, Term term)
    {
        foreach (TrueWal wal in _acknowledged.Values)
        {
            if (wal.Last.Term < term.Number && !wal.IsPrefixOf(node.Server.Wal))
                throw new InvariantBroken($"I3: node {node.Node} is promoted in term {term} with {node.Server.Wal.End}, and {wal.End} of term {wal.Last.Term} was acknowledged");
        }

        if (_mode != SyncMode.Off)
            _promotedWith.Add((term, node.Node, node.Server.Wal));
    }

    /// <summary>As many acknowledge as are wanted, and a majority remembers them.</summary>
    private bool HasWholeSet(SimulatedNode primary)
    {
        if (_mode == SyncMode.Off)
            return true;
        return primary.Agent is { Role: Role.Holding { Set.SetAt: not null } holding, Durable: { Set: { } set, InForce: { } inForce } }
            && set.Set.Equals(inForce.Set) && holding.Set.Confirmed == set
            && set.Set.Count == Math.Min(set.Wanted, Nodes.Count(node => node is { HasData: true, IsRegistered: true } && node != primary)) && !set.Set.Members.Any(member => member.IsNobody);
    }
}
