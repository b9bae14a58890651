using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>What asks the agents over HTTP, as it asks Patroni: HAProxy, and Prometheus. A minute and a half in all.</summary>
public sealed class LoadBalancerTest : LabTest
{
    /// <summary>https://patroni.readthedocs.io/en/latest/rest_api.html and its example for HAProxy: the lines that matter to the agents, as they stand there.</summary>
    private const string AsForPatroni = """
        global
            maxconn 100

        defaults
            mode tcp
            retries 2
            timeout client 30m
            timeout connect 4s
            timeout server 30m
            timeout check 5s

        listen postgres
            bind *:5000
            option httpchk OPTIONS /primary
            http-check expect status 200
            default-server inter 3s fall 3 rise 2 on-marked-down shutdown-sessions
            server one one:5432 maxconn 100 check port 8008
            server two two:5432 maxconn 100 check port 8008
            server three three:5432 maxconn 100 check port 8008

        """;

    [Fact]
    public async Task Behind_HAProxy_as_configured_for_Patroni_writes_go_on_at_the_new_primary_and_never_to_two()
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/haproxy"), "there is no HAProxy on this machine; tools/prerequisites test installs it");
        IReadOnlyList<TestHost> hosts = await Lab.HostsAsync("one", "two", "three", "proxy");
        AgentCluster cluster = await AgentCluster.StartOnAsync(Lab, [.. hosts.Take(3)], PostgresMajor.Default);
        await using WritingClients direct = await cluster.UnderLoadAsync();
        string door = await StartProxyAsync(hosts[3]);
        await using WritingClients proxied = WritingClients.Through(door, port: 5000, count: 4);
        await proxied.AwaitRowsAsync(50, notBy: 0, Seconds(30));

        TimeSpan killed = WritingClients.Now;
        await cluster.Node(1).KillAsync();
        int primary = await proxied.AwaitRowsAsync(100, notBy: 1, Seconds(60));
        AgentCluster.Say("through HAProxy, without an acknowledgement", proxied.LongestGap(killed));

        // And when the primary is changed on request, with the former one in service as a standby.
        await cluster.AllStreamFromAsync(primary, Seconds(60));
        await Eventually.TrueAsync(async () => (await cluster.AskAsync(1, "/replica")).Status == 200, Seconds(20), "the former primary is a replica");
        (await cluster.Node(1).RepmgrAsync("standby", "promote")).ShouldSucceed();
        await proxied.AwaitRowsAsync(100, notBy: primary, Seconds(60));
        await proxied.StopAsync();
        await cluster.EndsWellAsync(direct, 1);
        proxied.ShouldHaveHadOnePrimaryAtATime(1);
        await proxied.ShouldAllBeOnAsync(cluster.Node(1));
        WritingClients.ShouldHaveHadOnePrimaryAtATime([.. direct.Rows.Concat(proxied.Rows).OrderBy(row => row.At)]);
    }

    [Theory, InlineData("off"), InlineData("quorum")]
    public async Task Prometheus_takes_the_metrics_of_a_primary_and_of_a_standby(string synchronous)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/promtool"), "there is no promtool on this machine; tools/prerequisites test installs it");
        AgentCluster cluster = await AgentCluster.StartAsync(Lab, PostgresMajor.Default, $"synchronous = {synchronous}");
        foreach (int node in (int[])[1, 2])
        {
            (int status, string metrics) = await cluster.AskAsync(node, "/metrics");
            Assert.Equal(200, status);
            ProgramResult verdict = await Lab.RunAsync(new Launch("/usr/bin/promtool", "check", "metrics") { Stdin = metrics + "\n" });
            Assert.Equal((0, "", ""), (verdict.ExitCode, verdict.Stdout, verdict.Stderr));
        }
    }

    /// <summary>Returns the directory of a Unix socket that leads to the proxy's port: the tests themselves are on no host.</summary>
    private async Task<string> StartProxyAsync(TestHost host)
    {
        string directory = await Lab.SubdirectoryAsync("proxy");
        await File.WriteAllTextAsync(Path.Combine(directory, "haproxy.cfg"), AsForPatroni);
        await File.WriteAllTextAsync(Path.Combine(directory, "door.cfg"), $"""
            listen door
                bind unix@{directory}/.s.PGSQL.5000 mode 666
                server proxy 127.0.0.1:5000

            """);
        ProgramResult started = await Lab.RunAsync(new Launch("/usr/sbin/haproxy", "-D", "-f", Path.Combine(directory, "haproxy.cfg"), "-f", Path.Combine(directory, "door.cfg"))
        {
            Host = host,
            WorkingDirectory = directory,
        });
        started.ShouldSucceed();
        return directory;
    }
}
