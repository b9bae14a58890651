using System.Globalization;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;
using Repmgr.Engine.Processes;

namespace Repmgr.Engine.Hosts;

/// <summary>Where a <see cref="HostObserver"/> looks. Another root serves the tests.</summary>
/// <param name="Root">Put before every path below; empty for the machine itself.</param>
/// <param name="SearchPath">The environment variable <c>PATH</c>.</param>
/// <param name="PgData">The environment variable <c>PGDATA</c>.</param>
/// <param name="DebianRoot">The environment variable <c>PG_CLUSTER_CONF_ROOT</c>: where Debian's tools look for clusters (<c>pg_wrapper(1)</c>).</param>
public sealed record HostPlaces(string Root, string SearchPath, string? PgData, string? DebianRoot = null)
{
    public static HostPlaces OfThisMachine() => new(
        "",
        Environment.GetEnvironmentVariable("PATH") ?? "",
        Environment.GetEnvironmentVariable("PGDATA"),
        Environment.GetEnvironmentVariable("PG_CLUSTER_CONF_ROOT"));

    /// <summary>Where the configuration of Debian's clusters lies.</summary>
    public string DebianClusters => At(DebianRoot is { Length: > 0 } root ? root : "/etc/postgresql");

    public string At(string path) => Root + path;

    /// <summary>The first file of that name in the search path; null when there is none.</summary>
    public string? Program(string name) => SearchPath
        .Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Select(directory => Path.Combine(directory, name))
        .FirstOrDefault(File.Exists);
}

/// <summary>Looks at this machine once, for all that tells where PostgreSQL is and how it is run.</summary>
public sealed class HostObserver(HostPlaces places)
{
    private static readonly TimeSpan ProgramWithin = TimeSpan.FromSeconds(5);

    /// <param name="server">What the server behind <c>conninfo</c> said, if it was asked.</param>
    /// <param name="cancel">Ends the look.</param>
    public async Task<HostFacts> ObserveAsync(ServerAnswer? server, CancellationToken cancel)
    {
        bool systemd = Directory.Exists(places.At("/run/systemd/system")); // sd_booted(3)
        Task<IReadOnlyList<PostmasterSeen>> postmasters = PostmastersAsync(systemd, cancel);
        Task<IReadOnlyList<UnitSeen>> units = systemd ? UnitsAsync(cancel) : Task.FromResult<IReadOnlyList<UnitSeen>>([]);
        Task<IReadOnlyList<BindirSeen>> bindirs = BindirsAsync(cancel);
        return new HostFacts
        {
            Server = server,
            Postmasters = await postmasters.ConfigureAwait(false),
            DebianClusters = DebianClusters(),
            Units = await units.ConfigureAwait(false),
            Bindirs = await bindirs.ConfigureAwait(false),
            PgData = places.PgData,
            SystemdRuns = systemd,
            PgCtlClusterInstalled = places.Program("pg_ctlcluster") is not null,
        };
    }

    private async Task<IReadOnlyList<PostmasterSeen>> PostmastersAsync(bool systemd, CancellationToken cancel)
    {
        var seen = new List<PostmasterSeen>();
        foreach (string process in Directories(places.At("/proc")))
        {
            // The working directory of every process of a server is its data directory; only the postmaster is in its pid file.
            if (!int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                || Text(Path.Combine(process, "comm"))?.Trim() is not ("postgres" or "postmaster")
                || LinkTarget(Path.Combine(process, "cwd")) is not { } directory
                || Text(Path.Combine(directory, PostmasterFile.FileName)) is not { } content
                || PostmasterFile.Parse(content) is not { } file
                || file.Pid != pid)
                continue;

            CgroupUnit? unit = systemd && Text(Path.Combine(process, "cgroup")) is { } cgroup ? CgroupUnit.Parse(cgroup) : null;
            if (unit is not null)
                unit = unit with { IsMain = await IsMainProcessAsync(unit, pid, cancel).ConfigureAwait(false) };
            string? bindir = LinkTarget(Path.Combine(process, "exe")) is { } program ? Path.GetDirectoryName(program) : null;
            seen.Add(new PostmasterSeen(pid, directory, file.Port, bindir, unit));
        }

        return seen;
    }

    private async Task<bool?> IsMainProcessAsync(CgroupUnit unit, int pid, CancellationToken cancel)
    {
        string[] user = unit.OfUser ? ["--user"] : [];
        string? answer = await OutputAsync("systemctl", [.. user, "show", "--property=MainPID", "--value", unit.Name], cancel).ConfigureAwait(false);
        return int.TryParse(answer?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int main) ? main == pid : null;
    }

