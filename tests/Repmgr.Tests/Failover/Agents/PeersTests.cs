using System.Collections.Concurrent;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Engine.Failover;
using Repmgr.Tests.Daemon.Simulation;

namespace Repmgr.Tests.Failover.Agents;

/// <summary>Messages between agents over HTTP: node 1 sends to node 2.</summary>
public sealed class PeersTests : IDisposable
{
    private static readonly MessageSeal Seal = new([1, 2, 3]);
    private static readonly Envelope Question = new(OneAgent.Id(1), new NodeId(2), new Message.AskBallot(5, null));

    private readonly BlockingCollection<Envelope> _answered = [];
    private readonly CapturedLog _log = new();

    public void Dispose() => _answered.Dispose();

    [Fact]
    public async Task What_the_other_says_at_once_comes_back_with_the_reply()
    {
        var answer = new Envelope(OneAgent.Id(2), new NodeId(1), new Message.Ballot(5, new Term(4), Refusal.Quiet, null));
        Assert.Equal(answer, await AskAsync(answer));
        Assert.Empty(_log.Lines);
    }

    /// <summary>The second question is answered as it should be: what came before it was not heard.</summary>
    [Fact]
    public async Task Nobody_answers_for_another_node_nor_to_one()
    {
        var right = new Envelope(OneAgent.Id(2), new NodeId(1), new Message.Ballot(5, new Term(4), null, null));
        Assert.Equal(right, await AskAsync(right with { From = OneAgent.Id(3) }, right with { To = new NodeId(3) }, right));
    }

    private async Task<Envelope> AskAsync(params Envelope[] answers)
    {
        var left = new ConcurrentQueue<Envelope>(answers);
        (string address, IAsyncDisposable listening) = await ListeningAgent.StartAsync(
            Seal, null, _ => Task.FromResult(left.TryDequeue(out Envelope? next) ? next : null), TestContext.Current.CancellationToken);
        await using (listening)
        {
            using var peers = new Peers(Seal, OneAgent.Id(1), 7, TimeSpan.FromSeconds(20), _answered.Add, null, _log);
            peers.Know(new NodeId(2), address);
            foreach (Envelope _ in answers)
                peers.Send(Question);
            Assert.True(_answered.TryTake(out Envelope? answer, TimeSpan.FromSeconds(20)), string.Join("; ", _log.Lines));
            return answer;
        }
    }
}
