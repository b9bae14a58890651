using Repmgr.Core.Checks;
using Repmgr.Core.Cluster;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Files;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Logging;
using Repmgr.Engine.Observation;

namespace Repmgr.Cli.Commands;

/// <summary>Where a cluster was found.</summary>
internal abstract record ClusterFound
{
    private ClusterFound() { }

    /// <param name="View">All registered nodes, looked at.</param>
    public sealed record Seen(ClusterView View) : ClusterFound;

    /// <summary>No node could be asked that knows the others.</summary>
    public sealed record Nowhere(Problem Problem, ExitCode ExitCode) : ClusterFound;
}

/// <summary>
/// Finds somebody who knows who is registered: the node that the options name, else the local one, else, when that is down, the
/// node that it replicated from by its data directory. At three in the morning the local node is often the one that is down.
/// </summary>
internal sealed class ClusterFinder(NodeTools tools, CommandContext context)
{
    /// <param name="loaded">The configuration.</param>
    /// <param name="use">What for: where rights are missing, all that this needs is told at once.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<ClusterFound> FindAsync(SettingsLoad.Loaded loaded, MetadataUse use, CancellationToken cancel)
    {
        Settings settings = loaded.Settings;
        Conninfo? first = settings.Conninfo;
        NodeId? self = settings.NodeId;
        if (ConnectionOptions.AreGiven(context.Options))
        {
            if (!ConnectionOptions.TryRead(context.Options, settings.Conninfo, out first, out Problem? problem))
                return new ClusterFound.Nowhere(problem, ExitCode.BadConfig);

            self = null;
        }

        if (first is null)
        {
            return new ClusterFound.Nowhere(
                new Problem("no node is named to ask", Hint: "Name a configuration file with -f/--config-file, or a server with -h, -p, -U and -d."),
                ExitCode.BadConfig);
        }

        NodeLook look = await tools.Observer.LookAsync(first, cancel);
        if (look.Probe.Running is null && self is { } own && await AskUpstreamAsync(settings, own, first, look, cancel) is { } view)
            return new ClusterFound.Seen(view);

        string name = settings.NodeName is { } configured && self is not null ? configured : first["host"] ?? "local";
        if (look.Probe.Running is null)
        {
            (Problem unreached, ExitCode exitCode) = ConnectionProblem.From(look.Probe, name, first);
            return new ClusterFound.Nowhere(unreached, exitCode);
        }

        return look.Table switch
        {
            NodeTable.Rows => new ClusterFound.Seen(await tools.Cluster.LookAtAllAsync(look, first, self, cancel)),
            NodeTable.Missing => new ClusterFound.Nowhere(
                new Problem(
                    $"node \"{name}\" knows no cluster",
                    Detail: $"There is no table repmgr.nodes where this leads to: {first}",
                    Hint: "Run \"repmgr primary register\" on the primary first, or name another database in conninfo."),
                ExitCode.BadConfig),
            NodeTable.Unreadable unreadable => new ClusterFound.Nowhere(
                unreadable.Explain(use), unreadable.Lacking(use) is null ? ExitCode.DbQuery : ExitCode.BadConfig),
            _ => throw new InvalidOperationException("a table of no known kind"),
        };
    }

    private async Task<ClusterView?> AskUpstreamAsync(
        Settings settings, NodeId self, Conninfo own, NodeLook ownLook, CancellationToken cancel)
    {
        if (await UpstreamAsync(settings, own, cancel) is not { } upstream)
            return null;

        NodeLook look = await tools.Observer.LookAsync(upstream, cancel);
        if (look.Table is not NodeTable.Rows)
            return null;

        context.Log.Warning(
            "the local node cannot be asked; showing what its upstream knows",
            detail: $"The upstream is taken from primary_conninfo in the local data directory: {upstream}");
        return await tools.Cluster.LookAtOthersAsync(look, upstream, new Dictionary<NodeId, NodeLook> { [self] = ownLook }, cancel);
    }

    private static async Task<Conninfo?> UpstreamAsync(Settings settings, Conninfo own, CancellationToken cancel)
    {
        int port = int.TryParse(own["port"] ?? Environment.GetEnvironmentVariable("PGPORT"), out int given) ? given : 5432;
        HostFacts facts = settings.DataDirectory is null
            ? await new HostObserver(HostPlaces.OfThisMachine()).ObserveAsync(null, cancel)
            : new HostFacts();
        return HostDetection.DataDirectory(settings.DataDirectory, port, facts) is Detected<string>.Found directory ? ConfiguredUpstream.Of(directory.Value, own) : null;
    }
}
