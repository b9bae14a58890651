namespace Repmgr.Core.Failover;

/// <summary>What an agent decided.</summary>
/// <param name="Next">What it goes on from.</param>
/// <param name="Persist">To be brought to disk; <see cref="Input.Persisted"/> says when it is there. Null: nothing new.</param>
/// <param name="Send">Leaves now: nothing in it depends on what is not on disk yet.</param>
/// <param name="Steps">To be done, in order.</param>
/// <param name="Guard">To be said to the guard.</param>
/// <param name="Edges">The changes of role, with their reasons.</param>
public sealed record Turn(
    AgentState Next,
    DurableState? Persist,
    IReadOnlyList<Envelope> Send,
    IReadOnlyList<AgentStep> Steps,
    IReadOnlyList<GuardOrder> Guard,
    IReadOnlyList<Edge> Edges)
{
    /// <summary>The answer to an operator's request; null: there was none.</summary>
    public Reply? Reply { get; init; }
}

/// <summary>A change of role.</summary>
/// <param name="Name">Which of the machine's edges.</param>
/// <param name="Rule">The rule that it follows.</param>
/// <param name="Evidence">What it was decided on: for people.</param>
public sealed record Edge(string From, string To, string Name, string Rule, string Evidence);
