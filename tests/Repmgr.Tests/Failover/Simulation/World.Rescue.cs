using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>Servers that start, by whomever; and that nothing is lost which a server had that died on a host that lives (I4).</summary>
internal sealed partial class World
{
    private readonly Dictionary<(NodeId Voter, NodeId Candidate, long Number), TrueWal> _answers = [];
    private readonly Dictionary<Term, List<(NodeId Voter, TrueWal Wal)>> _heardBy = [];

    private bool IsStarting(SimulatedNode node) => node.Server.Phase == ServerPhase.Recovering && Now < node.Server.OpensAt;

    private void Start(SimulatedNode node) => node.Server.Start(Now + Between(0, 300), isUnreadable: _random.Next(4) == 0);

    private void RestartByHand(SimulatedNode node)
    {
        node.Server.End();
        After(Between(1, 8), () => LookNow(node));
        for (int time = 0; time < 6; time++)
            After(Between(1, 200), () => StartByHand(node));
    }

    /// <summary>It comes up as a standby (R5), with the settings that it had.</summary>
    private void StartByHand(SimulatedNode node)
    {
        if (node is not { Server: { Phase: ServerPhase.Down, IsTorn: false, HasHungDisk: false }, IsSuspended: false, IsGone: false })
            return;
        Note(node.Node, "somebody starts the server");
        Start(node);
    }

    /// <summary>What a holder really has, whose server died, when it answers who may stand. What it could not read, when it looked last, it does not say.</summary>
    private void NoteAnswer(SimulatedNode voter, Envelope envelope)
    {
        if (envelope.Message is not Message.Ballot ballot || _mode != Core.Failover.Synchronous.SyncMode.Off)
            return;
        bool hasDied = voter.Agent is { ResignedAt: not null, Server: not (ServerView.Hung or ServerView.Down { Position: null }), Durable: { Rebuilding: null, Held: var held } }
            && voter.Server.Wal.Last.Term == held.Number
            && voter.Server is { IsTorn: false, IsFrozen: false, HasHungDisk: false, Connected: null };
        if (hasDied)
            _answers[(voter.Node, envelope.To, ballot.Number)] = voter.Server.Wal;
        else
            _answers.Remove((voter.Node, envelope.To, ballot.Number));
    }

    /// <summary>A candidate has heard these, and stands.</summary>
    private void CountAnswers(AgentState before, Input input, AgentState next, Edge edge)
    {
        // What could not be fetched for so long is given up, and reported (R11).
        bool gaveUp = next.BehindSince is { } since && input.At - since >= next.Policy.WalRescueTimeout;
        if (edge.Name != "Stands" || before.Role is not Role.Asking asking || next.Role is not Role.Standing standing || gaveUp)
            return;
        IEnumerable<NodeId> heard = asking.Ballots.Select(item => item.Voter.Node);
        if (input is Input.Received { Envelope: { Message: Message.Ballot last } envelope } && last.Number == asking.Number && before.Known.Votes(envelope.From))
            heard = heard.Append(envelope.From.Node);
        _heardBy[standing.Term] = [.. heard.Distinct()
            .Where(voter => _answers.ContainsKey((voter, before.Node, asking.Number)))
            .Select(voter => (voter, _answers[(voter, before.Node, asking.Number)]))];
    }

    private void CheckRescue(SimulatedNode node, Term term)
    {
        if (!_heardBy.TryGetValue(term, out List<(NodeId Voter, TrueWal Wal)>? answered))
            return;
        foreach ((NodeId voter, TrueWal wal) in answered)
        {
            if (wal.IsNewerThan(node.Server.Wal))
                throw new InvariantBroken($"I4: node {node.Node} is promoted with {node.Server.Wal.End}, and node {voter}, whose server died, answered it and had {wal.End}");
        }
    }
}
