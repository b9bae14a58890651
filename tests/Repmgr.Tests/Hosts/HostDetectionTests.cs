using Repmgr.Core.Cluster;
using Repmgr.Core.Hosts;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Tests.Hosts;

public class HostDetectionTests
{
    private static readonly HostFacts Nothing = new();
    private static readonly DebianCluster Main15 = new("15", "main", "/var/lib/postgresql/15/main", 5432);
    private static readonly DebianCluster Main17 = new("17", "main", "/var/lib/postgresql/17/main", 5433);

    private static PostmasterSeen Postmaster(string directory, int port = 5432, string? bindir = "/usr/lib/postgresql/15/bin", CgroupUnit? unit = null) =>
        new(4711, directory, port, bindir, unit);

    private static T Found<T>(Detected<T> detected) => Assert.IsType<Detected<T>.Found>(detected).Value;

    private static Problem Unclear<T>(Detected<T> detected) => Assert.IsType<Detected<T>.Unclear>(detected).Problem;

    // The data directory.

    [Fact]
    public void What_is_configured_wins_over_everything_seen() =>
        Assert.Equal("/configured", Found(HostDetection.DataDirectory("/configured/", 5432, Nothing with
        {
            Server = new ServerAnswer(new PostgresVersion(150000), "/told", true),
            PgData = "/pgdata",
        })));

    [Fact]
    public void The_running_server_knows_best() =>
        Assert.Equal("/told", Found(HostDetection.DataDirectory(null, 5432, Nothing with
        {
            Server = new ServerAnswer(new PostgresVersion(150000), "/told", true),
            Postmasters = [Postmaster("/other")],
            PgData = "/pgdata",
        })));

    [Fact]
    public void A_server_elsewhere_is_not_taken_for_a_local_one() =>
        Assert.Contains("not on this host", Unclear(HostDetection.DataDirectory(null, 5432, Nothing with
        {
            Server = new ServerAnswer(new PostgresVersion(150000), "/told", false),
            PgData = "/pgdata",
        })).Message);

    [Fact]
    public void A_server_that_hides_its_directory_is_recognised_by_its_port() =>
        Assert.Equal("/b", Found(HostDetection.DataDirectory(null, 5433, Nothing with
        {
            Server = new ServerAnswer(new PostgresVersion(150000), null, false),
            Postmasters = [Postmaster("/a"), Postmaster("/b", 5433)],
        })));

    [Fact]
    public void Two_servers_on_one_port_are_ambiguous_and_the_message_names_the_key()
    {
        Problem problem = Unclear(HostDetection.DataDirectory(null, 5432, Nothing with { Postmasters = [Postmaster("/a"), Postmaster("/b")] }));
        Assert.Contains("/a", problem.Detail);
        Assert.Contains("/b", problem.Detail);
        Assert.Contains("data_directory", problem.Hint);
    }

    [Fact]
    public void Of_several_Debian_clusters_the_port_chooses() =>
        Assert.Equal("/var/lib/postgresql/17/main", Found(HostDetection.DataDirectory(null, 5433, Nothing with { DebianClusters = [Main15, Main17] })));

    [Fact]
    public void A_Debian_cluster_on_another_port_is_not_this_node_be_it_the_only_one()
    {
        Problem unclear = Unclear(HostDetection.DataDirectory(null, 5440, Nothing with { DebianClusters = [Main15] }));
        Assert.Contains("no installed cluster has that port (15/main has 5432)", unclear.Detail);
        Assert.Contains("data_directory", unclear.Hint);
    }

    [Fact]
    public void PGDATA_that_contradicts_an_installed_cluster_is_ambiguous()
    {
        Assert.Contains("data_directory", Unclear(HostDetection.DataDirectory(null, 5432, Nothing with { DebianClusters = [Main15], PgData = "/x" })).Hint);
        Assert.Equal(
            Main15.DataDirectory,
            Found(HostDetection.DataDirectory(null, 5432, Nothing with { DebianClusters = [Main15], PgData = Main15.DataDirectory + "/" })));
    }

    [Fact]
    public void A_unit_that_sets_PGDATA_is_enough() =>
        Assert.Equal("/var/lib/pgsql/15/data", Found(HostDetection.DataDirectory(null, 5432, Nothing with
        {
            Units = [new UnitSeen("postgresql-15.service", "/var/lib/pgsql/15/data/")],
        })));

    [Fact]
    public void Nothing_seen_is_said_and_names_the_key() =>
        Assert.Equal("Set data_directory in repmgr.conf.", Unclear(HostDetection.DataDirectory(null, 5432, Nothing)).Hint);

    // The programs.

    private static readonly HostFacts TwoVersions = Nothing with
    {
        Bindirs = [new BindirSeen("/opt/pg/15/bin", 15, "PATH"), new BindirSeen("/usr/lib/postgresql/15/bin", 15, "/usr/lib/postgresql"), new BindirSeen("/usr/lib/postgresql/17/bin", 17, "/usr/lib/postgresql")],
    };

    [Fact]
    public void The_programs_of_the_running_server_are_the_right_ones() =>
        Assert.Equal("/run/bin", Found(HostDetection.Bindir(null, "/d/", 15, TwoVersions with { Postmasters = [Postmaster("/d", bindir: "/run/bin")] })));

    [Fact]
    public void A_known_version_chooses_and_PATH_comes_first() =>
        Assert.Equal("/opt/pg/15/bin", Found(HostDetection.Bindir(null, "/d", 15, TwoVersions)));

    [Fact]
    public void The_version_of_the_answering_server_counts() =>
        Assert.Equal("/usr/lib/postgresql/17/bin", Found(HostDetection.Bindir(null, null, null, TwoVersions with
        {
            Server = new ServerAnswer(new PostgresVersion(170002), null, false),
        })));

