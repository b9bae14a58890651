using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Repmgr.Core.Failover;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Failover;

namespace Repmgr.Tests.Failover.Agents;

/// <summary>TLS between agents: who gets in, who does not, and why.</summary>
public sealed class CertificateTests : IDisposable
{
    private static readonly MessageSeal Seal = new([1, 2, 3]);
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(20);

    private readonly string _directory = Directory.CreateTempSubdirectory("repmgr-certificates-").FullName;
    private readonly TestAuthority _ours, _theirs;

    public CertificateTests()
    {
        _ours = new TestAuthority(_directory, "ours");
        _theirs = new TestAuthority(_directory, "theirs");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _ours.Dispose();
        _theirs.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Who_has_a_certificate_of_the_cluster_gets_in_and_everybody_learns_of_its_health()
    {
        (string address, IAsyncDisposable listening) = await ListenAsync(_ours.Issue("node1"));
        await using (listening)
        {
            Assert.Equal(HttpStatusCode.OK, (await GreetAsync(address, _ours.Issue("node2"))).Status);

            using HttpClient anybody = Anybody(null);
            Assert.Equal(HttpStatusCode.OK, (await anybody.GetAsync(new Uri($"https://{address}/health"), Cancel)).StatusCode);
            Assert.Equal(HttpStatusCode.Forbidden, (await anybody.GetAsync(new Uri($"https://{address}{AgentApi.GreetingPath}"), Cancel)).StatusCode);
            Assert.Null((await GreetAsync(address, null)).Status);
        }
    }

    [Fact]
    public async Task Certificates_of_another_authority_are_believed_by_neither_side()
    {
        (string address, IAsyncDisposable listening) = await ListenAsync(_ours.Issue("node1"));
        await using (listening)
        {
            AgentReply refused = await GreetAsync(address, _theirs.Issue("stranger"));
            Assert.True(refused.IsUntrusted);
            Assert.Equal("its certificate is not believed: it was not issued by an authority in api_ssl_ca_file", refused.Failure);

            Settings stranger = _theirs.Issue("stranger");
            using var shown = X509Certificate2.CreateFromPemFile(stranger.ApiSslCertFile!, stranger.ApiSslKeyFile);
            using HttpClient pretender = Anybody(shown);
            await Assert.ThrowsAsync<HttpRequestException>(() => pretender.GetAsync(new Uri($"https://{address}/health"), Cancel));
        }
    }

    [Fact]
    public async Task A_certificate_counts_for_its_host_alone()
    {
        (string address, IAsyncDisposable listening) = await ListenAsync(_ours.Issue("elsewhere", IPAddress.Parse("192.0.2.1")));
        await using (listening)
            Assert.Equal("its certificate is not believed: it is not for host \"127.0.0.1\"", (await GreetAsync(address, _ours.Issue("node2"))).Failure);
    }

    [Fact]
    public async Task An_agent_that_does_not_speak_TLS_is_told_from_one_that_is_silent()
    {
        (string address, IAsyncDisposable listening) = await ListenAsync(null);
        await using (listening)
        {
            AgentReply reply = await GreetAsync(address, _ours.Issue("node2"));
            Assert.StartsWith("TLS could not be agreed on", reply.Failure, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Files_that_were_replaced_are_read_anew_and_those_of_no_use_are_not()
    {
        Settings settings = _ours.Issue("node1");
        AgentCertificates certificates = Usable(settings);
        string first = Serial(certificates);
        _ours.Issue("node1");
        Touch(settings.ApiSslCertFile!);
        string second = Serial(certificates);
        Assert.NotEqual(first, second);

        File.WriteAllText(settings.ApiSslCertFile!, "half of a cert");
        Assert.Equal(second, Serial(certificates));
        _ours.Issue("node1");
        Touch(settings.ApiSslCertFile!);
        Assert.NotEqual(second, Serial(certificates));
    }

    [Fact]
    public void What_is_wrong_with_the_files_is_said()
    {
        Settings good = _ours.Issue("node1");
        Refused(good with { ApiSslKeyFile = null }, "of api_ssl_cert_file, api_ssl_key_file and api_ssl_ca_file some are set, and some are not");
        Refused(good with { ApiSslCertFile = "/absent.crt" }, "api_ssl_cert_file \"/absent.crt\" cannot be read");
        Refused(good with { ApiSslKeyFile = "/absent.key" }, "api_ssl_key_file \"/absent.key\" cannot be read");
        Refused(good with { ApiSslCaFile = good.ApiSslKeyFile }, $"api_ssl_ca_file \"{good.ApiSslKeyFile}\" holds no certificate");
        Refused(good with { ApiSslKeyFile = _ours.Issue("node2").ApiSslKeyFile }, "cannot be used");
        Assert.Contains("not issued by an authority", Refused(good with { ApiSslCaFile = _theirs.Authorities }, "would not be believed").Detail, StringComparison.Ordinal);
        Assert.Contains("it is valid from", Refused(_ours.Issue("old", isExpired: true), "would not be believed").Detail, StringComparison.Ordinal);

        File.SetUnixFileMode(good.ApiSslKeyFile!, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        Assert.Contains("0600", Refused(good, "has group or world access").Detail, StringComparison.Ordinal);
        Assert.Null(AgentCertificates.Of(new Settings(), null));
    }

    private static Problem Refused(Settings settings, string message)
    {
        Problem? problem = AgentCertificates.Of(settings, null)!.Problem;
        Assert.NotNull(problem);
        Assert.Contains(message, problem.Message, StringComparison.Ordinal);
        return problem;
    }

    private static AgentCertificates Usable(Settings settings)
    {
        AgentCertificates certificates = AgentCertificates.Of(settings, null)!;
        Assert.Null(certificates.Problem);
        return certificates;
    }

    private static string Serial(AgentCertificates certificates) => certificates.ForServer().ServerCertificateContext!.TargetCertificate.SerialNumber;

    // Two files that are written within one tick of the file system's clock look alike.
    private static void Touch(string file) => File.SetLastWriteTimeUtc(file, File.GetLastWriteTimeUtc(file).AddSeconds(1));

    private static async Task<AgentReply> GreetAsync(string address, Settings? settings)
    {
        using var client = new AgentClient(Seal, OneAgent.Id(1), 7, Within, settings is null ? null : Usable(settings));
        return await client.AskAsync(new AgentEndpoint(address) { Boot = 5 }, HttpMethod.Get, AgentApi.GreetingPath, [], Within, Cancel);
    }

    private static HttpClient Anybody(X509Certificate2? shown) => new(new SocketsHttpHandler
    {
        SslOptions = new SslClientAuthenticationOptions
        {
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
            ClientCertificateContext = shown is null ? null : SslStreamCertificateContext.Create(shown, null, offline: true),
        },
    });

    private static Task<(string Address, IAsyncDisposable Listening)> ListenAsync(Settings? settings) =>
        ListeningAgent.StartAsync(Seal, settings is null ? null : Usable(settings), _ => Task.FromResult<Envelope?>(null), Cancel);
}
