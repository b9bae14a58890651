using Repmgr.Core.Cloning.Direct;
using Repmgr.Core.Cluster;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Cloning;

/// <summary>Where a clone comes from and what it will stream from.</summary>
/// <param name="Source">The server whose files are copied, as the role that replicates reaches it.</param>
/// <param name="SourceName">Its name for messages: <c>node1:5432</c>, or a node's name.</param>
/// <param name="Upstream">The server it will stream from, where its slot is made; null when no connection to it is wanted.</param>
/// <param name="UpstreamName">Its name for messages.</param>
/// <param name="UpstreamIsSource">They are the same server.</param>
public sealed record CloneServers(Conninfo Source, string SourceName, Conninfo? Upstream, string UpstreamName, bool UpstreamIsSource)
{
    /// <summary>The same server as the role reaches it that repmgr works with: it calls the backup functions.</summary>
    public Conninfo Backup { get; init; } = Source;

    /// <summary>What the upstream said, where it is another server than the source and was asked.</summary>
    public CloneSource? UpstreamFacts { get; init; }
}

/// <summary>All that is known before a clone.</summary>
/// <param name="Request">What is wanted.</param>
/// <param name="Source">What the source said.</param>
/// <param name="Target">What is here.</param>
/// <param name="Tools">The programs there are.</param>
/// <param name="Servers">Who is who.</param>
/// <param name="StandbySettings">For <c>postgresql.auto.conf</c>.</param>
public sealed record CloneScene(
    CloneRequest Request, CloneSource Source, CloneTarget Target, CloneTools Tools, CloneServers Servers, IReadOnlyDictionary<string, string?> StandbySettings)
{
    /// <summary>Tablespaces with directories of their own, and where they go.</summary>
    public IReadOnlyList<StagedTablespace> Tablespaces { get; } =
    [
        .. Source.Tablespaces.Where(space => !space.InPlace).Select(space => new StagedTablespace(
            space.Oid, space.Location, Request.Destination(space.Location), Source.TablespaceVersionDirectory)),
    ];
}

/// <summary>Decides whether and how a standby is cloned. The methods differ in the steps that copy; what is asked and how it ends is one.</summary>
public static class ClonePlanner
{
    // WAL that was written while the files were copied has to be replayed first.
    private static readonly TimeSpan StartWithin = TimeSpan.FromMinutes(30);

    /// <param name="scene">What was seen.</param>
    public static Planned Plan(CloneScene scene)
    {
        (CloneRequest request, CloneSource source, CloneTarget target, CloneTools tools, CloneServers servers, IReadOnlyDictionary<string, string?> standbySettings) = scene;
        List<Objection> objections =
        [
            .. SourceChecks.Of(request, source, servers),
            .. TargetChecks.Of(request, source, target, tools),
        ];
        if (objections.Count > 0)
        {
            // One kind of failure has its own exit code; several together are a prerequisite that is not met.
            List<ExitCode> codes = [.. objections.Select(objection => objection.ExitCode).Distinct()];
            return new Planned.Refused(
                [.. objections.Select(objection => objection.Problem)], codes.Count == 1 ? codes[0] : ExitCode.BadConfig);
        }

        IReadOnlyList<StagedTablespace> tablespaces = scene.Tablespaces;
        List<Step> steps =
        [
            .. Reserve(request, servers),
            new Step.BeginClone(
                request.DataDirectory,
                new UnfinishedClone(
                    source.SystemIdentifier, source.Version.Major, request.Method, [.. tablespaces.Select(space => space.Destination)])),
            .. request.Method switch
            {
                CloneMethod.Direct => Direct(scene),
                CloneMethod.BaseBackup => BaseBackup(scene),
                CloneMethod.Command => Command(scene),
                _ => Rsync(scene),
            },
            // A tool puts tablespaces where they are to be; there is nothing to move.
            new Step.FinishClone(request.DataDirectory, request.Method, request.Method == CloneMethod.Command ? [] : tablespaces),
        ];
        // Of a copy that is made in place only the end is a backup that can be verified.
        if (request is { Method: CloneMethod.Direct, VerifyBackup: true })
            steps.Add(new Step.VerifyCopy($"{tools.BinDirectory}/pg_verifybackup", request.DataDirectory));
        if (request.Start)
            steps.Add(new Step.StartStandby(request.DataDirectory, request.NodeName ?? "walreceiver", request.SlotName, servers.Upstream, servers.UpstreamName, StartWithin, request.StreamWithin));
        return new Planned.Ready(new Plan(steps), CloneNotices.Of(request, source, target, servers, standbySettings));
    }

