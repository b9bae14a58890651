using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.CommandLine;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Files;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Metadata;

namespace Repmgr.Cli.Commands;

/// <summary>The node that the configuration names, for a command that works on it.</summary>
/// <param name="context">What the command has at hand.</param>
/// <param name="loaded">The configuration; nothing is <see cref="Missing"/> in it.</param>
/// <param name="elsewhere">The server that the options name; null: none.</param>
/// <param name="tools">What it looks and acts with.</param>
internal sealed class LocalNode(CommandContext context, SettingsLoad.Loaded loaded, Conninfo? elsewhere, NodeTools tools)
{
    public CommandContext Context => context;

    public CommandOptions Options => context.Options;

    public ILog Log => context.Log;

    public SettingsLoad.Loaded Loaded => loaded;

    public Settings Settings => loaded.Settings;

    public NodeTools Tools => tools;

    public NodeId Id => Settings.NodeId!.Value;

    /// <summary>How this process reaches it.</summary>
    public Conninfo On => Settings.Conninfo!;

    public Conninfo? Elsewhere => elsewhere;

    /// <summary>
    /// Which rights are missing to use the metadata of the cluster's primary like that; null when none is, or when there is no
    /// primary to be asked.
    /// </summary>
    public async Task<Problem?> LackingAsync(ClusterView cluster, MetadataUse use, CancellationToken cancel) =>
        PrimarySearch.In(cluster) is PrimarySearch.Found primary
            ? await MetadataLook.LackingAsync(tools.Connector, NodeReach.Of(primary.Node.Record, On), use, cancel)
            : null;

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
    /// <param name="type">What it is to be registered as.</param>
    /// <param name="conninfo">What is to be registered as its conninfo.</param>
    /// <param name="registered">Who is registered already: a node without a configured name keeps the one it has.</param>
    /// <param name="applicationName">The application_name of its <c>primary_conninfo</c>; null when there is none.</param>
    public NodeRecord Record(NodeType type, Conninfo conninfo, IReadOnlyList<NodeRecord> registered, string? applicationName)
    {
        string? name = registered.FirstOrDefault(node => node.Id == Id)?.Name;
        return new NodeRecord(
            Id,
            Upstream: null,
            Active: true,
            HostDetection.NodeName(Settings.NodeName, Id, name, applicationName).Value,
            type,
            Settings.Location,
            Settings.Priority,
            conninfo.Reveal(),
            Settings.ReplicationUser ?? conninfo["user"] ?? Environment.UserName,
            Settings.UseReplicationSlots ? $"repmgr_slot_{Id}" : null,
            loaded.Path ?? "");
    }
}