    [Fact]
    public void An_unknown_version_with_several_installed_is_ambiguous() =>
        Assert.Contains("pg_bindir", Unclear(HostDetection.Bindir(null, "/d", null, TwoVersions)).Hint);

    [Fact]
    public void A_version_that_is_not_installed_is_said_with_what_is() =>
        Assert.Contains("PostgreSQL 17", Unclear(HostDetection.Bindir(null, "/d", 13, TwoVersions)).Detail);

    [Fact]
    public void No_programs_at_all_names_the_key() => Assert.Contains("pg_bindir", Unclear(HostDetection.Bindir(null, null, null, Nothing)).Hint);

    // Who starts and stops.

    private static readonly CgroupUnit OwnUnit = new("postgresql@15-main.service", OfUser: false, IsMain: true);
    private static readonly HostFacts DebianWithSystemd = Nothing with { SystemdRuns = true, PgCtlClusterInstalled = true, DebianClusters = [Main15, Main17] };

    [Fact]
    public void A_server_that_is_the_main_process_of_a_unit_belongs_to_systemd() =>
        Assert.Equal(
            new ServiceManager.Systemd("postgresql@15-main.service", OfUser: false),
            Found(HostDetection.Manager(Main15.DataDirectory, DebianWithSystemd with { Postmasters = [Postmaster(Main15.DataDirectory, unit: OwnUnit)] })));

    [Fact]
    public void A_server_started_by_hand_from_ssh_does_not_belong_to_the_ssh_service() =>
        Assert.Equal(
            new ServiceManager.PgCtl(),
            Found(HostDetection.Manager("/d", Nothing with
            {
                SystemdRuns = true,
                Postmasters = [Postmaster("/d", unit: new CgroupUnit("ssh.service", OfUser: false, IsMain: false))],
            })));

    [Fact]
    public void A_Debian_cluster_started_by_hand_is_stopped_by_hand() =>
        Assert.Equal(
            new ServiceManager.PgCtlCluster("15", "main"),
            Found(HostDetection.Manager(Main15.DataDirectory, DebianWithSystemd with { Postmasters = [Postmaster(Main15.DataDirectory)] })));

    [Fact]
    public void Where_systemd_cannot_be_asked_the_keys_are_named() =>
        Assert.Contains("service_start_command", Unclear(HostDetection.Manager("/d", Nothing with
        {
            SystemdRuns = true,
            Postmasters = [Postmaster("/d", unit: new CgroupUnit("postgresql.service", OfUser: false, IsMain: null))],
        })).Hint);

    [Fact]
    public void A_stopped_Debian_cluster_is_started_by_its_unit_or_without_systemd_by_pg_ctlcluster()
    {
        Assert.Equal(
            new ServiceManager.Systemd("postgresql@17-main.service", OfUser: false),
            Found(HostDetection.Manager(Main17.DataDirectory, DebianWithSystemd)));
        Assert.Equal(
            new ServiceManager.PgCtlCluster("17", "main"),
            Found(HostDetection.Manager(Main17.DataDirectory, DebianWithSystemd with { SystemdRuns = false })));
    }

    [Fact]
    public void A_stopped_server_with_two_units_is_ambiguous() =>
        Assert.Contains("a.service, b.service", Unclear(HostDetection.Manager("/d", Nothing with
        {
            SystemdRuns = true,
            Units = [new UnitSeen("a.service", "/d"), new UnitSeen("b.service", "/d/")],
        })).Detail);

    [Fact]
    public void Everything_else_is_pg_ctl() => Assert.Equal(new ServiceManager.PgCtl(), Found(HostDetection.Manager("/d", Nothing)));

    [Theory]
    [InlineData("0::/system.slice/system-postgresql.slice/postgresql@15-main.service\n", "postgresql@15-main.service", false)]
    [InlineData("12:cpu:/\n1:name=systemd:/system.slice/postgresql-15.service\n", "postgresql-15.service", false)]
    [InlineData("0::/user.slice/user-1000.slice/user@1000.service/app.slice/pg.service\n", "pg.service", true)]
    [InlineData("0::/user.slice/user-1000.slice/session-3.scope\n", null, false)]
    [InlineData("0::/user.slice/user-1000.slice/user@1000.service/init.scope\n", null, false)]
    [InlineData("0::/system.slice/docker-0123456789ab.scope\n", null, false)]
    [InlineData("0::/\n", null, false)]
    [InlineData("", null, false)]
    public void The_unit_is_read_from_the_cgroup(string file, string? unit, bool ofUser) =>
        Assert.Equal(unit is null ? null : new CgroupUnit(unit, ofUser, null), CgroupUnit.Parse(file));

    [Theory]
    [InlineData("conf", "registered", "app", "conf")]
    [InlineData(null, "registered", "app", "registered")]
    [InlineData(null, null, "app", "app")]
    [InlineData(null, null, "walreceiver", "node3")]
    [InlineData(null, null, null, "node3")]
    public void A_node_keeps_the_name_it_has(string? configured, string? registered, string? applicationName, string name) =>
        Assert.Equal(name, HostDetection.NodeName(configured, new NodeId(3), registered, applicationName).Value);

    [Theory]
    [InlineData("pg_ctl (PostgreSQL) 15.18 (Debian 15.18-1)", 15)]
    [InlineData("pg_ctl (PostgreSQL) 19rc1 (Debian 19~rc1-1)", 19)]
    [InlineData("pg_ctl (PostgreSQL) 9.6.24", null)]
    [InlineData("pg_ctl", null)]
    public void The_version_is_read_from_what_a_program_prints(string banner, int? major) => Assert.Equal(major, PostgresVersion.MajorInBanner(banner));
}
