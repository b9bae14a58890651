using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Repmgr.Core.Settings;

namespace Repmgr.Tests.Failover.Agents;

/// <summary>An authority that issues certificates for agents on this host.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly string _directory;
    private readonly X509Certificate2 _own;
    private int _issued;

    public TestAuthority(string directory, string name)
    {
        _directory = Directory.CreateDirectory(Path.Combine(directory, name)).FullName;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        _own = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-3), DateTimeOffset.UtcNow.AddYears(3));
        File.WriteAllText(Authorities, _own.ExportCertificatePem());
    }

    public string Authorities => Path.Combine(_directory, "ca.crt");

    public void Dispose() => _own.Dispose();

    /// <summary>A certificate and its key, in files of this name, and what repmgr.conf says of them.</summary>
    public Settings Issue(string name, IPAddress? address = null, bool isExpired = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(address ?? IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset until = DateTimeOffset.UtcNow.AddDays(isExpired ? -1 : 30);
        using X509Certificate2 issued = request.Create(_own, until.AddYears(-1), until, [(byte)++_issued]);
        var settings = new Settings
        {
            ApiSslCertFile = Path.Combine(_directory, $"{name}.crt"),
            ApiSslKeyFile = Path.Combine(_directory, $"{name}.key"),
            ApiSslCaFile = Authorities,
        };
        File.WriteAllText(settings.ApiSslCertFile, issued.ExportCertificatePem());
        File.WriteAllText(settings.ApiSslKeyFile, key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(settings.ApiSslKeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return settings;
    }
}
