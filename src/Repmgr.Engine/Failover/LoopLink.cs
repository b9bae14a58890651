using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Engine.Failover;

/// <summary>The loop, for those who are there before it runs. What is posted before is not heard.</summary>
internal sealed class LoopLink
{
    private volatile AgentLoop? _loop;

    /// <summary>Null: it does not run yet.</summary>
    public AgentLoop? Loop => _loop;

    /// <summary>As of its last turn; null: it does not run yet.</summary>
    public AgentState? State => _loop?.State;

    /// <summary>The set that this node, a holder that serves, is to have in force; null: it is none.</summary>
    public KeptSet? Kept => State is
    {
        Role: Role.Holding { Stage: HoldingStage.Serving } holding,
        Durable: { InForce: { } inForce, Set.Mode: not SyncMode.Off },
    }
        ? new KeptSet(inForce, holding.Set.SetAt)
        : null;

    /// <summary>The cluster remembers a synchronous set (R9).</summary>
    public bool IsSynchronous => State?.Durable.Set is { Mode: not SyncMode.Off };

    /// <summary>The term history of a holder that serves; null: this node is none.</summary>
    public TermHistory? HeldHistory => State is { Role: Role.Holding { Stage: HoldingStage.Serving }, Durable.Announced: var history } ? history : null;

    public void Begin(AgentLoop loop)
    {
        _loop = loop;
        loop.Start();
    }

    public void Post(Func<TimeSpan, Input> input) => _loop?.Post(input);

    /// <summary>What the machine answers the sender at once; null: nothing, or it does not run yet.</summary>
    public Task<Envelope?> DeliverAsync(Envelope envelope) => _loop?.DeliverAsync(envelope) ?? Task.FromResult<Envelope?>(null);

    /// <param name="request">Of an operator.</param>
    /// <param name="notYet">What is answered before the loop runs.</param>
    public Task<Reply> AskAsync(Request request, Func<string> notYet) => _loop?.AskAsync(request) ?? Task.FromResult(new Reply(notYet()));

    /// <summary>Returns when the loop or what works beside it has ended.</summary>
    /// <exception cref="InvalidOperationException">A defect ended the loop.</exception>
    public async Task AwaitEndAsync(Task[] working)
    {
        Task<Exception?> ended = _loop!.Ended;
        await Task.WhenAny([.. working, ended]);
        if (!ended.IsCompleted)
            await Task.WhenAny(working).Unwrap();
        else if (await ended is { } defect)
            throw new InvalidOperationException(defect.Message, defect);
    }
}
