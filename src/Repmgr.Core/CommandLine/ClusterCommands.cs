namespace Repmgr.Core.CommandLine;

internal static class ClusterCommands
{
    public static readonly IReadOnlyList<CommandDefinition> All =
    [
        new(CommandName.ClusterShow, "cluster show", "show every node, its role and its state")
        {
            Options = [Opt.Compact, Opt.Csv, Opt.Json, Opt.Host, Opt.Port, Opt.Username, Opt.Dbname],
        },
        new(CommandName.ClusterEvent, "cluster event", "show what has happened in the cluster")
        {
            Options = [Opt.Limit, Opt.All, Opt.Event, Opt.NodeId, Opt.NodeName, Opt.Compact, Opt.Csv, Opt.Json, Opt.Host, Opt.Port, Opt.Username, Opt.Dbname],
        },
        new(CommandName.ClusterCleanup, "cluster cleanup", "delete old monitoring history")
        {
            Options = [Opt.KeepHistory, Opt.NodeId, Opt.DryRun, Opt.Json],
        },
    ];
}
