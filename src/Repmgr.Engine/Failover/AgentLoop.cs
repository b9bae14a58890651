using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;
using Repmgr.Core.Problems;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Failover;

/// <summary>What the loop hands its decisions to. None of it may wait.</summary>
internal sealed record AgentHands(
    Action<Envelope> Send, Action<AgentStep> Order, Action<GuardOrder> Tell, Action<DurableState, long> Persist, Action<Edge> Happened, Action<TimeSpan> EveryTurn);

/// <summary>
/// Runs the machine: on a thread of its own, with the boot clock, one input after the other. Whatever reads, writes, sends or waits is done
/// elsewhere and comes back as an input.
/// </summary>
internal sealed class AgentLoop(AgentState begin, AgentHands hands, ILog log)
{
    private readonly object _lock = new();
    private readonly Queue<Waiting> _inputs = new();
    private volatile AgentState _state = begin;
    private TaskCompletionSource<Reply>? _asked;
    private bool _ended;

    /// <summary>As of the last turn.</summary>
    public AgentState State => _state;

    /// <summary>Ends with the loop: a defect, if it was one.</summary>
    public Task<Exception?> Ended => _end.Task;

    private readonly TaskCompletionSource<Exception?> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Start() => new Thread(Run) { IsBackground = true, Name = "failover", Priority = ThreadPriority.Highest }.Start();

    /// <param name="input">Is made when it is decided on, with the clock of that moment.</param>
    public void Post(Func<TimeSpan, Input> input) => Post(new Waiting(input, null));

    /// <summary>Decides on a message. What the machine has to say to its sender at once is the caller's to carry back; null: nothing.</summary>
    public Task<Envelope?> DeliverAsync(Envelope envelope)
    {
        var answer = new Answer(envelope.From.Node);
        Post(new Waiting(at => new Input.Received(at, envelope), answer));
        return answer.Carried.Task;
    }

    /// <summary>Puts an operator's request to the machine.</summary>
    public Task<Reply> AskAsync(Request request)
    {
        var answer = new TaskCompletionSource<Reply>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(at =>
        {
            _asked = answer;
            return new Input.Requested(at, request);
        });
        return answer.Task;
    }

    public void Stop()
    {
        lock (_lock)
        {
            _ended = true;
            while (_inputs.TryDequeue(out Waiting? waiting))
                waiting.Answer?.Carried.TrySetResult(null);
            Monitor.Pulse(_lock);
        }
    }

    private void Post(Waiting waiting)
    {
        lock (_lock)
        {
            if (_ended)
                waiting.Answer?.Carried.TrySetResult(null);
            else
                _inputs.Enqueue(waiting);
            Monitor.Pulse(_lock);
        }
    }

    private void Run()
    {
        Exception? defect = null;
        try
        {
            while (Take() is { } next)
                Decide(next.Input(BootClock.Now), next.Answer);
        }
        catch (Exception unexpected)
        {
            // The guard ends what this thread cannot go on with; the process ends, and is started anew.
            defect = unexpected;
            log.Write(Severity.Crit, new Problem($"the agent ends because of a defect: {unexpected.Message}", unexpected.ToString(), "Please report this."));
        }

        Stop();
        _end.TrySetResult(defect);
    }

    private Waiting? Take()
    {
        lock (_lock)
        {
            if (_inputs.Count == 0 && !_ended)
                Monitor.Wait(_lock, NextTurn.After(_state, BootClock.Now));
            return _ended ? null : _inputs.TryDequeue(out Waiting? next) ? next : Tick;
        }
    }

    private void Decide(Input input, Answer? answer)
    {
        Turn turn = AgentMachine.Decide(_state, input);
        _state = turn.Next;
        foreach (GuardOrder order in turn.Guard)
            hands.Tell(order);
        if (turn.Persist is { } durable)
            hands.Persist(durable, turn.Next.Version);
        foreach (Envelope envelope in turn.Send)
        {
            if (answer?.Carries(envelope) != true)
                hands.Send(envelope);
        }

        answer?.Carried.TrySetResult(null);
        foreach (AgentStep step in turn.Steps)
            hands.Order(step);
        foreach (Edge edge in turn.Edges)
            hands.Happened(edge);
        hands.EveryTurn(input.At);
        if (turn.Reply is { } reply)
            _asked?.TrySetResult(reply);
    }

    private static Waiting Tick { get; } = new(at => new Input.Tick(at), null);

    /// <summary>An input that is to be decided on.</summary>
    /// <param name="Input">With the clock of that moment.</param>
    /// <param name="Answer">Of a message whose sender waits.</param>
    private sealed record Waiting(Func<TimeSpan, Input> Input, Answer? Answer);

    /// <summary>The way back to one who has sent a message: room for one.</summary>
    private sealed class Answer(NodeId to)
    {
        public TaskCompletionSource<Envelope?> Carried { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool Carries(Envelope envelope) => envelope.To == to && Carried.TrySetResult(envelope);
    }
}

/// <summary>Brings the durable state to disk on a thread of its own; of several that wait only the newest is written, which holds the others (R1).</summary>
internal sealed class StateWriter(Action<DurableState> write, Action<long> written, ILog log)
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(200);

    private readonly object _lock = new();
    private (DurableState State, long Version)? _waiting;
    private bool _complained;

    public void Start() => new Thread(Run) { IsBackground = true, Name = "failover state" }.Start();

    public void Write(DurableState state, long version)
    {
        lock (_lock)
        {
            _waiting = (state, version);
            Monitor.Pulse(_lock);
        }
    }

    private void Run()
    {
        while (true)
        {
            (DurableState State, long Version) next;
            lock (_lock)
            {
                while (_waiting is null)
                    Monitor.Wait(_lock);
                next = _waiting.Value;
                _waiting = null;
            }

            Bring(next.State, next.Version);
        }
    }

    private void Bring(DurableState state, long version)
    {
        try
        {
            write(state);
            _complained = false;
            written(version);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            if (!_complained)
                log.Error("the agent's state cannot be written", failed.Message, "Until it can, this node gives no votes and renews no promises.");
            _complained = true;
            lock (_lock)
            {
                _waiting ??= (state, version);
                Monitor.Wait(_lock, Retry);
            }
        }
    }
}
