using Repmgr.Core.Cluster;
using Repmgr.Core.Problems;

namespace Repmgr.Core.Hosts;

/// <summary>
/// Decides from what was seen of a machine where the data directory and the programs are and who runs the server. What is
/// configured always wins. Where more than one answer is possible none is guessed: the problem names the key to set.
/// </summary>
public static class HostDetection
{
    /// <summary>The data directory of this node.</summary>
    /// <param name="configured"><c>data_directory</c></param>
    /// <param name="port">The port in <c>conninfo</c>.</param>
    /// <param name="facts">What was seen.</param>
    public static Detected<string> DataDirectory(string? configured, int port, HostFacts facts)
    {
        if (configured is not null)
            return new Detected<string>.Found(Trimmed(configured), "from data_directory in repmgr.conf");

        if (facts.Server is { DataDirectory: { } told })
        {
            return facts.Server.DataDirectoryIsHere
                ? new Detected<string>.Found(Trimmed(told), "from the running server")
                : new Detected<string>.Unclear(new Problem(
                    "the server's data directory is not on this host",
                    $"The server behind conninfo says it is \"{told}\", which does not exist here.",
                    "Run repmgr on the node's own host, or set data_directory in repmgr.conf."));
        }

        return OneOf(facts.Postmasters.Where(p => p.Port == port).Select(p => (p.DataDirectory, $"from the server on port {port}")))
            ?? OneOf(WithoutServer(port, facts))
            ?? new Detected<string>.Unclear(new Problem(
                "could not find out the data directory of this node",
                $"No server runs on port {port} here, PGDATA is not set, and {NoCluster(port, facts.DebianClusters)}.",
                "Set data_directory in repmgr.conf."));
    }

    private static string NoCluster(int port, IReadOnlyList<DebianCluster> others) => others.Count == 0
        ? "no installed cluster was found"
        : $"no installed cluster has that port ({string.Join(", ", others.Select(cluster => $"{cluster.Major}/{cluster.Name} has {cluster.Port}"))})";

    private static IEnumerable<(string, string)> WithoutServer(int port, HostFacts facts)
    {
        if (facts.PgData is { Length: > 0 } pgdata)
            yield return (pgdata, "from PGDATA");

        // A cluster on another port is another node, be it the only one here.
        foreach (DebianCluster cluster in facts.DebianClusters.Where(cluster => cluster.Port == port))
            yield return (cluster.DataDirectory, $"from Debian's cluster {cluster.Major}/{cluster.Name}");
        foreach (UnitSeen unit in facts.Units)
            yield return (unit.DataDirectory, $"from {unit.Unit}");
    }

