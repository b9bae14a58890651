using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Failover.Reports;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Failover;
using Repmgr.Engine.Files;
using Repmgr.Engine.Logging;

namespace Repmgr.Cli.Commands;

/// <summary><c>repmgr cluster show</c></summary>
internal sealed class ClusterShowCommand : ICommand
{
    public async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancel)
    {
        if (!context.TryReadSettings(out SettingsLoad.Loaded? loaded))
            return ExitCode.BadConfig;

        using NodeTools tools = new(context, loaded.Settings);
        ClusterFound found = await new ClusterFinder(tools, context).FindAsync(loaded, MetadataUse.Show, cancel);
        if (found is not ClusterFound.Seen { View: var cluster })
            return context.Refuse((ClusterFound.Nowhere)found);

        ClusterReport report = ClusterReport.Of(cluster);
        AgentsView? agents = loaded.Settings.Failover == FailoverMode.Automatic ? await AgentsAsync(context, loaded.Settings, tools, cancel) : null;
        Print(context, report, agents);
        return report.Issues.Count > 0 ? ExitCode.NodeStatus : ExitCode.Success;
    }

    private static async Task<AgentsView?> AgentsAsync(CommandContext context, Settings settings, NodeTools tools, CancellationToken cancel)
    {
        if (context.Options.Csv)
            return null;
        (AgentsLook? look, Problem? problem) = await AgentsLook.BeginAsync(settings, tools.Connector, cancel);
        using (look)
        {
            if (look is null)
                context.Log.Write(Severity.Warning, problem!);
            return look is null ? null : await look.LookAsync(cancel);
        }
    }

    private static void Print(CommandContext context, ClusterReport report, AgentsView? agents)
    {
        if (context.Options.Json)
        {
            context.Output.Json(ClusterShowJson.Of(report, agents), ClusterShowJsonContext.Default.ClusterShowJson);
            return;
        }

        if (context.Options.Csv)
        {
            foreach (string line in ClusterShowText.Csv(report))
                context.Output.Line(line);
            return;
        }

        context.Output.Table(ClusterShowText.Table(report, context.Options.Compact));
        if (context.Options.Detail)
        {
            context.Output.Line("");
            context.Output.Table(ClusterShowText.Detail(report));
        }

        if (agents is not null)
            ClusterShowText.Failover(context.Output, agents);

        if (report.Issues.Count == 0 || context.Options.Terse)
            return;

        context.Output.Line("");
        context.Log.Warning($"following issues were detected\n{string.Join('\n', report.Issues.Select(issue => $"  - {issue}"))}");
    }

    /// <summary>A registered conninfo as it may be shown: repmgr 5 stored passwords.</summary>
    public static string Shown(string conninfo) =>
        Conninfo.TryParse(conninfo, out Conninfo? parsed, out _) ? parsed.Equals(parsed.WithoutSecrets()) ? conninfo : parsed.ToString() : "";
}
