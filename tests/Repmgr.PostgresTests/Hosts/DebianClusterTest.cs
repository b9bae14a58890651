using System.Globalization;
using System.Text.Json;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Hosts;

/// <summary>A server as Debian's packages lay it out, run by <c>pg_ctlcluster</c>, with nothing configured but who it is.</summary>
public sealed class DebianClusterTest : LabTest
{
    private const string PgCtlCluster = "/usr/bin/pg_ctlcluster";

    private string Root => Path.Combine(Lab.Directory, "etc");

    // pg_wrapper(1) names the variable by which Debian's tools take another place than /etc/postgresql.
    private Dictionary<string, string?> Surroundings(TestServer server) => new(server.Surroundings) { ["PG_CLUSTER_CONF_ROOT"] = Root };

    private Task<ProgramResult> RunAsync(TestServer server, string program, params IReadOnlyList<string> arguments) =>
        Lab.RunAsync(new Launch(program, arguments) { User = server.User, WorkingDirectory = server.Directory, Environment = Surroundings(server) });

    /// <summary>Moves a stopped server's configuration to where Debian has it, as cluster <c>night</c>.</summary>
    private async Task LayOutAsync(TestServer server)
    {
        string etc = Path.Combine(Root, server.Major.Number.ToString(CultureInfo.InvariantCulture), "night");
        Directory.CreateDirectory(etc);
        foreach (string file in (string[])["postgresql.conf", "pg_hba.conf", "pg_ident.conf"])
            File.Move(Path.Combine(server.DataDirectory, file), Path.Combine(etc, file));
        await File.AppendAllLinesAsync(Path.Combine(etc, "postgresql.conf"),
        [
            $"data_directory = '{server.DataDirectory}'", $"hba_file = '{etc}/pg_hba.conf'", $"ident_file = '{etc}/pg_ident.conf'",
        ]);
        await File.WriteAllTextAsync(Path.Combine(etc, "start.conf"), "manual\n");
        File.CreateSymbolicLink(Path.Combine(etc, "log"), server.LogPath);
        await TestUser.GiveAsync(Root, server.User);
    }

    [Fact]
    public async Task It_is_found_shown_and_restarted_by_Debians_own_tool()
    {
        // Debian's tool knows only the servers that Debian's packages have installed.
        Assert.SkipUnless(File.Exists(PgCtlCluster), $"there is no {PgCtlCluster} on this machine: it is no Debian, or has no server from its packages");
        PostgresMajor? installed = PostgresMajor.OfDistribution;
        Assert.SkipWhen(installed is null, "the distribution has installed none of the majors that this run is about");
        string major = installed!.Number.ToString(CultureInfo.InvariantCulture);
        TestCluster cluster = await Lab.ClusterAsync(installed.Number, standbys: 1);
        await cluster.RegisterAsync();
        TestServer standby = cluster.Standbys[0];
        await standby.StopAsync();
        await LayOutAsync(standby);
        await File.WriteAllTextAsync(standby.ConfPath, $"node_id=2\nconninfo='{standby.Conninfo}'\nstandby_follow_restart=true\n", TestContext.Current.CancellationToken);

        // While it is down, all that is known of it is Debian's configuration.
        Assert.Equal(
            (standby.DataDirectory, $"from Debian's cluster {major}/night"),
            (await DumpAsync(standby))["data_directory"]);

        (await RunAsync(standby, PgCtlCluster, "--skip-systemctl-redirect", major, "night", "start")).ShouldSucceed();
        await standby.StreamsFromAsync(cluster.Primary);
        Dictionary<string, (string? Value, string From)> dump = await DumpAsync(standby);
        Assert.Equal((standby.DataDirectory, $"from the server on port {standby.Port}"), dump["data_directory"]);
        Assert.Equal((installed.BinDirectory, "from the running server"), dump["pg_bindir"]);
        Assert.Equal(($"pg_ctlcluster --skip-systemctl-redirect {major} night start", "from the running server"), dump["service_start_command"]);
        Assert.Equal(($"pg_ctlcluster --skip-systemctl-redirect --mode fast {major} night stop", "from the running server"), dump["service_stop_command"]);
        Assert.Equal(("node2", "from node_id"), dump["node_name"]);
        Assert.Equal(("2", $"{standby.ConfPath}:1"), dump["node_id"]);

        string before = await standby.QueryAsync<string>("select pg_postmaster_start_time()::text");
        (await RunAsync(standby, Programs.Repmgr, "-f", standby.ConfPath, "standby", "follow")).ShouldSucceed();
        await standby.StreamsFromAsync(cluster.Primary);
        Assert.NotEqual(before, await standby.QueryAsync<string>("select pg_postmaster_start_time()::text"));
        // The tool names the configuration on the command line; pg_ctl, which does not, would have found none in the data directory.
        Assert.Contains("config_file=", await File.ReadAllTextAsync(Path.Combine(standby.DataDirectory, "postmaster.opts"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private async Task<Dictionary<string, (string? Value, string From)>> DumpAsync(TestServer server)
    {
        ProgramResult result = (await RunAsync(server, Programs.Repmgr, "-f", server.ConfPath, "--dump-config", "--json")).ShouldSucceed();
        using var document = JsonDocument.Parse(result.Stdout);
        Assert.Empty(document.RootElement.GetProperty("unclear").EnumerateArray());
        return document.RootElement.GetProperty("settings").EnumerateArray().ToDictionary(
            setting => setting.GetProperty("name").GetString()!,
            setting => (setting.GetProperty("value").GetString(), setting.GetProperty("source").GetString()!));
    }
}
