namespace Repmgr.Core.Settings.Table;

internal static class NodeSettings
{
    public static IReadOnlyList<Setting> All { get; } =
    [
        new Setting<Cluster.NodeId?>("node_id", SettingType.NodeNumber, s => s.NodeId, (s, v) => s with { NodeId = v })
        {
            Aliases = ["node"],
            Group = SettingGroup.Node,
            Since = Generation.One,
            TakesEffect = TakesEffect.Never,
            Description = "The number of this node, unique in its cluster and the same for as long as the node exists.",
        },
        new Setting<string?>("node_name", SettingType.NodeName, s => s.NodeName, (s, v) => s with { NodeName = v })
        {
            Group = SettingGroup.Node,
            Since = Generation.Two,
            TakesEffect = TakesEffect.Never,
            Description = "The name of this node, unique in its cluster. It is also the application_name under which the standby streams. "
                + "When it is not set, a name is derived from the host's.",
        },
        new Setting<string?>("cluster", SettingType.Text("the name of a cluster"), s => s.Cluster, (s, v) => s with { Cluster = v })
        {
            Aliases = ["cluster_name"],
            Group = SettingGroup.Node,
            Since = Generation.One,
            TakesEffect = TakesEffect.AtRegistration,
            Description = "The name of the cluster, the same on all its nodes. When it is set, the tables of repmgr 1.x are offered as views in the schema repmgr_<cluster>.",
        },
        new Setting<Postgres.Conninfo?>("conninfo", SettingType.Conninfo, s => s.Conninfo, (s, v) => s with { Conninfo = v })
        {
            Group = SettingGroup.Node,
            Since = Generation.One,
            TakesEffect = TakesEffect.OnReload,
            Description = "How every node of the cluster, this one included, reaches this node's database of repmgr: a libpq connection string or URI. "
                + "Keep passwords in a passfile; one that stands here is never stored in the database.",
        },
        new Setting<string?>("data_directory", SettingType.Path, s => s.DataDirectory, (s, v) => s with { DataDirectory = v })
        {
            Group = SettingGroup.Node,
            TakesEffect = TakesEffect.AtRegistration,
            Description = "The data directory of this node's server. When it is not set, it is found out.",
        },
        new Setting<string?>("config_directory", SettingType.Path, s => s.ConfigDirectory, (s, v) => s with { ConfigDirectory = v })
        {
            Group = SettingGroup.Node,
            Description = "Where postgresql.conf lies, when it lies outside the data directory.",
        },
        new Setting<string>("location", SettingType.NonEmpty("the name of a location"), s => s.Location, (s, v) => s with { Location = v })
        {
            Group = SettingGroup.Node,
            TakesEffect = TakesEffect.AtRegistration,
            Description = "The data centre this node stands in: an arbitrary word. It is stored with the node.",
        },
        new Setting<int>("priority", SettingType.Integer(min: 0), s => s.Priority, (s, v) => s with { Priority = v })
        {
            Group = SettingGroup.Node,
            Since = Generation.One,
            TakesEffect = TakesEffect.AtRegistration,
            Description = "Among nodes with the same WAL, the one with the higher priority is promoted first. 0: this node is never promoted by itself.",
        },
        new RetiredSetting("upstream_node")
        {
            Group = SettingGroup.Node,
            Since = Generation.Two,
            Description = "The upstream node in repmgr 2.0 and 3.x.",
            Retired = "The upstream node is what the server really streams from; \"standby register --upstream-node-id\" names it while the server is down.",
        },
    ];
}
