using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Repmgr.Core.Postgres;
using Repmgr.Core.Problems;

namespace Repmgr.Engine.Postgres;

/// <summary>
/// What libpq's <c>ssl…</c> keywords mean for .NET's TLS. The server's certificate is verified here and not by Npgsql, because libpq
/// trusts the root certificates of <c>sslrootcert</c> and no others, verifies the chain whenever such a file exists, and compares the
/// name with <c>host</c> even when it connects to <c>hostaddr</c>.
/// </summary>
/// <remarks>https://www.postgresql.org/docs/current/libpq-ssl.html</remarks>
internal sealed class TlsMapping
{
    private readonly ConnectionSettings _settings;
    private readonly HostTarget _host;
    private readonly X509Certificate2Collection? _roots;
    private readonly SslStreamCertificateContext? _client;

    private TlsMapping(ConnectionSettings settings, HostTarget host, X509Certificate2Collection? roots, SslStreamCertificateContext? client)
    {
        _settings = settings;
        _host = host;
        _roots = roots;
        _client = client;
    }

    /// <summary>Why the last handshake did not trust the server, in libpq's words; null when it did.</summary>
    public string? Distrust { get; private set; }

    private bool VerifiesChain => _settings.TlsMode >= TlsMode.VerifyCa || _roots is not null;

    /// <summary>Reads the certificates; null when that is not possible.</summary>
    public static TlsMapping? Create(ConnectionSettings settings, HostTarget host, ConninfoResolver resolver, out Problem? problem)
    {
        problem = null;
        try
        {
            string? rootFile = settings.RootCertificate ?? resolver.DefaultFile("root.crt");
            bool system = rootFile == "system";
            if (settings.TlsMode >= TlsMode.VerifyCa && !system && (rootFile is null || !File.Exists(rootFile)))
            {
                problem = new Problem(
                    $"root certificate file \"{rootFile ?? "~/.postgresql/root.crt"}\" does not exist",
                    Hint: "Provide the file, use the system's trusted roots with sslrootcert=system, or change sslmode to disable the verification of the server's certificate.");
                return null;
            }

            if (settings.TlsMode >= TlsMode.VerifyCa && resolver.DefaultFile("root.crl") is { } list)
            {
                problem = new Problem($"the certificate revocation list \"{list}\" cannot be honoured", "Certificate revocation lists are not supported.");
                return null;
            }

            return new TlsMapping(settings, host, system || rootFile is null || !File.Exists(rootFile) ? null : ReadRoots(rootFile), ReadClient(settings, resolver));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            problem = new Problem("could not read a certificate or key for TLS", e.Message);
            return null;
        }
    }

    /// <summary>Npgsql's callback before each handshake.</summary>
    public void Configure(SslClientAuthenticationOptions options)
    {
        options.TargetHost = _settings.ServerNameIndication ? Name : "";
        options.EnabledSslProtocols = Protocols;
        options.RemoteCertificateValidationCallback = (_, certificate, chain, _) => Trusts(certificate as X509Certificate2, chain);
        options.CertificateRevocationCheckMode = X509RevocationMode.NoCheck;
        options.ClientCertificates = null;
        options.ClientCertificateContext = _client;
    }

    private string Name => _host.Host.Length > 0 ? _host.Host : _host.Address!;

    private SslProtocols Protocols
    {
        get
        {
            SslProtocols protocols = SslProtocols.None;
            if (_settings.MinTls <= TlsVersion.Tls12 && _settings.MaxTls is null or >= TlsVersion.Tls12)
                protocols |= SslProtocols.Tls12;
            if (_settings.MaxTls is null or >= TlsVersion.Tls13)
                protocols |= SslProtocols.Tls13;
            return protocols;
        }
    }

    private bool Trusts(X509Certificate2? certificate, X509Chain? presented)
    {
        Distrust = certificate is null ? "the server presented no certificate"
            : VerifiesChain && !ChainEndsInRoot(certificate, presented) ? "certificate verify failed"
            : _settings.TlsMode == TlsMode.VerifyFull && !certificate.MatchesHostname(Name) ? $"server certificate does not match host name \"{Name}\""
            : null;
        return Distrust is null;
    }

    private bool ChainEndsInRoot(X509Certificate2 certificate, X509Chain? presented)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1")); // serverAuth
        if (presented is not null)
            chain.ChainPolicy.ExtraStore.AddRange(presented.ChainElements.Select(element => element.Certificate).Concat(presented.ChainPolicy.ExtraStore).ToArray());
        if (_roots is not null)
        {
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(_roots);
        }

        return chain.Build(certificate);
    }

    private static X509Certificate2Collection ReadRoots(string file)
    {
        X509Certificate2Collection roots = [];
        roots.ImportFromPemFile(file);
        return roots;
    }

    private static SslStreamCertificateContext? ReadClient(ConnectionSettings settings, ConninfoResolver resolver)
    {
        string? certificateFile = settings.ClientCertificate ?? resolver.DefaultFile("postgresql.crt");
        if (settings.ClientCertificateMode == ClientCertificateMode.Disable || certificateFile is null || !File.Exists(certificateFile))
            return null;

        string keyFile = settings.ClientKey ?? resolver.DefaultFile("postgresql.key")
            ?? throw new IOException($"certificate present, but no private key file for it: {certificateFile}");
        CheckKeyMode(keyFile);
        X509Certificate2 certificate = settings.ClientKeyPassword is { } password
            ? X509Certificate2.CreateFromEncryptedPemFile(certificateFile, password, keyFile)
            : X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
        X509Certificate2Collection all = [];
        all.ImportFromPemFile(certificateFile);
        return SslStreamCertificateContext.Create(certificate, [.. all.Skip(1)], offline: true);
    }

    /// <summary>A key that others can read is no secret: libpq wants 0600, or 0640 when root owns it.</summary>
    private static void CheckKeyMode(string file)
    {
        if (OperatingSystem.IsWindows())
            return;

        const UnixFileMode tooOpen = UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        UnixFileMode mode = File.GetUnixFileMode(file);
        if ((mode & tooOpen) != 0 || ((mode & UnixFileMode.GroupRead) != 0 && Files.NativeFile.Owner(file).User != 0))
            throw new UnauthorizedAccessException($"private key file \"{file}\" has group or world access; its mode should be 0600, or 0640 if root owns it");
    }
}
