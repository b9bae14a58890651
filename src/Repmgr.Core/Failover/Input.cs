namespace Repmgr.Core.Failover;

/// <summary>What an agent decides on.</summary>
/// <param name="At">The boot clock (<c>CLOCK_BOOTTIME</c>) when the input is decided on, not when it came.</param>
public abstract record Input(TimeSpan At)
{
    /// <summary>Time has passed.</summary>
    public sealed record Tick(TimeSpan At) : Input(At);

    public sealed record Received(TimeSpan At, Envelope Envelope) : Input(At);

    /// <summary>A look at the own server.</summary>
    /// <param name="TakenAt">When the look began.</param>
    public sealed record Observed(TimeSpan At, TimeSpan TakenAt, ServerView Server) : Input(At);

    /// <summary>The durable state of this number, and with it all before, is on disk.</summary>
    public sealed record Persisted(TimeSpan At, long Version) : Input(At);

    public sealed record Finished(TimeSpan At, AgentStep Step, StepOutcome Outcome) : Input(At);

    /// <summary>The guard lives.</summary>
    /// <param name="Deadline">When it will fence, a pause left aside; null: it guards nothing.</param>
    public sealed record GuardEcho(TimeSpan At, TimeSpan? Deadline) : Input(At);

    /// <summary>An operator asks. The turn has a <see cref="Turn.Reply"/>.</summary>
    public sealed record Requested(TimeSpan At, Request Request) : Input(At);

    /// <summary>The agent is to stop, and will be started again (R14).</summary>
    public sealed record StopRequested(TimeSpan At) : Input(At);
}
