using System.Collections.Immutable;
using Repmgr.Core.Cluster;

namespace Repmgr.Core.Failover;

/// <summary>A turn while it is being decided.</summary>
internal sealed class Draft(AgentState before, TimeSpan now)
{
    private readonly long _versionBefore = before.Version;
    private readonly List<Held> _depending = [];
    private readonly List<Envelope> _send = [];
    private readonly List<AgentStep> _steps = [];
    private readonly List<GuardOrder> _guard = [];
    private readonly List<Edge> _edges = [];

    public AgentState State { get; set; } = before;

    public TimeSpan Now => now;

    public Reply? Reply { get; set; }

    public DurableState Durable => State.Durable;

    public AgentPolicy Policy => State.Policy;

    public bool IsBroken(BrokenRule rule) => (State.Broken & rule) != 0;

    /// <summary>Changes what must not be forgotten. All that is sent and done from here on waits for it (R1).</summary>
    public void Remember(DurableState next)
    {
        if (next == State.Durable)
            return;
        bool hasOtherTimes = next.Membership.Times != State.Durable.Membership.Times;
        State = State with { Durable = next, Version = State.Version + 1, Policy = hasOtherTimes ? State.Policy.Under(next.Membership.Times) : State.Policy };
    }

    public void Become(Role role, string name, string rule, string evidence = "")
    {
        _edges.Add(new Edge(NameOf(State.Role), NameOf(role), name, rule, evidence));
        Record(name, rule, evidence);
        State = State with { Role = role };
    }

    /// <summary>Keeps a decision, also one not to act, with what it was made on (R17).</summary>
    public void Record(string name, string rule, string evidence) =>
        State = State with { Decisions = Decision.Add(State.Decisions, Now, rule, name, evidence) };

    public void Send(NodeId to, Message message) => _depending.Add(new Held(State.Version, new Envelope(State.Self, to, message), null));

    public void Broadcast(Message message)
    {
        foreach (Voter voter in State.Known.Asked)
        {
            if (voter.Id.Node != State.Node)
                Send(voter.Id.Node, message);
        }
    }

    /// <summary>Orders a step that waits for the disk. A step that waited before it is not done any more.</summary>
    public void Do(AgentStep step)
    {
        Forget();
        State = State with { Doing = step };
        _depending.Add(new Held(State.Version, null, step));
    }

    /// <summary>Orders a step that is right whatever becomes of the disk.</summary>
    public void DoNow(AgentStep step)
    {
        Forget();
        State = State with { Doing = step };
        _steps.Add(step);
    }

    public void Tell(GuardOrder order) => _guard.Add(order);

    /// <summary>What was written up to this number is on disk: what waited for it leaves.</summary>
    public void Saved(long version)
    {
        if (version > State.Saved)
            State = State with { Saved = version };
    }

    public Turn Finish()
    {
        bool bypass = IsBroken(BrokenRule.AnswersBeforeRemembering);
        var held = ImmutableArray.CreateBuilder<Held>();
        foreach (Held item in Waiting())
        {
            if (item.Version > State.Saved && !bypass)
                held.Add(item);
            else if (item.Envelope is { } envelope)
                _send.Add(envelope);
            else
                _steps.Add(item.Step!);
        }

        State = State with { Held = held.Count == 0 ? [] : held.ToImmutable() };
        return new Turn(State, State.Version != _versionBefore ? State.Durable : null, _send, _steps, _guard, _edges) { Reply = Reply };
    }

    internal static string NameOf(Role role) => role is Role.Holding holding
        ? holding.Affirming is null ? holding.Stage.ToString() : "Affirming"
        : role.GetType().Name;

    // A newer message of a kind to the same node replaces one that waits: with a disk that hangs the queue stays short.
    private IEnumerable<Held> Waiting()
    {
        if (State.Held.IsEmpty)
            return _depending;
        return State.Held
            .Where(old => old.Step is not null || !_depending.Any(item => item.Envelope is { } envelope
                && envelope.To == old.Envelope!.To && envelope.Message.GetType() == old.Envelope.Message.GetType()))
            .Concat(_depending);
    }

    private void Forget()
    {
        _depending.RemoveAll(item => item.Step is not null);
        if (!State.Held.IsEmpty)
            State = State with { Held = [.. State.Held.Where(item => item.Step is null)] };
    }
}
