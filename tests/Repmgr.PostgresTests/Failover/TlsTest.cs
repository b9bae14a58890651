using System.Globalization;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Failover;

/// <summary>Agents, commands and load balancers over TLS, with certificates as openssl makes them. About 40 s.</summary>
public sealed class TlsTest : LabTest
{
    [Fact]
    public async Task Agents_with_certificates_elect_answer_commands_and_take_renewed_ones_without_a_restart()
    {
        IReadOnlyList<TestHost> hosts = await Lab.HostsAsync("one", "two", "three");
        string place = await Lab.SubdirectoryAsync("certificates", "postgres");
        await IssueAsync(place, hosts, isFirst: true);
        AgentCluster cluster = await AgentCluster.StartOnAsync(
            Lab, hosts, PostgresMajor.Default, $"api_ssl_cert_file = {place}/node.crt", $"api_ssl_key_file = {place}/node.key", $"api_ssl_ca_file = {place}/ca.crt");

        string primary = string.Create(CultureInfo.InvariantCulture, $"https://{hosts[0].Address}:8008/primary");
        Assert.Equal("200", await StatusAsync(cluster.Node(2), "--cacert", $"{place}/ca.crt", primary));
        Assert.NotEqual("200", await StatusAsync(cluster.Node(2), primary.Replace("https", "http", StringComparison.Ordinal)));
        string report = primary.Replace("/primary", "/v1/report", StringComparison.Ordinal);
        Assert.Equal("403", await StatusAsync(cluster.Node(2), "--cacert", $"{place}/ca.crt", report));
        Assert.Equal("401", await StatusAsync(cluster.Node(2), "--cacert", $"{place}/ca.crt", "--cert", $"{place}/node.crt", "--key", $"{place}/node.key", report));
        ProgramResult show = await cluster.Node(3).RepmgrAsync("cluster", "show");
        Assert.Contains("voters: 3 of 3 answer", show.Stdout, StringComparison.Ordinal);

        await IssueAsync(place, hosts, isFirst: false);
        Assert.Equal("200", await StatusAsync(cluster.Node(2), "--cacert", $"{place}/ca.crt", primary));
        await cluster.Agents[1].SaysAsync("certificates were read anew", Seconds(10));

        await using WritingClients clients = await WritingClients.StartAsync(cluster.Node(1), cluster.Nodes);
        await clients.AwaitRowsAsync(50, notBy: 0, Seconds(20));
        await cluster.KillHostAsync(1);
        int elected = await clients.AwaitRowsAsync(50, notBy: 1, Seconds(30));
        clients.ShouldHaveHadOnePrimaryAtATime(elected);
    }

    private static async Task<string> StatusAsync(TestServer node, params string[] arguments) =>
        (await node.RunAsync("curl", ["-s", "-o", "/dev/null", "-w", "%{http_code}", .. arguments])).Stdout.Trim();

    private async Task IssueAsync(string place, IReadOnlyList<TestHost> hosts, bool isFirst)
    {
        string names = string.Join(",", hosts.Select(host => $"IP:{host.Address},DNS:{host.Name}"));
        string authority = isFirst ? "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.crt 2>/dev/null &&" : "";
        (await Lab.RunAsync(new Launch("sh", "-c", $"""
            cd '{place}' && {authority}
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=node -keyout new.key -out node.csr 2>/dev/null &&
            printf 'subjectAltName={names}' >names && openssl x509 -req -in node.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -extfile names -out new.crt 2>/dev/null &&
            chmod 600 new.key && chown postgres: new.key new.crt ca.crt && mv new.key node.key && mv new.crt node.crt
            """))).ShouldSucceed();
    }
}
