using Repmgr.Core.Cluster;
using Repmgr.Core.Failover;

namespace Repmgr.Tests.Failover.Simulation;

/// <summary>A host: its clock, disk, agent, guard and server.</summary>
internal sealed class SimulatedNode(VoterId id, AgentPolicy policy, DurableState durable, bool hasData)
{
    private TimeSpan _clockBase;
    private TimeSpan _worldBase;
    private double _rate = 1;

    /// <summary>Another one when its state directory was lost.</summary>
    public VoterId Id { get; set; } = id;

    /// <summary>It was made anew once, without what it remembered.</summary>
    public bool HasLostState { get; set; }

    /// <summary>Its host is lost until all is put right.</summary>
    public bool IsGone { get; set; }

    /// <summary>The operator wants it in the cluster.</summary>
    public bool IsRegistered { get; set; } = true;

    public NodeId Node => Id.Node;

    public AgentPolicy Policy { get; } = policy;

    public bool HasData { get; } = hasData;

    /// <summary>What is on its disk.</summary>
    public DurableState Disk { get; set; } = durable;

    /// <summary>What is being written: a crash may leave the one or the other.</summary>
    public DurableState? Writing { get; set; }

    /// <summary>Counts what is written.</summary>
    public long WriteNumber { get; set; }

    /// <summary>The newest that is on the disk.</summary>
    public long WrittenNumber { get; set; }

    public TimeSpan DiskDelay { get; set; } = TimeSpan.FromMilliseconds(3);

    /// <summary>Null: the agent's process is not there.</summary>
    public AgentState? Agent { get; set; }

    /// <summary>Counts the lives of the agent.</summary>
    public int AgentLife { get; set; }

    public bool IsAgentFrozen { get; set; }

    /// <summary>The host sleeps; its boot clock goes on.</summary>
    public bool IsSuspended { get; set; }

    public List<Func<TimeSpan, Input>> Inbox { get; } = [];

    /// <summary>What its agent was about to go on with when it was frozen.</summary>
    public List<Action> Continuing { get; } = [];

    /// <summary>How its agent stands with the store, where there is one.</summary>
    public SimulatedStoreLink Link { get; set; } = new();

    /// <summary>How many messages of its agent went to others.</summary>
    public long Sent { get; set; }

    public Queue<AgentStep> Steps { get; } = new();

    /// <summary>Counts the steps that were begun or given up.</summary>
    public int StepNumber { get; set; }

    public bool IsStepping { get; set; }

    public bool HasGuard { get; set; } = true;

    public TimeSpan? GuardDeadline { get; set; }

    /// <summary>Its guard does not fence before.</summary>
    public TimeSpan PausedUntil { get; set; }

    /// <summary>When the guard fences.</summary>
    public TimeSpan? GuardFences => GuardDeadline is { } deadline && PausedUntil > deadline ? PausedUntil : GuardDeadline;

    public SimulatedServer Server { get; } = new();

    public bool Acknowledges => Server is { Phase: ServerPhase.Writable, IsFrozen: false } && !IsSuspended;

    /// <summary>The boot clock.</summary>
    public TimeSpan Clock(TimeSpan world) => _clockBase + ((world - _worldBase) * _rate);

    public TimeSpan WorldAt(TimeSpan clock) => _worldBase + ((clock - _clockBase) / _rate);

    public void SetClock(TimeSpan world, TimeSpan clock, double rate)
    {
        _clockBase = clock;
        _worldBase = world;
        _rate = rate;
    }
}
