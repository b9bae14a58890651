using Repmgr.Core.Cloning;
using Repmgr.Core.Planning;
using Repmgr.Core.Postgres;

namespace Repmgr.Tests.Cloning;

/// <summary>A source, a target and a request with which a clone can be done; each test spoils one thing.</summary>
internal static class CloneWorld
{
    public const ulong System = 7_100_000_000_000_000_001;

    public static readonly CloneSource Source = new()
    {
        Version = new PostgresVersion(150018),
        SystemIdentifier = System,
        InRecovery = false,
        TablespaceVersionDirectory = "PG_15_202209061",
        DataDirectory = "/data/prime",
        ConfigFile = "/data/prime/postgresql.conf",
        HbaFile = "/data/prime/pg_hba.conf",
        IdentFile = "/data/prime/pg_ident.conf",
        WalLevel = "replica",
        HotStandby = true,
        FullPageWrites = true,
        MaxWalSenders = 10,
        UsedWalSenders = 0,
        MaxReplicationSlots = 10,
        Slots = [],
        WalKeepBytes = 0,
        WalSegmentBytes = 16 << 20,
        DataChecksums = true,
        WalLogHints = false,
        Tablespaces = [],
        MainBytes = 1L << 30,
        StandbyMinimums = new Dictionary<string, int> { ["max_connections"] = 100 },
        Rights = new CloneRights("repmgr", Superuser: true, true, true, true, "repmgr", true),
    };

    public static readonly CloneTarget Target = new(
        "/data/standby", new TargetContent.Empty(), null, new TargetRoom("/data/standby", "/", 100L << 30, 0), []);

    public static readonly CloneTools Tools = new(
        "/usr/lib/postgresql/15/bin", Source.Version, true, Source.Version, new Version(3, 2, 7), new RemoteView.Ready());

    public static readonly CloneRequest Request = new()
    {
        Method = CloneMethod.BaseBackup,
        DataDirectory = "/data/standby",
        SshHost = "node1",
        NodeId = 2,
        NodeName = "node2",
        Jobs = 2,
    };

    public static readonly CloneRequest Rsync = Request with { Method = CloneMethod.Rsync };

    public static readonly CloneServers Servers = new(
        Conninfo.Empty.With("host", "node1").With("dbname", "metadata"), "node1", Conninfo.Empty.With("host", "node1"), "node1", UpstreamIsSource: true);

    public static readonly TargetContent OldCopy = new TargetContent.Cluster(15, System, null);

    public static Planned Plan(
        CloneRequest? request = null, CloneSource? source = null, CloneTarget? target = null, CloneTools? tools = null, CloneServers? servers = null) =>
        ClonePlanner.Plan(new CloneScene(
            request ?? Request, source ?? Source, target ?? Target, tools ?? Tools, servers ?? Servers, new Dictionary<string, string?> { ["primary_conninfo"] = "host=node1" }));

    public static IReadOnlyList<Step> Steps(Planned planned) => Assert.IsType<Planned.Ready>(planned).Plan.Steps;

    public static IReadOnlyList<string> Names(Planned planned) => [.. Steps(planned).Select(step => step.GetType().Name)];

    public static IReadOnlyList<string> Refusals(Planned planned) =>
        [.. Assert.IsType<Planned.Refused>(planned).Problems.Select(problem => problem.Message)];
}
