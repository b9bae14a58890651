using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover.Chaos;

/// <summary>What kind of cluster is struck.</summary>
internal sealed record ChaosWorld
{
    /// <summary>As the setting of that name has it: off, quorum, strict.</summary>
    public string Synchronous { get; init; } = "off";

    /// <summary>Three to five.</summary>
    public int Hosts { get; init; } = 3;

    public int Major { get; init; } = PostgresMajor.Default;

    /// <summary>The lease lies in an etcd on one more host.</summary>
    public bool HasStore { get; init; }

    public bool IsSynchronous => Synchronous != "off";

    public override string ToString() => $"synchronous = {Synchronous}, {Hosts} hosts, PostgreSQL {Major}, {(HasStore ? "the lease lies in etcd" : "the nodes vote")}";
}