    /// <summary>Units whose environment names a data directory, as the packages for RHEL and its kin have them.</summary>
    private async Task<IReadOnlyList<UnitSeen>> UnitsAsync(CancellationToken cancel)
    {
        string? list = await OutputAsync(
            "systemctl", ["list-unit-files", "--no-legend", "--no-pager", "--plain", "--type=service", "postgres*", "pgsql*"], cancel).ConfigureAwait(false);
        string[] names =
        [
            .. (list ?? "").Split('\n')
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault() ?? "")
                .Where(name => name.EndsWith(".service", StringComparison.Ordinal) && !name.EndsWith("@.service", StringComparison.Ordinal)),
        ];
        var units = new List<UnitSeen>();
        foreach (string name in names)
        {
            string? shown = await OutputAsync("systemctl", ["show", "--property=Environment", "--value", name], cancel).ConfigureAwait(false);
            string? pgdata = shown?.Split(' ', '\n').FirstOrDefault(word => word.StartsWith("PGDATA=", StringComparison.Ordinal));
            if (pgdata is { Length: > 7 })
                units.Add(new UnitSeen(name, pgdata[7..]));
        }

        return units;
    }

    private List<DebianCluster> DebianClusters()
    {
        var clusters = new List<DebianCluster>();
        foreach (string version in Directories(places.DebianClusters))
        {
            foreach (string cluster in Directories(version))
            {
                if (Text(Path.Combine(cluster, "postgresql.conf")) is not { } conf)
                    continue;

                IReadOnlyDictionary<string, string> settings = AutoConfText.Read(conf);
                (string major, string name) = (Path.GetFileName(version), Path.GetFileName(cluster));
                clusters.Add(new DebianCluster(
                    major,
                    name,
                    settings.GetValueOrDefault("data_directory") ?? $"/var/lib/postgresql/{major}/{name}",
                    int.TryParse(settings.GetValueOrDefault("port"), CultureInfo.InvariantCulture, out int port) ? port : 5432));
            }
        }

        return clusters;
    }

    private async Task<IReadOnlyList<BindirSeen>> BindirsAsync(CancellationToken cancel)
    {
        var candidates = new List<(string Directory, string Origin)>();
        if (places.Program("pg_ctl") is { } inPath)
            candidates.Add((Path.GetDirectoryName(LinkTarget(inPath) ?? inPath)!, "PATH"));
        foreach (string parent in (string[])["/usr/lib/postgresql", "/usr/lib64/postgresql", "/usr", "/usr/local", "/opt"])
        {
            foreach (string directory in Directories(places.At(parent)))
            {
                string name = Path.GetFileName(directory);
                if (name.All(char.IsAsciiDigit) || name.StartsWith("pgsql", StringComparison.Ordinal) || name.StartsWith("postgresql", StringComparison.Ordinal))
                    candidates.Add((Path.Combine(directory, "bin"), parent));
            }
        }

        if (await OutputAsync("pg_config", ["--bindir"], cancel).ConfigureAwait(false) is { } told)
            candidates.Add((told.Trim(), "pg_config"));

        var seen = new List<BindirSeen>();
        foreach ((string directory, string origin) in candidates.DistinctBy(candidate => candidate.Directory))
        {
            string program = Path.Combine(directory, "pg_ctl");
            if (File.Exists(program) && await MajorOfAsync(program, cancel).ConfigureAwait(false) is { } major)
                seen.Add(new BindirSeen(directory, major, origin));
        }

        return seen;
    }

    private static async Task<int?> MajorOfAsync(string program, CancellationToken cancel)
    {
        ProgramResult result = await ExternalProgram
            .RunAsync(program, ["--version"], ProgramEnvironment.PlainMessages, ProgramWithin, cancel)
            .ConfigureAwait(false);
        return result is ProgramResult.Ended { ExitCode: 0 } ended ? PostgresVersion.MajorInBanner(ended.Output) : null;
    }

    private async Task<string?> OutputAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancel)
    {
        if (places.Program(program) is not { } path)
            return null;

        ProgramResult result = await ExternalProgram
            .RunAsync(path, arguments, ProgramEnvironment.PlainMessages, ProgramWithin, cancel)
            .ConfigureAwait(false);
        return result is ProgramResult.Ended { ExitCode: 0 } ended ? ended.Output : null;
    }

    private static string[] Directories(string path)
    {
        try
        {
            string[] found = Directory.GetDirectories(path);
            Array.Sort(found, StringComparer.Ordinal);
            return found;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string? Text(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? LinkTarget(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
