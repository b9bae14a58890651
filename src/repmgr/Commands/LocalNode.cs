using Repmgr.Core.Cluster;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Files;

namespace Repmgr.Cli.Commands;

/// <summary>What a command on a running node must be told by the configuration.</summary>
internal static class LocalNode
{
    /// <summary>The settings without which the local node is not known; all of them.</summary>
    public static IReadOnlyList<Problem> Missing(Settings settings)
    {
        List<Problem> problems = [];
        if (settings.NodeId is null)
            problems.Add(new Problem("node_id is not set", "It says which node this is.", "Set node_id (or, as in repmgr 1, node) in repmgr.conf."));
        if (settings.Conninfo is null)
            problems.Add(new Problem("conninfo is not set", "It says how this node is reached.", "Set conninfo in repmgr.conf."));
        return problems;
    }

    /// <summary>The record of the local node as the configuration has it; a standby's upstream is for the planner to say.</summary>
    /// <param name="loaded">The configuration, complete.</param>
    /// <param name="type">What it is to be registered as.</param>
    /// <param name="conninfo">What is to be registered as its conninfo.</param>
    /// <param name="registered">Who is registered already: a node without a configured name keeps the one it has.</param>
    /// <param name="applicationName">The application_name of its <c>primary_conninfo</c>; null when there is none.</param>
    public static NodeRecord Record(
        SettingsLoad.Loaded loaded, NodeType type, Conninfo conninfo, IReadOnlyList<NodeRecord> registered, string? applicationName)
    {
        Settings settings = loaded.Settings;
        NodeId id = settings.NodeId!.Value;
        string? name = registered.FirstOrDefault(node => node.Id == id)?.Name;
        return new NodeRecord(
            id,
            Upstream: null,
            Active: true,
            HostDetection.NodeName(settings.NodeName, id, name, applicationName).Value,
            type,
            settings.Location,
            settings.Priority,
            conninfo.Reveal(),
            settings.ReplicationUser ?? conninfo["user"] ?? Environment.UserName,
            settings.UseReplicationSlots ? $"repmgr_slot_{id}" : null,
            loaded.Path ?? "");
    }
}
