using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Synchronous;
using Repmgr.Core.Postgres;

namespace Repmgr.Core.Failover.Reports;

/// <summary>What an agent says of itself to who asks. Times are lengths, not instants: the clocks of two hosts have nothing in common.</summary>
public sealed record AgentReport
{
    public required NodeId Node { get; init; }

    /// <summary>Who it is as a voter; null: it says not.</summary>
    public VoterId? Voter { get; init; }

    public string Name { get; init; } = "";

    public string Version { get; init; } = "";

    public int Pid { get; init; }

    /// <summary>False: it takes no part in elections yet, and <see cref="Waits"/> says why.</summary>
    public bool IsVoter { get; init; }

    public string? Waits { get; init; }

    /// <summary>What it is about, as in docs/failover.md: <c>Serving</c>, <c>Voting</c>.</summary>
    public string Role { get; init; } = "Starting";

    public TimeSpan Ttl { get; init; }

    /// <summary><c>lease_renew_interval</c> of its own file.</summary>
    public TimeSpan RenewEvery { get; init; }

    /// <summary><c>agent_restart_grace</c>, as it goes by it.</summary>
    public TimeSpan RestartGrace { get; init; }

    public Term Term { get; init; }

    /// <summary>Who holds <see cref="Term"/>; null: nobody that it knows of.</summary>
    public NodeId? Holder { get; init; }

    /// <summary>How long its own lease lasts; null: it has none.</summary>
    public TimeSpan? LeaseLeft { get; init; }

    /// <summary>Its word not to vote for anybody else; null: it is free.</summary>
    public PromiseReport? Promise { get; init; }

    /// <summary>How long it still votes for nobody since it was started; zero: it votes.</summary>
    public TimeSpan QuietLeft { get; init; }

    /// <summary>Null: it knows of no pause.</summary>
    public PauseReport? Pause { get; init; }

    /// <summary>When the holder was last heard; null: not in its life, or it is the holder.</summary>
    public TimeSpan? HolderHeardAgo { get; init; }

    public Membership? Membership { get; init; }

    /// <summary><c>writable</c>, <c>recovering</c>, <c>down</c>, <c>hung</c>, or <c>unseen</c>.</summary>
    public string Server { get; init; } = "unseen";

    public Lsn? Position { get; init; }

    public NodeId? Upstream { get; init; }

    /// <summary>The end of WAL that the holder announced last.</summary>
    public Lsn? HolderPosition { get; init; }

    /// <summary>How it stands as a candidate; null: without data, or they cannot be told.</summary>
    public Candidacy? Candidacy { get; init; }

    /// <summary>Why it may not become primary, whoever fails; null: it may.</summary>
    public string? Ineligible { get; init; }

    public SyncMember? Member { get; init; }

    public RememberedSet? Set { get; init; }

    public TermHistory? History { get; init; }

    /// <summary>When the guard last gave a sign of life; null: never.</summary>
    public TimeSpan? GuardHeardAgo { get; init; }

    public bool HasWatchdog { get; init; }

    /// <summary>How this agent stands with the store in which the lease lies; null: it lies in none.</summary>
    public StoreReport? Store { get; init; }

    /// <summary>The last decisions, the newest last (R17).</summary>
    public IReadOnlyList<DecisionReport> Decisions { get; init; } = [];

    /// <summary>It holds its term, whatever becomes of its server.</summary>
    public bool IsHolder => Holder == Node;

    /// <summary>Its server takes writes, because of its lease or because nobody fences in a pause.</summary>
    public bool IsServing => Role == nameof(HoldingStage.Serving) && (LeaseLeft > TimeSpan.Zero || Pause is { IsInForce: true });

