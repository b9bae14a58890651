using Repmgr.Core.Failover;
using Repmgr.Core.Failover.Synchronous;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>What kinds of trouble a simulated world has.</summary>
internal sealed record SimulationProfile
{
    public int? DataNodes { get; init; }

    public int? Witnesses { get; init; }

    /// <summary>The lease lies in a store (docs/adr/0116).</summary>
    public bool HasStore { get; init; }

    /// <summary>Nodes that are not registered at first; null: each seed chooses.</summary>
    public int? Spares { get; init; }

    /// <summary>Null: each seed chooses one.</summary>
    public SyncMode? Synchronous { get; init; } = SyncMode.Off;

    /// <summary><c>synchronous_node_count</c>; null: each seed chooses one.</summary>
    public int? SynchronousCount { get; init; }

    /// <summary>How long faults happen.</summary>
    public TimeSpan Trouble { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>Within this time after the last fault all is well again.</summary>
    public TimeSpan HealsWithin { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Only these faults; null: each seed chooses some.</summary>
    public IReadOnlyList<Fault>? Faults { get; init; }

    public TimeSpan FaultEvery { get; init; } = TimeSpan.FromSeconds(2.5);

    public BrokenRule Broken { get; init; }

    public AgentPolicy Policy { get; init; } = new();

    /// <summary>After the trouble a majority is lost, and an operator lets those that are left go on (R18).</summary>
    public bool LosesMajority { get; init; }

    /// <summary>Nothing happens but that a cluster that is well loses its primary, again and again: each time another takes writes in bounded time.</summary>
    public bool LosesPrimary { get; init; }

    /// <summary>Every clock is as slow or as fast as the drift margin allows.</summary>
    public bool HasExtremeClocks { get; init; }

    /// <summary>The disk is slow: there is time to crash between a write and its fsync.</summary>
    public bool HasSlowDisks { get; init; }
}

internal enum Fault
{
    Split,
    Isolate,
    OneWay,
    HealNetwork,
    BadNetwork,
    KillAgent,
    FreezeAgent,
    StopAgent,
    KillServer,
    FreezeServer,
    PowerLoss,
    Suspend,

    /// <summary>A hypervisor stops the machine, whose clocks do not see the time pass: only the synchronous modes survive that, so that no seed chooses it.</summary>
    StopMachine,
    KillGuard,
    SlowDisk,
    Drift,
    BurnTerm,
    Pause,
    Resume,
    ChangeMode,
    HandOver,
    Register,
    Unregister,
    LoseState,
    ChangeTimes,
    StoreOutage,
    SlowStore,

    /// <summary>The server ends, and somebody who is no agent starts it again, at once and again and again.</summary>
    RestartByHand,

    /// <summary>The disk of the data directory does not answer; the agent's own does.</summary>
    HangDisk,
}

/// <summary>What a simulated world came to.</summary>
/// <param name="Violation">Null: all invariants held, and all was well at the end.</param>
/// <param name="Edges">The edges of the machine that were walked.</param>
internal sealed record SimulationResult(int Seed, string? Violation, long Turns, int Promotions, IReadOnlyCollection<(string From, string Name, string To, string Rule)> Edges, string LastEvents)
{
    public Term HighestTerm { get; init; }
}
