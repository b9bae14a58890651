namespace Repmgr.PostgresTests.Failover.Chaos;

/// <summary>What is to be seen while a fault lasts that has struck the primary.</summary>
internal enum Meanwhile
{
    /// <summary>Another node takes writes.</summary>
    AnotherWrites,

    /// <summary>Somebody takes writes, the same node or another.</summary>
    SomebodyWrites,

    /// <summary>Nothing moves: the primary goes on, for longer than a lease lasts.</summary>
    TheSameWrites,

    /// <summary>That depends; what counts is how it ends.</summary>
    Open,
}

/// <summary>Something that happens to a node, and that ends.</summary>
/// <param name="Name">A clause, which is the name of the scenario too.</param>
/// <param name="Strike">Brings it about.</param>
internal sealed record Fault(string Name, Func<StruckNode, Task> Strike)
{
    public Meanwhile Meanwhile { get; init; } = Meanwhile.SomebodyWrites;

    /// <summary>Ends it, as an operator or time would.</summary>
    public Func<StruckNode, Task> Heal { get; init; } = static _ => Task.CompletedTask;

    /// <summary>Makes a node ready to be struck, where not any node will do as it is; it is the primary afterwards.</summary>
    public Func<StruckNode, Task>? Prepare { get; init; }

    /// <summary>The host falls silent, or its server: without a synchronous set that may cost what no standby had received (I5). Otherwise nothing is lost (I3, I4).</summary>
    public bool MayLose { get; init; }

    /// <summary>Lease mode does not promise to survive it: docs/failover.md, Words.</summary>
    public bool OnlySynchronous { get; init; }

    public override string ToString() => Name;
}
