using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;
using Repmgr.Engine.Logging;

namespace Repmgr.Engine.Failover;

/// <summary>
/// TLS between agents, with certificates on both sides (docs/adr/0112). Files that were replaced are read anew for the next connection; where they are of no use, those
/// before go on being used.
/// </summary>
public sealed class AgentCertificates
{
    private const SslProtocols Versions = SslProtocols.Tls12 | SslProtocols.Tls13;

    /// <summary>A connection is kept no longer than this: then the certificates that are valid now are looked at.</summary>
    internal static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(5);

    private readonly CertificateFiles? _files;
    private readonly ILog? _log;
    private readonly SaidOnce? _refused;
    private readonly Lock _lock = new();
    private LoadedCertificates? _loaded;
    private IReadOnlyList<(DateTime, long)> _stamps = [];

    private AgentCertificates(CertificateFiles? files, Problem? problem, ILog? log)
    {
        _files = files;
        _log = log;
        _refused = log is null ? null : new SaidOnce(log);
        Problem = problem;
        if (files is null)
            return;
        _stamps = files.Stamps();
        (_loaded, Problem) = files.Load();
    }

    /// <summary>Why they could not be used at first; null: they can.</summary>
    public Problem? Problem { get; }

    /// <summary>Those of a configuration; null: it has none, and agents speak without TLS.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="log">Hears of certificates that were read anew, and of those that were refused; null: nobody does.</param>
    public static AgentCertificates? Of(Settings settings, ILog? log)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return (settings.ApiSslCertFile, settings.ApiSslKeyFile, settings.ApiSslCaFile) switch
        {
            (null, null, null) => null,
            ({ } certificate, { } key, { } authorities) => new AgentCertificates(new CertificateFiles(certificate, key, authorities), null, log),
            _ => new AgentCertificates(
                null, new Problem("of api_ssl_cert_file, api_ssl_key_file and api_ssl_ca_file some are set, and some are not", Hint: "Set all three, on all nodes, or none."), log),
        };
    }

    /// <summary>
    /// For the side that is asked. Who shows no certificate gets in: health is for everybody, and what is not is refused later. One that is not believed is refused at once.
    /// </summary>
    public SslServerAuthenticationOptions ForServer()
    {
        LoadedCertificates loaded = Current();
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = loaded.Own,
            ClientCertificateRequired = true,
            EnabledSslProtocols = Versions,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, shown, sent, _) =>
            {
                if (shown is null)
                    return true;
                string? objection = Objection(loaded, shown, sent);
                if (objection is not null)
                    _refused?.Say(Severity.Warning, $"who asked this agent showed a certificate that is not believed: {objection}", $"It is for {shown.Subject}.");
                return objection is null;
            },
        };
    }

    /// <summary>Connects to an agent, and sees that it is one of this cluster, at the host that it was asked for.</summary>
    internal async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        LoadedCertificates loaded = Current();
        string host = context.DnsEndPoint.Host;
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        SslStream? tls = null;
        string? objection = null;
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancel);
            tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = host,
                    ClientCertificateContext = loaded.Own,
                    EnabledSslProtocols = Versions,
                    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                    RemoteCertificateValidationCallback = (_, shown, sent, errors) =>
                        (objection = Objection(loaded, shown, sent) ?? (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? $"it is not for host \"{host}\"" : null)) is null,
                },
                cancel);
            return tls;
        }
        catch (Exception failed)
        {
            if (tls is not null)
                await tls.DisposeAsync();
            socket.Dispose();
            if (failed is AuthenticationException)
                throw new AuthenticationException(objection is null ? $"TLS could not be agreed on: {failed.Message}" : $"its certificate is not believed: {objection}", failed);
            throw;
        }
    }

    private static string? Objection(LoadedCertificates loaded, X509Certificate? shown, X509Chain? sent) =>
        shown is X509Certificate2 certificate ? loaded.Objection(certificate, sent?.ChainPolicy.ExtraStore ?? []) : "there is none";

    /// <exception cref="AuthenticationException">There are none that can be used.</exception>
    private LoadedCertificates Current()
    {
        lock (_lock)
        {
            if (_files is not null)
                LookAgain(_files);
            return _loaded ?? throw new AuthenticationException(Problem?.Message ?? "there are no certificates");
        }
    }

    private void LookAgain(CertificateFiles files)
    {
        IReadOnlyList<(DateTime, long)> stamps = files.Stamps();
        if (stamps.SequenceEqual(_stamps))
            return;
        _stamps = stamps;
        (LoadedCertificates? loaded, Problem? problem) = files.Load();
        if (problem is not null)
        {
            _log?.Warning($"certificates were replaced, and those before go on being used: {problem.Message}", problem.Detail, problem.Hint);
            return;
        }

        // Connections that are being made use the ones before still: they are left to the collector.
        _loaded = loaded;
        _log?.Notice("certificates were read anew", $"For {loaded!.Own.TargetCertificate.Subject}, {LoadedCertificates.Validity(loaded.Own.TargetCertificate)}.");
    }
}
