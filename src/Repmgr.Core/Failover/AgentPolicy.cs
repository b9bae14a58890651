namespace Repmgr.Core.Failover;

/// <summary>How an agent behaves: times on its own boot clock.</summary>
public sealed record AgentPolicy
{
    public TimeSpan Ttl { get; init; } = TimeSpan.FromSeconds(3);

    public TimeSpan RenewEvery { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>How much later a voter's clock may run out than the holder's in one <see cref="Ttl"/> (R2).</summary>
    public TimeSpan DriftMargin { get; init; } = TimeSpan.FromSeconds(0.3);

    /// <summary>How long taking a server out of service may last (R4).</summary>
    public TimeSpan FenceBudget { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>What a lease must have left when a promotion begins (R8). PostgreSQL's own part was measured as 20 to 50 ms.</summary>
    public TimeSpan PromotionTakes { get; init; } = TimeSpan.FromSeconds(0.3);

    /// <summary>A member of the synchronous set that does not stream for so long is dropped from it (R9, <c>quorum</c>).</summary>
    public TimeSpan ShrinkAfter { get; init; } = TimeSpan.FromSeconds(3);

    public TimeSpan PromoteTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan WalRescueTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long answers are waited for, before asking or standing anew.</summary>
    public TimeSpan AnswerWithin { get; init; } = TimeSpan.FromSeconds(0.3);

    /// <summary>How long a candidate lets each better one stand first (R7).</summary>
    public TimeSpan StandAfterBetter { get; init; } = TimeSpan.FromSeconds(0.7);

    /// <summary>The ttl of the renewal with which an agent stops that is about to be started again (R14).</summary>
    public TimeSpan RestartGrace { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A primary that was promoted so short a time ago is not replaced for a server that hangs: it could go on (R17).</summary>
    public TimeSpan FailoverCooldown { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>A node further behind the last announced position does not stand; null: any may. In bytes.</summary>
    public ulong? MaximumLag { get; init; }

    /// <summary>0: the node never becomes primary.</summary>
    public int Priority { get; init; } = 100;

    /// <summary>The node replays with <c>recovery_min_apply_delay</c>, and does not stand.</summary>
    public bool IsDelayed { get; init; }

    public string Location { get; init; } = "default";

    /// <summary>What the cluster remembers counts, whatever this node's file says (R13).</summary>
    public AgentPolicy Under(AgreedTimes? agreed) => agreed is null || agreed == new AgreedTimes(Ttl, RestartGrace) ? this : this with
    {
        Ttl = agreed.Ttl,
        RestartGrace = agreed.RestartGrace,
        DriftMargin = LeaseTimes.Margin(agreed.Ttl, this),
    };
}