    /// <summary>Makes a standby of a copy that got here by other means (<c>--replication-conf-only</c>).</summary>
    /// <param name="request">What is wanted.</param>
    /// <param name="source">What the source said.</param>
    /// <param name="target">What is here.</param>
    /// <param name="servers">Who is who.</param>
    /// <param name="standbySettings">For <c>postgresql.auto.conf</c>.</param>
    /// <param name="record">The node's record, whose slot changes with it; null when there is none.</param>
    /// <param name="primary">Where records are written; null when it is not known.</param>
    public static Planned PlanConfiguration(
        CloneRequest request,
        CloneSource source,
        CloneTarget target,
        CloneServers servers,
        IReadOnlyDictionary<string, string?> standbySettings,
        NodeRecord? record,
        Conninfo? primary)
    {
        List<Objection> objections = [.. SourceChecks.OfConfiguration(request, source, servers), .. TargetChecks.OfConfiguration(request, source, target)];
        if (objections.Count > 0)
            return new Planned.Refused([.. objections.Select(objection => objection.Problem)]);

        List<Step> steps = [.. Reserve(request, servers), new Step.ConfigureStandby(request.DataDirectory, standbySettings)];
        if (record is not null && primary is not null && record.SlotName != request.SlotName)
            steps.Add(new Step.WriteNode(primary, record with { SlotName = request.SlotName }, [], Replace: true));
        return new Planned.Ready(new Plan(steps));
    }

    private static IEnumerable<Step> Reserve(CloneRequest request, CloneServers servers)
    {
        if (request.SlotName is { } slot && servers.Upstream is { } upstream)
            yield return new Step.ReserveSlot(upstream, servers.UpstreamName, slot);
    }

    private static IEnumerable<Step> BaseBackup(CloneScene scene)
    {
        (CloneRequest request, CloneSource source, CloneTarget target, CloneTools tools, CloneServers servers, _) = scene;
        string staging = Staging(request);
        IReadOnlyList<string> earlier = request.EarlierBackups;
        string first = earlier.Count == 0 ? staging : $"{request.DataDirectory.TrimEnd('/')}/{CopyRules.Incremental}";
        List<Step> copy =
        [
            new Step.CopyByBaseBackup(new BaseBackupCopy(
                $"{tools.BinDirectory}/pg_basebackup",
                servers.Source,
                servers.SourceName,
                first,
                scene.Tablespaces,
                BaseBackupArguments.Of(request, servers.UpstreamIsSource, target.WalLink),
                TotalBytes(source))),
            .. earlier.Count == 0
                ? Array.Empty<Step>()
                : [new Step.CombineBackups(new CombineCopy($"{tools.BinDirectory}/pg_combinebackup", earlier, first, staging, scene.Tablespaces, TotalBytes(source)))],
            .. request.VerifyBackup ? [new Step.VerifyCopy($"{tools.BinDirectory}/pg_verifybackup", staging)] : Array.Empty<Step>(),
            .. Configure(scene, staging),
        ];

        // As long as both fit, the old files stay until the new ones are whole and checked.
        return AroundOldCopy(copy, Fits(source, target), scene);
    }

    private static IEnumerable<Step> Command(CloneScene scene)
    {
        (CloneRequest request, CloneSource source, CloneTarget target, CloneTools tools, CloneServers servers, _) = scene;
        string staging = Staging(request);
        string template = request.Command ?? "";
        List<Step> copy =
        [
            new Step.CopyByCommand(new CommandCopy(
                template,
                CloneCommandLine.Compose(template, request, source.Version, servers.Source, staging, tools.BinDirectory),
                servers.Source,
                staging,
                request.DataDirectory,
                new ExpectedCopy(servers.SourceName, source.SystemIdentifier, source.Version.Major, scene.Tablespaces),
                TotalBytes(source))),
            .. Configure(scene, staging),
        ];

        // A tool has one place for a tablespace, and wants it to be empty.
        return AroundOldCopy(copy, Fits(source, target) && scene.Tablespaces.Count == 0, scene);
    }

    private static IEnumerable<Step> AroundOldCopy(IReadOnlyList<Step> copy, bool keep, CloneScene scene)
    {
        if (!scene.Target.Content.HoldsCopy)
            return copy;
        var clear = new Step.ClearTarget(scene.Request.DataDirectory, [.. scene.Tablespaces.Select(space => space.Destination)], scene.Source.TablespaceVersionDirectory) { TablespacesOfOthers = scene.Target.TablespacesOfOthers };
        return keep ? [.. copy, clear] : [clear, .. copy];
    }

