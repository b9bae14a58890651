using Repmgr.Core.Hosts;
using Repmgr.Engine.Hosts;

namespace Repmgr.Tests.Hosts;

/// <summary>A machine made of files: what the observer reads is laid out below a directory of the test's own.</summary>
public sealed class HostObserverTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("repmgr-host-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string Write(string path, string content, bool executable = false)
    {
        string full = _root + path;
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
        if (executable)
            File.SetUnixFileMode(full, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return full;
    }

    private void Process(int pid, string dataDirectory, string bindir, string cgroup)
    {
        Write($"/proc/{pid}/comm", "postgres\n");
        Write($"/proc/{pid}/cgroup", cgroup);
        File.CreateSymbolicLink($"{_root}/proc/{pid}/cwd", _root + dataDirectory);
        File.CreateSymbolicLink($"{_root}/proc/{pid}/exe", _root + bindir + "/postgres");
    }

    private Task<HostFacts> ObserveAsync() =>
        new HostObserver(new HostPlaces(_root, _root + "/bin", "/pgdata")).ObserveAsync(null, TestContext.Current.CancellationToken);

    [Fact]
    public async Task An_empty_machine_is_seen_as_empty()
    {
        HostFacts facts = await ObserveAsync();
        Assert.Empty(facts.Postmasters);
        Assert.Empty(facts.DebianClusters);
        Assert.Empty(facts.Bindirs);
        Assert.Empty(facts.Units);
        Assert.False(facts.SystemdRuns);
        Assert.False(facts.PgCtlClusterInstalled);
        Assert.Equal("/pgdata", facts.PgData);
    }

    [Fact]
    public async Task A_Debian_machine_with_systemd()
    {
        Directory.CreateDirectory(_root + "/run/systemd/system");
        Write("/etc/postgresql/15/main/postgresql.conf", "data_directory = '/var/lib/postgresql/15/main' # (change requires restart)\nport = 5433\n");
        Write("/etc/postgresql/17/other/postgresql.conf", "#port = 5432\n");
        Write("/usr/lib/postgresql/15/bin/pg_ctl", "#!/bin/sh\necho 'pg_ctl (PostgreSQL) 15.18 (Debian)'\n", executable: true);
        Write("/usr/lib/postgresql/15/bin/postgres", "");
        Write("/bin/pg_ctlcluster", "");
        Write("/bin/systemctl", """
            #!/bin/sh
            case "$*" in
              "show --property=MainPID --value postgresql@15-main.service") echo 4711 ;;
              list-unit-files*) echo "postgresql-16.service disabled enabled"; echo "postgresql@.service indirect enabled" ;;
              "show --property=Environment --value postgresql-16.service") echo "PGDATA=/var/lib/pgsql/16/data/ PG_OOM_ADJUST_FILE=/proc/self/oom_score_adj" ;;
              *) exit 1 ;;
            esac
            """, executable: true);
        Write("/var/lib/postgresql/15/main/postmaster.pid", "4711\n/var/lib/postgresql/15/main\n1795500000\n5433\n");
        Process(4711, "/var/lib/postgresql/15/main", "/usr/lib/postgresql/15/bin", "0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n");
        Process(4712, "/var/lib/postgresql/15/main", "/usr/lib/postgresql/15/bin", "0::/\n"); // A backend: not in the pid file.

        HostFacts facts = await ObserveAsync();

        Assert.Equal(
            [new PostmasterSeen(4711, _root + "/var/lib/postgresql/15/main", 5433, _root + "/usr/lib/postgresql/15/bin", new CgroupUnit("postgresql@15-main.service", false, true))],
            facts.Postmasters);
        Assert.Equal(
            [new DebianCluster("15", "main", "/var/lib/postgresql/15/main", 5433), new DebianCluster("17", "other", "/var/lib/postgresql/17/other", 5432)],
            facts.DebianClusters);
        Assert.Equal([new BindirSeen(_root + "/usr/lib/postgresql/15/bin", 15, "/usr/lib/postgresql")], facts.Bindirs);
        Assert.Equal([new UnitSeen("postgresql-16.service", "/var/lib/pgsql/16/data/")], facts.Units);
        Assert.True(facts.PgCtlClusterInstalled);
        Assert.True(facts.SystemdRuns);
    }

    [Fact]
    public async Task A_link_in_PATH_is_followed_to_the_programs_beside_which_the_others_are()
    {
        string program = Write("/usr/pgsql-17/bin/pg_ctl", "#!/bin/sh\necho 'pg_ctl (PostgreSQL) 17.2'\n", executable: true);
        Directory.CreateDirectory(_root + "/bin");
        File.CreateSymbolicLink(_root + "/bin/pg_ctl", program);

        Assert.Equal([new BindirSeen(_root + "/usr/pgsql-17/bin", 17, "PATH")], (await ObserveAsync()).Bindirs);
    }
}
