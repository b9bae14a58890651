using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;

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

    /// <summary>Create the metadata schema, take it over from the extension of repmgr 5, or bring it forward.</summary>
    /// <param name="On">The primary.</param>
    /// <param name="Before">What was there when this was planned.</param>
    /// <param name="Cluster">The <c>cluster</c> of 1.x, whose views are wanted; null: none.</param>
    /// <param name="Owner">Who is to own the schema, when <paramref name="On"/> connects as somebody else; null: nobody else.</param>
    public sealed record EnsureSchema(Conninfo On, SchemaState Before, string? Cluster, string? Owner) : Step
    {
        public override string Describe()
        {
            string views = Cluster is null ? "" : $", with the views of schema {SqlText.Name(OriginalSchema.NameFor(Cluster))}";
            return Before switch
            {
                SchemaState.Absent => $"create the metadata in schema \"repmgr\"{views}",
                SchemaState.Extension extension =>
                    $"take the metadata over from extension \"repmgr\" {extension.Version}, and drop the extension{views}",
                SchemaState.Present { Version: < SchemaState.Current } present =>
                    $"bring the metadata forward from version {present.Version} to {SchemaState.Current}{views}",
                _ => $"check the metadata in schema \"repmgr\"{views}",
            };
        }
    }

    /// <summary>Write a node's record, as one change with those of former primaries.</summary>
    /// <param name="On">The primary.</param>
    /// <param name="Record">What is to stand there.</param>
    /// <param name="Deactivate">Nodes that are not to count as active any more.</param>
    /// <param name="Replace">May a row of this id that says something else be replaced?</param>
    public sealed record WriteNode(Conninfo On, NodeRecord Record, IReadOnlyList<NodeId> Deactivate, bool Replace) : Step
    {
        public override string Describe()
        {
            string type = Record.Type switch { NodeType.Primary => "primary", NodeType.Standby => "standby", _ => "witness" };
            string active = Record.Active ? "" : "inactive ";
            string upstream = Record.Upstream is { } id ? $" of node {id}" : "";
            string others = Deactivate.Count == 0 ? "" : $", and mark as inactive: {string.Join(", ", Deactivate.Select(node => $"node {node}"))}";
            return $"record node \"{Record.Name}\" (ID: {Record.Id}) as {active}{type}{upstream}{others}";
        }
    }

    /// <summary>Delete a node's record.</summary>
    /// <param name="On">The primary.</param>
    /// <param name="Record">The node.</param>
    public sealed record DeleteNode(Conninfo On, NodeRecord Record) : Step
    {
        public override string Describe() => $"delete the record of node \"{Record.Name}\" (ID: {Record.Id})";
    }

    /// <summary>Wait until a record has reached the standby itself.</summary>
    /// <param name="On">The standby.</param>
    /// <param name="Record">What is to be seen there.</param>
    /// <param name="Within">How long; null: for ever.</param>
    public sealed record AwaitNodeRecord(Conninfo On, NodeRecord Record, TimeSpan? Within) : Step
    {
        public override string Describe() =>
            $"wait until the record has reached node \"{Record.Name}\" (ID: {Record.Id})"
            + (Within is { } within ? $", at most {within.TotalSeconds:0} s" : "");
    }

    /// <summary>Delete old rows of <c>repmgr.monitoring_history</c>.</summary>
    /// <param name="On">The primary.</param>
    /// <param name="KeepDays">Rows of so many days stay; 0: none.</param>
    /// <param name="Standby">Only this standby's; null: all.</param>
    public sealed record DeleteHistory(Conninfo On, int KeepDays, NodeId? Standby) : Step
    {
        public override string Describe() =>
            (KeepDays == 0 ? "delete all monitoring history" : $"delete the monitoring history older than {KeepDays} days")
            + (Standby is { } node ? $" of node {node}" : "");
    }
}
