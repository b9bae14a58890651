using Repmgr.Core.Cluster;

namespace Repmgr.Core.Failover;

/// <summary>A holder gives its term to a node that an operator named (R18). Voters prefer that node for a ttl, then elect anybody.</summary>
internal static class HandingOver
{
    public const string Rule = "R18";

    public static string? Begin(Draft turn, NodeId successor)
    {
        AgentState state = turn.State;
        if (successor == state.Node)
            return $"Node {successor} is the primary already.";
        if (!turn.Durable.Membership.Voters.Any(voter => voter.Id.Node == successor && voter.HasData))
            return $"Node {successor} is no voter with data.";
        if (Pausing.IsOn(state))
            return "The cluster is paused: end the pause first, with \"repmgr service unpause\".";
        if (state.IsStopping || state.Role is not Role.Holding { Stage: HoldingStage.Serving } || state.Server is not ServerView.Writable)
            return "The server of this node does not take writes.";
        if (state.Doing is AgentStep.PrepareHandOver preparing)
            return $"The role is about to be handed over to node {preparing.Successor}.";
        turn.DoNow(new AgentStep.PrepareHandOver(successor));
        return null;
    }

    /// <summary>The lease was renewed while the operator's command ran: what has come about meanwhile may speak against it.</summary>
    public static void Prepared(Draft turn, NodeId successor)
    {
        AgentState state = turn.State;
        if (state is not { IsStopping: false, Role: Role.Holding { Stage: HoldingStage.Serving, Affirming: null } holding, Server: ServerView.Writable } || Pausing.IsOn(state))
        {
            turn.Record("HandsOverNot", Rule, $"node {successor} was to be the primary, and it is paused, or the server does not write any more");
            return;
        }

        turn.State = state with { Successor = new Successor(successor, holding.Term, TimeSpan.MaxValue) };
        Fencing.Begin(turn, "HandsOver", Rule, $"node {successor} is to be the primary", isOrderly: true);
    }

    /// <summary>The term was given back: the wait for the successor begins.</summary>
    public static void Start(Draft turn, Term term)
    {
        if (turn.State.Successor is { } successor && successor.Of == term)
            turn.State = turn.State with { Successor = successor with { Until = turn.Now + turn.Policy.Ttl } };
    }

    /// <summary>A voter hears it with the resignation, which is said again and again.</summary>
    public static void Hear(Draft turn, Message.Resign resign)
    {
        if (resign.Successor is { } node && !(turn.State.Successor?.Of >= resign.Term))
            turn.State = turn.State with { Successor = new Successor(node, resign.Term, turn.Now + turn.Policy.Ttl) };
    }

    /// <summary>Who is to stand before all others; null: nobody was named, or his time is over.</summary>
    public static NodeId? Preferred(Draft turn) =>
        turn.State.Successor is { } successor && successor.Of >= turn.Durable.Term && turn.Now < successor.Until ? successor.Node : null;
}
