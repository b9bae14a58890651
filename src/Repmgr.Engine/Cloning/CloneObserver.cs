using Npgsql;
using Repmgr.Core.Cloning;
using Repmgr.Core.Cluster;
using Repmgr.Core.Hosts;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;
using Repmgr.Engine.Cloning.Direct;
using Repmgr.Engine.Hosts;
using Repmgr.Engine.Metadata;
using Repmgr.Engine.Postgres;

namespace Repmgr.Engine.Cloning;

/// <summary>What was seen before a clone, or why nothing could be seen.</summary>
public abstract record CloneLook
{
    private CloneLook() { }

    /// <summary>It could not be looked at all.</summary>
    public sealed record Blind(Problem Problem, ExitCode ExitCode) : CloneLook;

    /// <summary>All that a planner needs.</summary>
    /// <param name="Request">The whole request.</param>
    /// <param name="Source">The source.</param>
    /// <param name="Target">The target.</param>
    /// <param name="Tools">The programs.</param>
    /// <param name="Servers">Who is who.</param>
    /// <param name="StandbySettings">For <c>postgresql.auto.conf</c>.</param>
    /// <param name="PathFromSource">The data directory was not named: it is the source's own path.</param>
    /// <param name="Record">This node's record, as the source has it; null when there is none.</param>
    /// <param name="Primary">Where records and events are written; null when no primary is known.</param>
    /// <param name="Manager">Who will start the server here; null when that is not clear.</param>
    public sealed record Seen(
        CloneRequest Request,
        CloneSource Source,
        CloneTarget Target,
        CloneTools Tools,
        CloneServers Servers,
        IReadOnlyDictionary<string, string?> StandbySettings,
        bool PathFromSource,
        NodeRecord? Record,
        Conninfo? Primary,
        ServiceManager? Manager) : CloneLook
    {
        public Planned Plan(bool configurationOnly) => configurationOnly
            ? ClonePlanner.PlanConfiguration(Request, Source, Target, Servers, StandbySettings, Record, Primary)
            : ClonePlanner.Plan(new CloneScene(Request, Source, Target, Tools, Servers, StandbySettings));
    }
}

/// <summary>Looks at source, upstream, this host and the way between them, once.</summary>
public sealed class CloneObserver(PostgresConnector connector, HostObserver host)
{
    private static readonly TimeSpan LookWithin = TimeSpan.FromSeconds(30);

    public async Task<CloneLook> LookAsync(CloneWish wish, CancellationToken cancel)
    {
        if (wish.Source(out Problem? wrong) is not { } conninfo)
            return new CloneLook.Blind(wrong!, ExitCode.BadConfig);

        ConnectResult connected = await connector.OpenAsync(conninfo, cancel).ConfigureAwait(false);
        if (connected is not ConnectResult.Opened { Session: var session })
            return Unreachable("the source", conninfo, connected);

        await using (session.ConfigureAwait(false))
        {
            Answer<(CloneSource, IReadOnlyList<NodeRecord>)> answer = await session
                .RunAsync((connection, token) => AskAsync(connection, wish, token), LookWithin, cancel).ConfigureAwait(false);
            return answer switch
            {
                Answer<(CloneSource, IReadOnlyList<NodeRecord>)>.Got { Value: var (source, nodes) } =>
                    await GoOnAsync(wish, conninfo, session, source, nodes, cancel).ConfigureAwait(false),
                Answer<(CloneSource, IReadOnlyList<NodeRecord>)>.Failed failed =>
                    new CloneLook.Blind(new Problem("could not ask the source", failed.Reason), ExitCode.DbQuery),
                _ => throw new InvalidOperationException("an answer of no known kind"),
            };
        }
    }

    private static async Task<(CloneSource Source, IReadOnlyList<NodeRecord> Nodes)> AskAsync(
        NpgsqlConnection connection, CloneWish wish, CancellationToken cancel)
    {
        CloneSource source = await SourceLook.LookAsync(connection, wish.ReplicationUser, cancel).ConfigureAwait(false);
        if (wish is { Options.DryRun: true, Method: CloneMethod.Direct } && source.Rights.MissingFileFunctions.Count == 0)
            source = source with { ReadBytesPerSecond = await ReadRate.MeasureAsync(connection, cancel).ConfigureAwait(false) };
        return (source, source.RegisteredNodes.Count == 0 ? [] : await NodeStore.ReadAllAsync(connection, cancel).ConfigureAwait(false));
    }

