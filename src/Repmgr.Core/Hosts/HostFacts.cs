using Repmgr.Core.Postgres;

namespace Repmgr.Core.Hosts;

/// <summary>What was seen of this machine that tells where PostgreSQL is and how it is run. Seen once, immutable.</summary>
public sealed record HostFacts
{
    /// <summary>What the server behind <c>conninfo</c> said; null when it did not answer or was not asked.</summary>
    public ServerAnswer? Server { get; init; }

    /// <summary>The servers that run on this machine, as far as this user may see.</summary>
    public IReadOnlyList<PostmasterSeen> Postmasters { get; init; } = [];

    /// <summary>The clusters of Debian's layout (<c>/etc/postgresql/15/main</c>).</summary>
    public IReadOnlyList<DebianCluster> DebianClusters { get; init; } = [];

    /// <summary>The systemd units that name a data directory (<c>Environment=PGDATA=…</c>, as in the packages for RHEL).</summary>
    public IReadOnlyList<UnitSeen> Units { get; init; } = [];

    /// <summary>The directories with PostgreSQL's programs; the one to be preferred first.</summary>
    public IReadOnlyList<BindirSeen> Bindirs { get; init; } = [];

    /// <summary>The environment variable <c>PGDATA</c>.</summary>
    public string? PgData { get; init; }

    /// <summary>The machine was booted by systemd (<c>sd_booted(3)</c>).</summary>
    public bool SystemdRuns { get; init; }

    public bool PgCtlClusterInstalled { get; init; }
}

/// <param name="Version">Its version.</param>
/// <param name="DataDirectory">Null when the role may not see it.</param>
/// <param name="DataDirectoryIsHere">There is such a directory on this machine.</param>
public sealed record ServerAnswer(PostgresVersion Version, string? DataDirectory, bool DataDirectoryIsHere);

/// <param name="Pid">Its process id.</param>
/// <param name="DataDirectory">Its data directory.</param>
/// <param name="Port">Its port; null when it is not known yet.</param>
/// <param name="Bindir">The directory of its program file; null when it may not be seen.</param>
/// <param name="Unit">The systemd service it lives in; null when it lives in none.</param>
public sealed record PostmasterSeen(int Pid, string DataDirectory, int? Port, string? Bindir, CgroupUnit? Unit);

/// <summary>The systemd service of a process.</summary>
/// <param name="Name">For instance <c>postgresql@15-main.service</c>.</param>
/// <param name="OfUser">It belongs to a user's service manager (<c>systemctl --user</c>).</param>
/// <param name="IsMain">
/// The process is the unit's main process. False: it was started from within some other service (ssh, cron, repmgrd).
/// Null: systemd could not be asked.
/// </param>
public sealed record CgroupUnit(string Name, bool OfUser, bool? IsMain)
{
    /// <summary>Reads the unit out of <c>/proc/PID/cgroup</c>; null when the process lives in no service (a session, a container).</summary>
    /// <remarks>https://www.freedesktop.org/software/systemd/man/latest/systemd.slice.html</remarks>
    public static CgroupUnit? Parse(string cgroupFile)
    {
        foreach (string line in cgroupFile.Split('\n'))
        {
            // "0::/system.slice/x.service" with cgroup v2, "1:name=systemd:/system.slice/x.service" with v1.
            string[] fields = line.Split(':', 3);
            if (fields.Length < 3 || fields[1] is not ("" or "name=systemd"))
                continue;

            string[] path = fields[2].Trim().Split('/');
            int last = Array.FindLastIndex(path, part => part.EndsWith(".service", StringComparison.Ordinal) || part.EndsWith(".scope", StringComparison.Ordinal));
            if (last < 0 || !path[last].EndsWith(".service", StringComparison.Ordinal))
                continue;

            int user = Array.FindIndex(path, part => part.StartsWith("user@", StringComparison.Ordinal));
            return user == last ? null : new CgroupUnit(Unescape(path[last]), user >= 0, null);
        }

        return null;
    }

    // systemd writes a leading underscore where the kernel would take a name for one of its own files.
    private static string Unescape(string name) => name.StartsWith('_') ? name[1..] : name;
}

/// <param name="Major">As it stands in the path: <c>15</c>.</param>
/// <param name="Name">For instance <c>main</c>.</param>
/// <param name="DataDirectory">From its <c>postgresql.conf</c>.</param>
/// <param name="Port">From its <c>postgresql.conf</c>.</param>
public sealed record DebianCluster(string Major, string Name, string DataDirectory, int Port)
{
    /// <summary>The unit of Debian's packages for it.</summary>
    public string Unit => $"postgresql@{Major}-{Name}.service";
}

/// <param name="Unit">Its name.</param>
/// <param name="DataDirectory">What it sets <c>PGDATA</c> to.</param>
public sealed record UnitSeen(string Unit, string DataDirectory);

/// <param name="Directory">It holds at least <c>pg_ctl</c>.</param>
/// <param name="Major">The major version of what is in it.</param>
/// <param name="Origin">How it was found: <c>PATH</c>, <c>pg_config</c>, or a place where packages put it.</param>
public sealed record BindirSeen(string Directory, int Major, string Origin);
