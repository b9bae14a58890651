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
    private static readonly TimeSpan Calm = TimeSpan.FromMilliseconds(50), Busy = TimeSpan.FromMilliseconds(20);

    private readonly object _lock = new();
    private readonly Queue<Func<TimeSpan, Input>> _inputs = new();
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
    public void Post(Func<TimeSpan, Input> input)
    {
        lock (_lock)
        {
            _inputs.Enqueue(input);
            Monitor.Pulse(_lock);
        }
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
            Monitor.Pulse(_lock);
        }
    }

    private void Run()
    {
        Exception? defect = null;
        try
        {
            while (Take() is { } input)
                Decide(input(BootClock.Now));
        }
        catch (Exception unexpected)
        {
            // The guard ends what this thread cannot go on with; the process ends, and is started anew.
            defect = unexpected;
            log.Write(Severity.Crit, new Problem($"the agent ends because of a defect: {unexpected.Message}", unexpected.ToString(), "Please report this."));
        }

        _end.TrySetResult(defect);
    }

    private Func<TimeSpan, Input>? Take()
    {
        lock (_lock)
        {
            if (_inputs.Count == 0 && !_ended)
                Monitor.Wait(_lock, Until(_state));
            return _ended ? null : _inputs.TryDequeue(out Func<TimeSpan, Input>? input) ? input : at => new Input.Tick(at);
        }
    }

    /// <summary>When the next turn is due though nothing has happened.</summary>
    private static TimeSpan Until(AgentState state)
    {
        bool isCalm = state is { Role: Role.Voting or Role.Holding { Stage: HoldingStage.Serving, Affirming: null }, Held: [] };
        TimeSpan wait = isCalm ? Calm : Busy;
        if (state.Role is Role.Holding holding)
        {
            TimeSpan now = BootClock.Now;
            TimeSpan due = holding.End is { } end && LeaseTimes.FenceDeadline(end, state.Policy) is var deadline && deadline < holding.NextRenewal
                ? deadline
                : holding.NextRenewal;
            wait = due - now < wait ? due - now : wait;
        }

        return wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1);
    }

    private void Decide(Input input)
    {
        Turn turn = AgentMachine.Decide(_state, input);
        _state = turn.Next;
        foreach (GuardOrder order in turn.Guard)
            hands.Tell(order);
        if (turn.Persist is { } durable)
            hands.Persist(durable, turn.Next.Version);
        foreach (Envelope envelope in turn.Send)
            hands.Send(envelope);
        foreach (AgentStep step in turn.Steps)
            hands.Order(step);
        foreach (Edge edge in turn.Edges)
            hands.Happened(edge);
        hands.EveryTurn(input.At);
        if (turn.Reply is { } reply)
            _asked?.TrySetResult(reply);
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