    private async Task<CloneLook> GoOnAsync(
        CloneWish wish, Conninfo conninfo, PostgresSession session, CloneSource source, IReadOnlyList<NodeRecord> nodes, CancellationToken cancel)
    {
        string name = ReachedServer.Name(session);
        Conninfo reached = ReachedServer.Of(connector, conninfo, session);
        if (CloneUpstream.Choose(wish, reached, name, source.InRecovery, nodes, out Problem? wrong) is not { } upstream)
            return new CloneLook.Blind(wrong!, ExitCode.BadConfig);

        string? directory = wish.DataDirectory ?? source.DataDirectory;
        if (directory is null)
        {
            return new CloneLook.Blind(
                new Problem("the data directory to clone into is not named", Hint: "Give it with -D/--pgdata, or set data_directory in repmgr.conf."), ExitCode.BadConfig);
        }

        CloneRequest request = wish.Request(source, session.Host.IsSocket ? null : session.Host.Host, Path.GetFullPath(directory).TrimEnd('/'));
        if (request.WalDirectory is { } wal)
            request = request with { WalDirectory = Path.GetFullPath(wal) };
        CloneServers servers = new(reached, name, UpstreamLogin(wish, upstream, reached), upstream.Name, upstream.IsSource);
        if (!upstream.IsSource && servers.Upstream is { } other)
        {
            (CloneSource? facts, CloneLook.Blind? blind) = await UpstreamAsync(other, upstream.Name, wish.ReplicationUser, cancel).ConfigureAwait(false);
            if (blind is not null)
                return blind;
            servers = servers with { UpstreamFacts = facts };
        }

        HostFacts here = await host.ObserveAsync(null, cancel).ConfigureAwait(false);
        string? bindir = (HostDetection.Bindir(wish.Options.PgBindir ?? wish.Settings.PgBindir, directory, source.Version.Major, here) as Detected<string>.Found)?.Value;
        string? configuration = wish.Settings.ConfigDirectory
            ?? (here.DebianClusters.FirstOrDefault(cluster => cluster.DataDirectory.TrimEnd('/') == request.DataDirectory) is { } debian ? $"/etc/postgresql/{debian.Major}/{debian.Name}" : null);
        Conninfo primary = PrimaryConninfoFor(wish, request, upstream, source);
        Task<ReplicationAnswer> login = new ReplicationLogin(connector).IdentifyAsync(AsReplication(wish, reached), cancel);
        Task<CloneTools> tools = ToolsLook.LookAsync(request, source, bindir, cancel);
        return new CloneLook.Seen(
            request,
            source with { ReplicationRefused = (await login.ConfigureAwait(false) as ReplicationAnswer.Refused)?.Why },
            TargetLook.Look(request, source, OldTablespaces.OfOthers(here, request.DataDirectory)) with
            {
                Configuration = configuration is null || bindir is null ? null
                    : await ConfigurationLook.LookAsync(bindir, configuration, source.StandbyMinimums.Keys, cancel).ConfigureAwait(false),
            },
            await tools.ConfigureAwait(false),
            servers with { Source = AsReplication(wish, reached), Backup = reached },
            wish.StandbySettings(request, primary),
            wish.DataDirectory is null,
            nodes.FirstOrDefault(node => node.Id == wish.Settings.NodeId),
            source.InRecovery ? PrimaryOf(nodes, reached) : reached,
            (HostDetection.Manager(request.DataDirectory, here) as Detected<ServiceManager>.Found)?.Value);
    }

    private async Task<(CloneSource? Facts, CloneLook.Blind? Blind)> UpstreamAsync(
        Conninfo upstream, string name, string? replicationUser, CancellationToken cancel)
    {
        ConnectResult connected = await connector.OpenAsync(upstream, cancel).ConfigureAwait(false);
        if (connected is not ConnectResult.Opened { Session: var session })
            return (null, Unreachable($"the upstream, {name},", upstream, connected, "Give --no-upstream-connection if it is away on purpose; its replication slot must then be made by hand."));
        await using (session.ConfigureAwait(false))
        {
            return await session.RunAsync((connection, token) => SourceLook.LookAsync(connection, replicationUser, token), LookWithin, cancel).ConfigureAwait(false) switch
            {
                Answer<CloneSource>.Got got => (got.Value, null),
                Answer<CloneSource>.Failed failed => (null, new CloneLook.Blind(new Problem($"could not ask {name}", failed.Reason), ExitCode.DbQuery)),
                _ => (null, null),
            };
        }
    }

    // A record holds no password; the one that served for the source serves for its fellow.
    private static Conninfo? PrimaryOf(IReadOnlyList<NodeRecord> nodes, Conninfo reached) =>
        nodes.FirstOrDefault(node => node is { Type: NodeType.Primary, Active: true }) is { } node
        && Conninfo.TryParse(node.Conninfo, out Conninfo? conninfo, out _)
            ? reached["password"] is { } password ? conninfo.WithDefault("password", password) : conninfo
            : null;

    // A record holds no password; the one that served for the source serves for its fellow.
    private static Conninfo? UpstreamLogin(CloneWish wish, CloneUpstream upstream, Conninfo reached) =>
        wish.Options.NoUpstreamConnection ? null
        : upstream.IsSource ? reached
        : reached["password"] is { } password ? upstream.Conninfo.WithDefault("password", password)
        : upstream.Conninfo;

    // The password of repmgr's own role is no other role's.
    private static Conninfo AsReplication(CloneWish wish, Conninfo source)
    {
        Conninfo login = wish.ReplicationUser is { } user && user != source["user"] ? source.With("user", user).Without("password") : source;
        return wish.Settings.Passfile is { } passfile ? login.With("passfile", passfile) : login;
    }

    private static Conninfo PrimaryConninfoFor(CloneWish wish, CloneRequest request, CloneUpstream upstream, CloneSource source)
    {
        var credentials = new ReplicationCredentials(
            wish.ReplicationUser, wish.Settings.Passfile, wish.Settings.UsePrimaryConninfoPassword ? wish.PgPassword : null);
        Conninfo built = upstream.Verbatim && request.NodeName is { } own
            ? upstream.Conninfo.WithDefault("application_name", own)
            : upstream.Verbatim ? upstream.Conninfo : PrimaryConninfo.Build(upstream.Conninfo, request.NodeName ?? "", credentials, source.Version);
        return built["application_name"] is "" ? built.Without("application_name") : built;
    }

    private static CloneLook.Blind Unreachable(string what, Conninfo conninfo, ConnectResult result, string? hint = null)
    {
        (Problem problem, ExitCode exitCode) = ReachedServer.WhyNot(what, conninfo, result, hint);
        return new CloneLook.Blind(problem, exitCode);
    }
}
