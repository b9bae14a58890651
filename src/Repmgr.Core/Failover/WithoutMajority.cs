using System.Globalization;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Core.Failover;

/// <summary>
/// A majority of the voters is lost for good, on an operator's word: those that are left become the membership, in a term far above all that is known, and elect
/// as ever (R18, [17], docs/adr/0125).
/// </summary>
internal static class WithoutMajority
{
    public const string Rule = "R18";

    /// <summary>So far above that terms which the lost ones know, and others do not, lie below it.</summary>
    public const long Above = 1000;

    /// <param name="turn">The turn of the agent whose server is to be the primary.</param>
    /// <param name="reachable">Who answers.</param>
    /// <param name="known">The highest term that any of them knows.</param>
    public static string? Begin(Draft turn, IReadOnlyCollection<VoterId> reachable, Term known)
    {
        AgentState state = turn.State;
        Membership present = state.Known;
        Voter[] left = [.. present.Voters.Where(voter => voter.Id == state.Self || reachable.Contains(voter.Id))];
        if ((SignOfHolder(turn) ?? Obstacle(turn)) is { } obstacle)
            return obstacle;
        if (!present.Votes(state.Self))
            return "This node is no voter.";
        if (present.IsMajority([.. left.Select(voter => voter.Id)]))
            return string.Create(CultureInfo.InvariantCulture, $"{left.Length} of {present.Voters.Count} voters answer, which is a majority: an election comes by itself.");

        Term term = new(Term.Max(Term.Max(known, turn.Durable.Term), present.Term).Number + Above - 1);
        turn.Remember(turn.Durable with
        {
            Term = term,
            VotedFor = null,
            Membership = new Membership(term, 1, left)
            {
                Times = present.Times,
                Lost = [.. (present.Lost ?? []).Concat(present.Asked.Select(voter => voter.Id)).Distinct().Where(id => !left.Any(voter => voter.Id == id))],
            },
            Set = Alone(state, term),
            // No majority will ever acknowledge the end of a pause that this node made.
            Pause = turn.Durable.Pause is { } pause ? pause with { IsConfirmed = true } : null,
        });
        turn.State = turn.State with { Heard = null, Promise = null, AskedAt = null, WaitingSince = null };
        string evidence = string.Create(CultureInfo.InvariantCulture, $"{left.Length} of {present.Voters.Count} are left, on an operator's word");
        if (state.Role is Role.Asking)
            turn.Become(new Role.Voting(), "ReducesVoters", Rule, evidence);
        else
            turn.Record("ReducesVoters", Rule, evidence);
        return null;
    }

    /// <summary>What was lost may have been all that the remembered set asks for. Nobody but this node can be elected by an empty one (R9).</summary>
    private static RememberedSet? Alone(AgentState state, Term term) => state.Durable.Set is { Mode: not SyncMode.Off } set
        ? set with { Term = term, Change = 1, Set = SyncSet.Empty, Holder = new SyncMember(state.Node, state.Identity!.Value) }
        : state.Durable.Set;

    private static string? Obstacle(Draft turn) => turn.State switch
    {
        { IsStopping: true } => "This agent is being stopped.",
        // It paused the cluster, its server has ended, and it keeps the term for a majority that is lost.
        { Role: Role.Holding { Stage: HoldingStage.Waiting }, Server: ServerView.Down or ServerView.Recovering } =>
            Pausing.IsOn(turn.State) ? "The cluster is paused: end the pause first, with \"repmgr service unpause\"." : null,
        { Role: Role.Holding or Role.Resuming or Role.Fencing } => "This node holds the lease.",
        { Durable.Data: null } => "This node is a witness.",
        _ when Pausing.IsOn(turn.State) => "The cluster is paused: end the pause first, with \"repmgr service unpause --holder-is-down\".",
        _ when Ballots.IsQuiet(turn) => string.Create(CultureInfo.InvariantCulture, $"This agent was started a moment ago, and does not know yet what it promised before: it votes in {(turn.State.QuietUntil - turn.Now).TotalSeconds:0.0} s."),
        { Doing: not null } or { Role: not (Role.Voting or Role.Asking) } => "This agent is about something else at the moment: ask again.",
        _ when Candidacies.Own(turn.State) is not { IsEligible: true } => "This node cannot become primary.",
        { Durable.Set.Mode: not SyncMode.Off, Identity: null } => "The identity of the data directory is not known yet.",
        _ => null,
    };

    /// <summary>The operator's word is believed only where nothing speaks against it.</summary>
    private static string? SignOfHolder(Draft turn) => turn.State switch
    {
        { Promise: { } promise } when promise.Forbids(turn.State.Node, turn.Now) => $"Node {promise.To} has renewed its lease a moment ago.",
        { Server: ServerView.Recovering { Upstream: { } upstream } } => $"The server still receives from node {upstream}.",
        { SignOfHolder: { } sign } when turn.Now - sign <= turn.Policy.Ttl => "The server has received more than the holder had announced, a moment ago.",
        _ => null,
    };
}
