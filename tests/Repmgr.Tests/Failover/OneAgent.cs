using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Failover;

/// <summary>One agent in a test's hand: node 2 of three with data, unless told otherwise; node 1 holds term 1.</summary>
internal sealed class OneAgent
{
    public static readonly TermHistory First = new([new TermLine(new Term(1), 1, Lsn.Zero, new Term(1))]);

    private readonly bool _savesAtOnce;

    public OneAgent(int node = 2, bool hasData = true, bool savesAtOnce = true, AgentPolicy? policy = null, Func<DurableState, DurableState>? disk = null)
    {
        _savesAtOnce = savesAtOnce;
        bool holds = node == 1;
        var durable = new DurableState
        {
            Term = new Term(1),
            VotedFor = new NodeId(1),
            Held = new Term(holds ? 1 : 0),
            Served = new Term(holds ? 1 : 0),
            AttachFrom = new Term(1),
            Membership = new Membership(new Term(1), 1, [.. Enumerable.Range(1, 3).Select(id => new Voter(Id(id), id != 3 || hasData))]),
            Announced = First,
            Data = hasData ? First : null,
        };
        State = AgentState.Begin(Id(node), 7, policy ?? new AgentPolicy(), disk?.Invoke(durable) ?? durable, Now);
    }

    public AgentState State { get; private set; }

    public TimeSpan Now { get; private set; } = TimeSpan.FromSeconds(1000);

    public List<Envelope> Sent { get; } = [];

    public List<AgentStep> Steps { get; } = [];

    public List<GuardOrder> GuardOrders { get; } = [];

    public List<Reply> Replies { get; } = [];

    public List<Edge> Walked { get; } = [];

    public IReadOnlyList<string> Edges => [.. Walked.Select(edge => edge.Name)];

    public Message.Renew? LastRenew { get; private set; }

    public List<DurableState> Written { get; } = [];

    public static VoterId Id(int node) => new(new NodeId(node), (ulong)node);

    public static Lsn At(ulong bytes) => new(bytes);

    public OneAgent Pass(double seconds)
    {
        // In small pieces, as an engine does.
        for (double passed = 0; passed < seconds - 1e-9; passed += 0.05)
        {
            Now += TimeSpan.FromSeconds(Math.Min(0.05, seconds - passed));
            Give(new Input.Tick(Now));
        }

        return this;
    }

    public OneAgent Jump(double seconds)
    {
        Now += TimeSpan.FromSeconds(seconds);
        return Give(new Input.Tick(Now));
    }

    public OneAgent Hear(int from, Message message) => Hear(Id(from), message);

    public OneAgent Hear(VoterId from, Message message) => Give(new Input.Received(Now, new Envelope(from, State.Node, message)));

    public OneAgent See(ServerView server) => Give(new Input.Observed(Now, Now, server));

    public OneAgent SeeStandby(ulong position, int? upstream = 1) =>
        See(new ServerView.Recovering(new Lsn(position), upstream is { } node ? new NodeId(node) : null, 0));

    public OneAgent Finish(StepOutcome outcome) => Give(new Input.Finished(Now, State.Doing!, outcome));

    public OneAgent Stopped(ulong? position) => Finish(new StepOutcome.Stopped(position is { } bytes ? new Lsn(bytes) : null));

    public OneAgent Echo(double? deadlineIn) => Give(new Input.GuardEcho(Now, deadlineIn is { } seconds ? Now + TimeSpan.FromSeconds(seconds) : null));

    public OneAgent Ask(Request request) => Give(new Input.Requested(Now, request));

    public OneAgent Save() => Give(new Input.Persisted(Now, State.Version));

    public OneAgent Renew(int from, long term, double ttl = 3, TermHistory? history = null, bool serving = true, ulong position = 100, long number = 1)
    {
        LastRenew = new Message.Renew(
            new Term(term), new Round(9, number), TimeSpan.FromSeconds(ttl), State.Durable.Membership,
            history ?? State.Durable.Announced, new Lsn(position), "default", serving);
        return Hear(from, LastRenew);
    }

    /// <summary>A ballot without a refusal comes from the node, with its data.</summary>
    public OneAgent HearBallots(int from) =>
        Hear(from, new Message.Ballot(State.Counter, new Term(1), null, null) { Member = new SyncMember(new NodeId(from), (ulong)from) });

    /// <summary>The node acknowledges the last renewal, and says that its data may be a member's.</summary>
    public OneAgent AcknowledgedBy(int node, bool isLeaving = false)
    {
        Message.Renew renew = Told<Message.Renew>(node)!;
        return Hear(node, new Message.Renewed(renew.Term, renew.Round, State.Node)
        {
            Member = isLeaving ? null : new SyncMember(new NodeId(node), (ulong)node),
            IsLeaving = isLeaving,
        });
    }

    /// <summary>The last message of a kind that left for a node.</summary>
    public T? Told<T>(int node)
        where T : Message => Sent.Where(envelope => envelope.To == new NodeId(node)).Select(envelope => envelope.Message).OfType<T>().LastOrDefault();

    public OneAgent Give(Input input)
    {
        Turn turn = AgentMachine.Decide(State, input);
        State = turn.Next;
        Sent.AddRange(turn.Send);
        Steps.AddRange(turn.Steps);
        Walked.AddRange(turn.Edges);
        GuardOrders.AddRange(turn.Guard);
        if (turn.Reply is { } reply)
            Replies.Add(reply);
        if (turn.Persist is { } durable)
        {
            Written.Add(durable);
            if (_savesAtOnce)
                Save();
        }

        return this;
    }
}
