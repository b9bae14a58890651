using Repmgr.Core.Cluster;

namespace Repmgr.Core.Failover.Store;

/// <summary>What lies in the store: a voter that remembers like any other, and that agents let answer themselves.</summary>
/// <param name="Promise">Whom the voter gave its word; null: it is free.</param>
public sealed record StoredVoter(DurableState Durable, StoredPromise? Promise)
{
    /// <summary>As it is left by whoever begins a cluster: with its word given to the first holder.</summary>
    public static StoredVoter First(DurableState durable, TimeSpan ttl) =>
        new(durable, durable.VotedFor is { } holder ? new StoredPromise(durable.Term, holder, ttl, default) : null);
}

/// <summary>The word of the store's voter (R2). A length, since a store has no clock that its readers share.</summary>
/// <param name="Term">As in <see cref="Promise"/>.</param>
/// <param name="To">Who has it.</param>
/// <param name="Length">It is over for who has seen it stand there unchanged for so long, by the own boot clock.</param>
/// <param name="For">The renewal for which it was given: a store that was put back from a backup can come to the same revision twice, not to the same renewal.</param>
public sealed record StoredPromise(Term Term, NodeId To, TimeSpan Length, Round For);

/// <summary>The store's voter as an agent has seen it last.</summary>
/// <param name="Voter">What lay there.</param>
/// <param name="StateRevision">The store's number of the last change of what it remembers.</param>
/// <param name="PromiseRevision">That of its word.</param>
/// <param name="SeenSince">Since when this agent has seen that word unchanged: not before the instant at which it was first read.</param>
public sealed record StoreView(StoredVoter Voter, long StateRevision, long PromiseRevision, TimeSpan SeenSince)
{
    /// <param name="before">The view before; null: none in the life of this agent.</param>
    /// <param name="at">When the store's answer was there.</param>
    public static StoreView See(StoreView? before, StoredVoter voter, long stateRevision, long promiseRevision, TimeSpan at) =>
        new(voter, stateRevision, promiseRevision, before is not null && before.PromiseRevision == promiseRevision && before.Voter.Promise == voter.Promise ? before.SeenSince : at);
}

/// <summary>What the store's voter answers, once the store has taken what it is to remember.</summary>
/// <param name="Next">To be written in one transaction, if nothing of what was seen has changed; null: nothing is to be written.</param>
/// <param name="IsRemembered">What it remembers is other than before, and not only its word.</param>
public sealed record StoreTurn(StoredVoter? Next, bool IsRemembered, IReadOnlyList<Message> Answers);

/// <summary>
/// The voter that lies in a store (docs/adr/0116): a witness whose disk is the store, and which every agent runs for itself, one message at a time, by its own
/// boot clock. What it decided counts when the store has taken it, compared with what it was decided on.
/// </summary>
public static class StoreVoter
{
    public static StoreTurn Decide(VoterId store, StoreView view, AgentPolicy policy, Envelope envelope, TimeSpan now) =>
        Decide(store, view, policy, envelope, now, BrokenRule.None);

    internal static StoreTurn Decide(VoterId store, StoreView view, AgentPolicy policy, Envelope envelope, TimeSpan now, BrokenRule broken)
    {
        ArgumentNullException.ThrowIfNull(view);
        AgentState begin = Of(store, view, policy, now, broken);
        Turn turn = AgentMachine.Decide(begin, new Input.Received(now, envelope));
        Message[] answers = [.. turn.Send.Where(sent => sent.To == envelope.From.Node).Select(sent => sent.Message)];
        // An answer that says yes rests on what lies there now, though nothing of it may have changed.
        bool isGiven = answers.Any(answer => answer is Message.Renewed or Message.Vote { Refusal: null });
        if (turn.Persist is null && turn.Next.Promise == begin.Promise && !isGiven)
            return new StoreTurn(null, IsRemembered: false, answers);
        Round round = envelope.Message is Message.Renew renew ? renew.Round : new Round(0, turn.Next.Durable.Term.Number);
        StoredPromise? promise = turn.Next.Promise is { } word && word.IsLive(now) ? new StoredPromise(word.Term, word.To, word.Until - now, round) : null;
        return new StoreTurn(new StoredVoter(turn.Next.Durable, promise), turn.Persist is not null, answers);
    }

    /// <summary>Unlike an agent that was started again it has forgotten nothing, and is not quiet (R1): what it promised lies there, and is waited for from when it was seen.</summary>
    private static AgentState Of(VoterId store, StoreView view, AgentPolicy policy, TimeSpan now, BrokenRule broken)
    {
        DurableState durable = view.Voter.Durable;
        TimeSpan since = (broken & BrokenRule.StoredPromiseUnwatched) != 0 ? now - policy.Ttl : view.SeenSince;
        return AgentState.Begin(store, boot: 0, policy, durable, now) with
        {
            QuietUntil = TimeSpan.MinValue,
            Saved = long.MaxValue,
            Promise = view.Voter.Promise is { } word ? new Promise(word.Term, word.To, since + word.Length) : null,
            Leader = durable is { VotedFor: { } holder } && durable.Announced.Newest.Term == durable.Term
                ? new Leader(durable.Term, holder, durable.Announced, default, "", IsServing: false)
                : null,
            Broken = broken,
        };
    }
}
