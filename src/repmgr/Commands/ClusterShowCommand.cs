using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
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
        Print(context, report);
        return report.Issues.Count > 0 ? ExitCode.NodeStatus : ExitCode.Success;
    }

    private static void Print(CommandContext context, ClusterReport report)
    {
        if (context.Options.Json)
        {
            context.Output.Json(ClusterShowJson.Of(report), ClusterShowJsonContext.Default.ClusterShowJson);
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

        if (report.Issues.Count == 0 || context.Options.Terse)
            return;

        context.Output.Line("");
        context.Log.Warning($"following issues were detected\n{string.Join('\n', report.Issues.Select(issue => $"  - {issue}"))}");
    }

    /// <summary>A registered conninfo as it may be shown: repmgr 5 stored passwords.</summary>
    public static string Shown(string conninfo) =>
        Conninfo.TryParse(conninfo, out Conninfo? parsed, out _) ? parsed.Equals(parsed.WithoutSecrets()) ? conninfo : parsed.ToString() : "";
}