    private static Detected<string>? OneOf(IEnumerable<(string Directory, string How)> candidates)
    {
        List<(string Directory, string How)> distinct =
            [.. candidates.Select(candidate => (Trimmed(candidate.Directory), candidate.How)).DistinctBy(candidate => candidate.Item1)];
        return distinct switch
        {
            [] => null,
            [var (directory, how)] => new Detected<string>.Found(directory, how),
            _ => new Detected<string>.Unclear(new Problem(
                "more than one data directory could be meant",
                $"Found {string.Join(", ", distinct.Select(candidate => $"\"{candidate.Directory}\" ({candidate.How})"))}.",
                "Set data_directory in repmgr.conf.")),
        };
    }

    /// <summary>The directory with the programs of the right version.</summary>
    /// <param name="configured"><c>pg_bindir</c></param>
    /// <param name="dataDirectory">The data directory, if it is known: a server running in it shows its own programs.</param>
    /// <param name="major">The major version that is needed; null when it is not known.</param>
    /// <param name="facts">What was seen.</param>
    public static Detected<string> Bindir(string? configured, string? dataDirectory, int? major, HostFacts facts)
    {
        if (configured is not null)
            return new Detected<string>.Found(Trimmed(configured), "from pg_bindir in repmgr.conf");

        if (dataDirectory is not null
            && facts.Postmasters.FirstOrDefault(p => Trimmed(p.DataDirectory) == Trimmed(dataDirectory)) is { Bindir: { } running })
            return new Detected<string>.Found(running, "from the running server");

        int? wanted = major ?? facts.Server?.Version.Major;
        List<BindirSeen> fitting = [.. facts.Bindirs.Where(bindir => wanted is null || bindir.Major == wanted)];
        if (fitting.Count == 0)
        {
            string seen = facts.Bindirs.Count == 0
                ? "None was found in PATH, through pg_config, or where packages put it."
                : $"Found {Listed(facts.Bindirs)}.";
            return new Detected<string>.Unclear(new Problem(
                wanted is null ? "could not find PostgreSQL's programs" : $"could not find the programs of PostgreSQL {wanted}",
                seen,
                "Install them, or set pg_bindir in repmgr.conf."));
        }

        if (fitting.Select(bindir => bindir.Major).Distinct().Count() > 1)
        {
            return new Detected<string>.Unclear(new Problem(
                "more than one version of PostgreSQL's programs could be meant",
                $"Found {Listed(fitting)}.",
                "Set pg_bindir in repmgr.conf."));
        }

        return new Detected<string>.Found(fitting[0].Directory, $"from {fitting[0].Origin}");
    }

    private static string Listed(IReadOnlyList<BindirSeen> bindirs) =>
        string.Join(", ", bindirs.Select(bindir => $"\"{bindir.Directory}\" (PostgreSQL {bindir.Major}, from {bindir.Origin})"));

    /// <summary>Who starts and stops the server in a data directory.</summary>
    /// <remarks>
    /// A running server is asked how it was started, since whoever started it must also stop it: a unit that systemd holds to
    /// be inactive cannot be restarted while a server of the same directory runs outside it.
    /// </remarks>
    public static Detected<ServiceManager> Manager(string dataDirectory, HostFacts facts)
    {
        string directory = Trimmed(dataDirectory);
        DebianCluster? debian = facts.DebianClusters.FirstOrDefault(cluster => Trimmed(cluster.DataDirectory) == directory);
        PostmasterSeen? running = facts.Postmasters.FirstOrDefault(p => Trimmed(p.DataDirectory) == directory);
        List<string> units =
        [
            .. debian is null ? (string[])[] : [debian.Unit],
            .. facts.Units.Where(unit => Trimmed(unit.DataDirectory) == directory).Select(unit => unit.Unit),
        ];
        units = [.. units.Distinct(StringComparer.Ordinal)];

        return (running, facts.SystemdRuns, units) switch
        {
            ({ Unit: { IsMain: true } unit }, true, _) => Found(new ServiceManager.Systemd(unit.Name, unit.OfUser), "from the running server"),
            ({ Unit: { IsMain: null } unit }, true, _) => Unclear(
                $"The server runs within the systemd service \"{unit.Name}\", but systemd could not be asked whether it is the server's own."),
            (not null, _, _) => WithoutSystemd("from the running server"),
            (null, true, [var unit]) => Found(new ServiceManager.Systemd(unit, OfUser: false), "from the installed units"),
            (null, true, { Count: > 1 }) => Unclear($"These systemd units name its data directory: {string.Join(", ", units)}."),
            _ => WithoutSystemd(debian is null ? "since nothing else is known of it" : $"from Debian's cluster {debian.Major}/{debian.Name}"),
        };

        Detected<ServiceManager> WithoutSystemd(string how) => debian is not null && facts.PgCtlClusterInstalled
            ? Found(new ServiceManager.PgCtlCluster(debian.Major, debian.Name), how)
            : Found(new ServiceManager.PgCtl(), how);

        static Detected<ServiceManager> Found(ServiceManager manager, string how) => new Detected<ServiceManager>.Found(manager, how);

        static Detected<ServiceManager> Unclear(string detail) => new Detected<ServiceManager>.Unclear(new Problem(
            "could not find out how the server is started and stopped",
            detail,
            "Set service_start_command, service_stop_command and service_restart_command in repmgr.conf."));
    }

    /// <summary>
    /// The name of this node: as configured, else as it is registered, else as it calls itself towards its upstream, else
    /// <c>node</c> and its number. The last is no guess from the host's name, for two nodes may live on one host.
    /// </summary>
    /// <param name="configured"><c>node_name</c></param>
    /// <param name="id">Its number.</param>
    /// <param name="registered">The name in its row of <c>repmgr.nodes</c>; null when there is none or it was not read.</param>
    /// <param name="applicationName">The application_name in its <c>primary_conninfo</c>; null when there is none.</param>
    public static Detected<string>.Found NodeName(string? configured, NodeId id, string? registered, string? applicationName) =>
        (configured, registered, applicationName) switch
        {
            ({ } name, _, _) => new(name, "from node_name in repmgr.conf"),
            (_, { } name, _) => new(name, "from its registration"),
            // What a server calls itself when nobody gave it a name.
            (_, _, { Length: > 0 } name) when name is not ("walreceiver" or "repmgr" or "pg_basebackup") => new(name, "from its primary_conninfo"),
            _ => new($"node{id}", "from node_id"),
        };

    private static string Trimmed(string directory) => directory.Length > 1 ? directory.TrimEnd('/') : directory;
}
