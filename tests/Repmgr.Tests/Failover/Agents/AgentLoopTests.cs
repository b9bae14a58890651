using System.Collections.Concurrent;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Engine.Failover;
using Repmgr.Tests.Daemon.Simulation;

namespace Repmgr.Tests.Failover.Agents;

/// <summary>The thread that decides, with the clock of this machine: node 2 of three.</summary>
public sealed class AgentLoopTests : IDisposable
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(20);

    private readonly BlockingCollection<Envelope> _sent = [];
    private readonly AgentLoop _loop;

    public AgentLoopTests()
    {
        AgentState begin = AgentState.Begin(OneAgent.Id(2), 7, new AgentPolicy(), new OneAgent().State.Durable, BootClock.Now);
        _loop = new AgentLoop(begin, new AgentHands(_sent.Add, _ => { }, _ => { }, (_, version) => _loop!.Post(at => new Input.Persisted(at, version)), _ => { }, _ => { }), new CapturedLog());
        _loop.Start();
    }

    public void Dispose()
    {
        _loop.Stop();
        _sent.Dispose();
    }

    [Fact]
    public async Task What_is_said_to_the_sender_in_the_same_turn_goes_back_to_him_and_nowhere_else()
    {
        Envelope? answer = await _loop.DeliverAsync(From(1, new Message.AskBallot(5, null))).WaitAsync(Within, TestContext.Current.CancellationToken);
        Assert.Equal((OneAgent.Id(2), new NodeId(1)), (answer!.From, answer.To));
        Assert.Equal(5, Assert.IsType<Message.Ballot>(answer.Message).Number);
        Assert.Empty(_sent);
    }

    /// <summary>A promise that has to be on disk first leaves when it is, on its own (R1).</summary>
    [Fact]
    public async Task What_waits_for_the_disk_is_not_waited_for()
    {
        var renew = new Message.Renew(
            new Term(4), new Round(9, 1), TimeSpan.FromSeconds(3), _loop.State.Durable.Membership, _loop.State.Durable.Announced, OneAgent.At(100), "default", true);
        Assert.Null(await _loop.DeliverAsync(From(1, renew)).WaitAsync(Within, TestContext.Current.CancellationToken));
        Assert.True(_sent.TryTake(out Envelope? later, Within));
        Assert.IsType<Message.Renewed>(later.Message);
        Assert.IsType<Message.Renewed>((await _loop.DeliverAsync(From(1, renew)).WaitAsync(Within, TestContext.Current.CancellationToken))!.Message);
    }

    [Fact]
    public async Task Nobody_waits_for_a_loop_that_has_ended()
    {
        _loop.Stop();
        Assert.Null(await _loop.Ended.WaitAsync(Within, TestContext.Current.CancellationToken));
        Assert.Null(await _loop.DeliverAsync(From(1, new Message.AskBallot(5, null))).WaitAsync(Within, TestContext.Current.CancellationToken));
    }

    private static Envelope From(int node, Message message) => new(OneAgent.Id(node), new NodeId(2), message);
}
