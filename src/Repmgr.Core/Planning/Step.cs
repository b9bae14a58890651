using Repmgr.Core.Cluster;

namespace Repmgr.Core.Planning;

/// <summary>
/// One thing to do, as data. Each step can be repeated: its runner first looks whether the goal is reached.
/// <see cref="Describe"/> is what <c>--dry-run</c>, the log and the tests read.
/// </summary>
public abstract record Step
{
    private Step() { }

    /// <summary>An imperative clause in lower case without a full stop: <c>promote node "node2" (ID: 2)</c>.</summary>
    public abstract string Describe();

    /// <summary>Promote the local standby and wait until it is out of recovery and writable.</summary>
    /// <param name="Node">The node to promote.</param>
    /// <param name="Within">How long the promotion may take.</param>
    public sealed record Promote(NodeRecord Node, TimeSpan Within) : Step
    {
        public override string Describe() => $"promote node \"{Node.Name}\" (ID: {Node.Id}) to primary";
    }
}
