namespace Repmgr.Core.Failover;

/// <summary>A candidate behind a node that answers fetches that node's WAL before it stands (R11).</summary>
internal static class Rescue
{
    public const string Rule = "R11";

    /// <returns>Whether there is something to fetch.</returns>
    public static bool Begin(Draft turn, Candidacy own, IReadOnlyList<Candidacy> known)
    {
        Candidacy? source = known.Where(candidacy => candidacy.Data > own.Data).MaxBy(candidacy => candidacy.Data);
        bool failed = turn.State.FetchFailed is { } failure && failure.From == source?.Node && turn.Now < failure.NotBefore;
        if (source is null || failed || turn.Durable.Data!.Diverges(own.Data.Position, source.History))
            return false;

        // The data end before the lines that they do not reach yet, so that the history can be remembered before they grow.
        turn.Remember(turn.Durable with { Data = source.History });
        turn.Become(new Role.Fetching(source.Node, source.History), "Fetches", Rule, $"node {source.Node} has {source.Data}, this node {own.Data}");
        turn.Do(new AgentStep.FetchWal(source.Node, source.History, source.Data.Position));
        return true;
    }

    /// <summary>A node answers that has more, and it cannot be fetched: those who can stand first, until the rescue has timed out (R7, docs/adr/0109).</summary>
    public static bool IsWaitedFor(Draft turn, Candidacy own, IReadOnlyList<Candidacy> known)
    {
        Candidacy? ahead = known.Where(candidacy => candidacy.Data > own.Data).MaxBy(candidacy => candidacy.Data);
        TimeSpan since = turn.State.BehindSince ?? turn.Now;
        turn.State = turn.State with { BehindSince = ahead is null ? null : since };
        if (ahead is null || turn.Now - since >= turn.Policy.WalRescueTimeout)
            return false;
        turn.Become(new Role.Voting(), "IsBehind", Rule, $"node {ahead.Node} has {ahead.Data}, this node {own.Data}, and it cannot be fetched");
        return true;
    }

    public static void Finished(Draft turn, Role.Fetching role, StepOutcome outcome)
    {
        bool done = outcome is StepOutcome.Stopped;
        turn.State = turn.State with
        {
            AskedAt = null,
            FetchFailed = done ? null : (role.From, turn.Now + turn.Policy.WalRescueTimeout),
            Server = outcome is StepOutcome.Stopped { Position: { } end } ? new ServerView.Recovering(end, null, 0) : turn.State.Server,
        };
        turn.Become(new Role.Voting(), done ? "Fetched" : "NotFetched", Rule, outcome is StepOutcome.Failed failed ? failed.Why : "");
    }
}
