using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Cloning;

/// <summary>What a new standby will stream from.</summary>
/// <param name="Conninfo">How it is reached; primary_conninfo is made from it.</param>
/// <param name="Verbatim">It was given by the operator and is taken as it is, but for credentials and name.</param>
/// <param name="Name">For messages.</param>
/// <param name="IsSource">It is the server that is copied.</param>
public sealed record CloneUpstream(Conninfo Conninfo, bool Verbatim, string Name, bool IsSource)
{
    /// <summary>Chooses: what the operator says, else the source if it is a primary, else the registered primary, else the source.</summary>
    /// <param name="wish">Options and configuration.</param>
    /// <param name="source">How the source was reached.</param>
    /// <param name="sourceName">Its name for messages.</param>
    /// <param name="inRecovery">The source is a standby.</param>
    /// <param name="nodes">The nodes registered there.</param>
    /// <param name="problem">Why there is none.</param>
    public static CloneUpstream? Choose(
        CloneWish wish, Conninfo source, string sourceName, bool inRecovery, IReadOnlyList<NodeRecord> nodes, out Problem? problem)
    {
        problem = null;
        if (wish.Options.UpstreamConninfo is { } text)
        {
            return Conninfo.TryParse(text, out Conninfo? given, out problem)
                ? new CloneUpstream(given, true, given["host"] ?? given["hostaddr"] ?? "the upstream", SameServer(given, source))
                : null;
        }

        if (wish.Options.UpstreamNodeId is { } id)
            return Registered(wish, new NodeId(id), source, nodes, out problem);
        if (inRecovery && nodes.FirstOrDefault(node => node is { Type: NodeType.Primary, Active: true }) is { } primary)
        {
            if (primary.Id == wish.Settings.NodeId)
            {
                problem = OwnRecordIsThePrimarys(primary, sourceName);
                return null;
            }

            return Registered(wish, primary.Id, source, nodes, out problem);
        }

        // A record of the source itself may know more of how to reach it (TLS, timeouts) than what was typed.
        NodeRecord? record = nodes.FirstOrDefault(node => Parsed(node) is { } conninfo && SameServer(conninfo, source));
        return record is not null && Parsed(record) is { } better
            ? new CloneUpstream((source["user"] is { } user ? better.WithDefault("user", user) : better), false, sourceName, true)
            : new CloneUpstream(source, false, sourceName, true);
    }

    // A primary that is gone, and comes back as a standby before anybody took its place, or before that was recorded.
    private static Problem OwnRecordIsThePrimarys(NodeRecord own, string sourceName) => new(
        $"the records on {sourceName} still name this node as the primary",
        $"\"{own.Name}\" (ID: {own.Id}) is registered as the active primary, and {sourceName} is a standby: there is nothing registered that this node could stream from.",
        $"If {sourceName} is to be the primary, run \"repmgr standby promote\" there first. If another node is the primary already, run \"repmgr primary register --force\" "
        + "on that. Or say with --upstream-node-id or --upstream-conninfo what this node is to stream from.");

    private static CloneUpstream? Registered(CloneWish wish, NodeId id, Conninfo source, IReadOnlyList<NodeRecord> nodes, out Problem? problem)
    {
        NodeRecord? node = nodes.FirstOrDefault(node => node.Id == id);
        problem = node is null
            ? new Problem($"upstream node {id} is not registered", $"{(nodes.Count == 0 ? "No node is registered on the source" : $"Registered are {string.Join(", ", nodes.Select(other => other.Id))}")}.", "Correct --upstream-node-id, or leave it out.")
            : id == wish.Settings.NodeId
            ? new Problem($"node {id} cannot be its own upstream", Hint: "Correct --upstream-node-id, or leave it out.")
            : null;
        if (problem is not null || node is null)
            return null;
        if (!Conninfo.TryParse(node.Conninfo, out Conninfo? conninfo, out problem))
            return null;
        return new CloneUpstream(conninfo, false, $"node \"{node.Name}\" (ID: {id})", SameServer(conninfo, source));
    }

    private static Conninfo? Parsed(NodeRecord node) => Conninfo.TryParse(node.Conninfo, out Conninfo? conninfo, out _) ? conninfo : null;

    private static bool SameServer(Conninfo one, Conninfo other) =>
        (one["host"] ?? one["hostaddr"]) == (other["host"] ?? other["hostaddr"]) && (one["port"] ?? "5432") == (other["port"] ?? "5432");
}
