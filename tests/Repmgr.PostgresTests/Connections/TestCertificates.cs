using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Connections;

/// <summary>An authority that signs a server's and a client's certificate, and one that signs nothing; all as PEM files.</summary>
internal sealed class TestCertificates(string directory)
{
    public const string ServerName = "node1.example";
    public const string ClientKeyPassword = "open-the-key";

    public string Root => Path.Combine(directory, "root.crt");
    public string OtherRoot => Path.Combine(directory, "other.crt");
    public string ServerCertificate => Path.Combine(directory, "server.crt");
    public string ServerKey => Path.Combine(directory, "server.key");
    public string ClientCertificate => Path.Combine(directory, "client.crt");
    public string ClientKey => Path.Combine(directory, "client.key");
    public string EncryptedClientKey => Path.Combine(directory, "client.encrypted.key");

    public static async Task<TestCertificates> CreateAsync(Lab lab)
    {
        TestCertificates certificates = new(await lab.SubdirectoryAsync("tls"));
        certificates.Write();
        await TestUser.GiveAsync(certificates.ServerKey, TestUser.Name);
        return certificates;
    }

    private void Write()
    {
        using ECDsa rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 root = Authority("CN=test root", rootKey);
        using ECDsa otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 other = Authority("CN=other root", otherKey);
        File.WriteAllText(Root, root.ExportCertificatePem());
        File.WriteAllText(OtherRoot, other.ExportCertificatePem());

        // Through an intermediate authority, whose certificate the client sends along.
        using ECDsa middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 middle = Sign("CN=test intermediate", middleKey, root, authority: true).CopyWithPrivateKey(middleKey);
        using ECDsa serverKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 server = Sign("CN=" + ServerName, serverKey, root, ServerName);
        using ECDsa clientKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 client = Sign("CN=repmgr", clientKey, middle);
        File.WriteAllText(ServerCertificate, server.ExportCertificatePem());
        WriteSecret(ServerKey, serverKey.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(ClientCertificate, client.ExportCertificatePem() + "\n" + middle.ExportCertificatePem() + "\n");
        WriteSecret(ClientKey, clientKey.ExportPkcs8PrivateKeyPem());
        PbeParameters encryption = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 10_000);
        WriteSecret(EncryptedClientKey, clientKey.ExportEncryptedPkcs8PrivateKeyPem(ClientKeyPassword, encryption));
    }

    private static void WriteSecret(string path, string text)
    {
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static X509Certificate2 Authority(string name, ECDsa key)
    {
        CertificateRequest request = new(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
    }

    private static X509Certificate2 Sign(string name, ECDsa key, X509Certificate2 issuer, string? dnsName = null, bool authority = false)
    {
        CertificateRequest request = new(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
        if (dnsName is not null)
        {
            SubjectAlternativeNameBuilder names = new();
            names.AddDnsName(dnsName);
            request.CertificateExtensions.Add(names.Build());
        }

        return request.Create(issuer, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(authority ? 36 : 24), RandomNumberGenerator.GetBytes(12));
    }
}
