using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>The network between agents, and between servers.</summary>
internal sealed partial class World
{
    private readonly bool[,] _blocked;
    private double _loss;
    private double _twice;
    private double _slowestMilliseconds = 2;

    private bool Reaches(NodeId from, NodeId to) => !_blocked[from.Value, to.Value];

    private bool AreConnected(NodeId left, NodeId right) => Reaches(left, right) && Reaches(right, left);

    private void Send(SimulatedNode from, Envelope envelope)
    {
        from.Sent++;
        if (envelope.To == VoterId.StoreNode)
        {
            AskStore(from, envelope);
            return;
        }

        int times = _random.NextDouble() < _twice ? 2 : 1;
        for (int time = 0; time < times; time++)
        {
            if (_random.NextDouble() < _loss || !Reaches(from.Node, envelope.To))
                continue;
            SimulatedNode to = Node(envelope.To.Value);
            // Most messages are fast; a slow network lets some come very late, and after those sent later.
            TimeSpan delay = _random.Next(3) == 0 ? Between(0.1, _slowestMilliseconds) : Between(0.1, 1.5);
            After(delay, () => Deliver(to, at => new Input.Received(at, envelope)));
        }
    }

    /// <summary>A receiver connects where it is pointed to, if it can go on from there.</summary>
    private void Connect(SimulatedNode node)
    {
        SimulatedServer server = node.Server;
        if (server.Connected is { } upstream && (!AreConnected(node.Node, upstream) || !Serves(Node(upstream.Value))))
        {
            Disconnect(node);
        }

        if (server is not { Phase: ServerPhase.Recovering, IsFrozen: false, Connected: null, Configured: { } wanted } || node.IsSuspended || wanted.Node == node.Node)
            return;
        SimulatedNode source = Node(wanted.Node.Value);
        bool hasSlot = wanted.Term >= source.Server.HasSlotsFrom;
        if (!hasSlot || !Serves(source) || !AreConnected(node.Node, wanted.Node) || !server.Wal.IsPrefixOf(source.Server.Wal))
            return;
        server.Connected = wanted.Node;
        server.Connection++;
        Greet(node, source);
        Stream(source);
    }

    private static bool Serves(SimulatedNode node) => node.Server.Phase != ServerPhase.Down && node.Server is { IsFrozen: false } && !node.IsSuspended;

    /// <summary>WAL is on its way to all receivers connected to a node. What is in flight arrives even when the sender dies.</summary>
    private void Stream(SimulatedNode source)
    {
        foreach (SimulatedNode node in Nodes)
        {
            if (node.Server.Connected != source.Node || !AreConnected(node.Node, source.Node))
                continue;
            TrueWal wal = source.Server.Wal;
            int connection = node.Server.Connection;
            After(_random.Next(20) == 0 ? Between(0.2, 400) : Between(0.2, 3), () => Receive(node, connection, wal));
        }
    }

    private void Receive(SimulatedNode node, int connection, TrueWal wal)
    {
        SimulatedServer server = node.Server;
        if (server.Connection != connection || server.Phase != ServerPhase.Recovering || wal.End <= server.Wal.End || server.IsFrozen || node.IsSuspended)
            return;
        if (!server.Wal.IsPrefixOf(wal))
            throw new InvariantBroken($"the simulation streams to node {node.Node} what does not continue its WAL");
        server.Wal = wal;
        Acknowledge(node);
        Stream(node);
    }
}