    private static string Staging(CloneRequest request) => $"{request.DataDirectory.TrimEnd('/')}/{CopyRules.Staging}";

    private static bool Fits(CloneSource source, CloneTarget target) => SpaceNeed.Of(source, target).All(need => need.Bytes <= need.Free);

    private static long? TotalBytes(CloneSource source) => source.MainBytes is { } main ? main + source.Tablespaces.Sum(space => space.Bytes ?? 0) : null;

    private static IEnumerable<Step> Direct(CloneScene scene)
    {
        (CloneRequest request, CloneSource source, CloneTarget target, _, CloneServers servers, _) = scene;
        return
        [
            new Step.CopyDirectly(new DirectCopy
            {
                Source = servers.Backup,
                SourceName = servers.SourceName,
                Version = source.Version,
                SystemIdentifier = source.SystemIdentifier,
                WalSegmentBytes = source.WalSegmentBytes,
                DataDirectory = request.DataDirectory,
                VersionDirectory = source.TablespaceVersionDirectory,
                TablespaceMappings = request.TablespaceMappings,
                KnownDirectories = [.. scene.Tablespaces.Select(space => space.Destination)],
                TablespacesOfOthers = target.TablespacesOfOthers,
                WalDirectory = request.WalDirectory,
                OntoExisting = target.Content.HoldsCopy,
                Jobs = request.Jobs,
                MaxBytesPerSecond = request.MaxRateKilobytes * 1024,
                Guard = Guard(scene),
                VerifyChecksums = !request.IgnoreDamagedPages,
                EstimatedBytes = TotalBytes(source),
                ReadBytesPerSecond = source.ReadBytesPerSecond,
            }),
            .. Configure(scene, request.DataDirectory),
        ];
    }

    private static WalGuard Guard(CloneScene scene) =>
        scene.Request.SlotName is not null && scene.Servers.UpstreamIsSource ? WalGuard.StandbySlot
        : SourceChecks.LacksPassingSlot(scene.Request, scene.Source, scene.Servers) ? WalGuard.Streamed
        : scene.Request.MinimumWalSegments is null ? WalGuard.TemporarySlot
        : scene.Request.Method == CloneMethod.Direct ? WalGuard.Streamed
        : WalGuard.KeptWal;

    private static IEnumerable<Step> Rsync(CloneScene scene)
    {
        (CloneRequest request, CloneSource source, CloneTarget target, CloneTools tools, CloneServers servers, _) = scene;
        return
        [
            new Step.CopyByRsync(new RsyncCopy
            {
                Source = servers.Backup,
                Shell = new RemoteShell(request.SshHost ?? "localhost", request.RemoteUser, request.SshOptions),
                Version = source.Version,
                WalSegmentBytes = source.WalSegmentBytes,
                SourceDirectory = source.DataDirectory ?? "",
                DataDirectory = request.DataDirectory,
                Tablespaces = source.Tablespaces,
                Destinations = scene.Tablespaces,
                VersionDirectory = source.TablespaceVersionDirectory,
                TablespacesOfOthers = target.TablespacesOfOthers,
                OntoExisting = target.Content.HoldsCopy,
                IgnoreVanishedFiles = request.IgnoreVanishedFiles,
                RsyncOptions = request.RsyncOptions,
                Jobs = request.Jobs,
                MaxRateKilobytes = request.MaxRateKilobytes,
                Guard = Guard(scene),
                ControlDataProgram = tools.BinDirectory is { } directory ? $"{directory}/pg_controldata" : null,
            }),
            .. Configure(scene, request.DataDirectory),
        ];
    }

    private static IEnumerable<Step> Configure(CloneScene scene, string directory)
    {
        (CloneRequest request, CloneSource source, _, _, _, _) = scene;
        if (request.ExternalConfig != ExternalConfigCopy.None && source.ExternalConfigFiles is { Count: > 0 } files)
        {
            yield return new Step.CopyConfigFiles(
                new RemoteShell(request.SshHost ?? "localhost", request.RemoteUser, request.SshOptions),
                [
                    .. files.Select(file => new ConfigFileCopy(
                        file, request.ExternalConfig == ExternalConfigCopy.SamePath ? file : $"{directory}/{file[(file.LastIndexOf('/') + 1)..]}")),
                ]);
        }

        yield return new Step.ConfigureStandby(directory, scene.StandbySettings);
    }
}