    /// <summary>Of an agent that runs the machine.</summary>
    public static AgentReport Of(AgentState state, TimeSpan now)
    {
        DurableState durable = state.Durable;
        var holding = state.Role as Role.Holding;
        var recovering = state.Server as ServerView.Recovering;
        return new AgentReport
        {
            Node = state.Node,
            Voter = state.Self,
            IsVoter = true,
            Role = Draft.NameOf(state.Role),
            Ttl = state.Policy.Ttl,
            RenewEvery = state.Policy.RenewEvery,
            RestartGrace = state.Policy.RestartGrace,
            Term = durable.Term,
            Holder = holding is not null ? state.Node : state.Leader is { } leader && leader.Term == durable.Term && durable.Closed < durable.Term ? leader.Node : null,
            LeaseLeft = holding?.End - now,
            Promise = state.Promise is { } promise && promise.IsLive(now) && promise.To != state.Node ? new PromiseReport(promise.To, promise.Until - now) : null,
            QuietLeft = state.QuietUntil > now ? state.QuietUntil - now : TimeSpan.Zero,
            Pause = durable.Pause is { IsOn: true } pause ? new PauseReport(pause.Length!.Value, holding is null ? null : state.PauseEnds - now, holding is null || pause.IsConfirmed) : null,
            HolderHeardAgo = holding is null && state.Leader is { } heard ? now - heard.HeardAt : null,
            Membership = durable.Membership,
            Server = ServerWord(state.Server),
            Position = state.Server.End,
            Upstream = recovering?.Upstream,
            HolderPosition = state.Leader?.Position,
            Candidacy = Candidacies.Own(state),
            Ineligible = WhyNot(state),
            Member = Candidacies.MemberOf(state),
            Set = durable.Set,
            History = durable.Announced,
            GuardHeardAgo = state.Guard is { } guard ? now - guard.At : null,
            Decisions = [.. state.Decisions.Select(decision => new DecisionReport(now - decision.At, decision.Rule, decision.Name, decision.Evidence, decision.Times))],
        };
    }

    private static string ServerWord(ServerView server) => server switch
    {
        ServerView.Writable => "writable",
        ServerView.Recovering => "recovering",
        ServerView.Down => "down",
        ServerView.Hung => "hung",
        _ => "unseen",
    };

    private static string? WhyNot(AgentState state) => state switch
    {
        { Durable.Data: null } => "it is a witness",
        { Durable.Rebuilding: not null } => "its data are being made anew",
        { Policy.Priority: <= 0 } => "its priority is 0",
        { Policy.IsDelayed: true } => "it replays with recovery_min_apply_delay",
        { IsStopping: true } => "its agent is being stopped",
        { Server: ServerView.Down } => "its server is down",
        { Server: ServerView.Hung } => "its server hangs",
        { Server: ServerView.Unseen } => "its server has not been looked at yet",
        { Server: ServerView.Recovering { Position: null } } => "its server still replays what it had when it was started",
        { Server: ServerView.Recovering } when Candidacies.Own(state) is { IsEligible: false } => "it lacks more WAL than maximum_lag_on_failover allows",
        _ => null,
    };
}

/// <summary>A voter's word.</summary>
public sealed record PromiseReport(NodeId To, TimeSpan Left);

/// <summary>A pause.</summary>
/// <param name="Length">How long it was made for.</param>
/// <param name="Left">What is left of it; null: only the holder knows.</param>
/// <param name="IsInForce">A majority has acknowledged it.</param>
public sealed record PauseReport(TimeSpan Length, TimeSpan? Left, bool IsInForce);

/// <summary>The store in which the lease lies, as one agent sees it.</summary>
/// <param name="Kind"><c>etcd</c></param>
/// <param name="Place">Where it lies there: a prefix of keys.</param>
/// <param name="AnsweredAgo">When it last answered this agent; null: not in its life.</param>
/// <param name="Trouble">Why it does not answer; null: it does.</param>
public sealed record StoreReport(string Kind, string Place, TimeSpan? AnsweredAgo, string? Trouble)
{
    public bool IsAnswering => Trouble is null && AnsweredAgo is not null;
}

/// <summary>A decision, and how long ago it was made.</summary>
public sealed record DecisionReport(TimeSpan Ago, string Rule, string Name, string Evidence, int Times);

/// <summary>What came of asking the agent of a node.</summary>
/// <param name="Node">Which.</param>
/// <param name="Name">Its name.</param>
/// <param name="Report">Null: it did not answer, and <paramref name="Silence"/> says why.</param>
/// <param name="Silence">In a clause.</param>
public sealed record AgentAnswer(NodeId Node, string Name, AgentReport? Report, string? Silence)
{
    public string Label => $"{Name} (ID: {Node})";
}
