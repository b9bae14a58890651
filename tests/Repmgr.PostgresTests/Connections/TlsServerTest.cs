using Repmgr.PostgresTests.Harness;

namespace Repmgr.PostgresTests.Connections;

/// <summary>A test of the connector on a server with certificates.</summary>
public abstract class TlsServerTest : ConnectionTest
{
    private protected TestCertificates Certificates { get; private set; } = null!;

    protected TestServer Server { get; private set; } = null!;

    /// <summary>By the name in the certificate, at the address of the server.</summary>
    protected string Base => $"host={TestCertificates.ServerName} hostaddr=127.0.0.1 port={Server.Port} user=repmgr dbname=repmgr";

    protected async Task StartAsync(int major, bool tls = true, string hba = "host all all all trust")
    {
        Certificates = await TestCertificates.CreateAsync(Lab);
        Server = await Lab.ServerAsync(major);
        if (tls)
        {
            await Server.ConfigureAsync(
                "ssl = on",
                $"ssl_cert_file = '{Certificates.ServerCertificate}'",
                $"ssl_key_file = '{Certificates.ServerKey}'",
                $"ssl_ca_file = '{Certificates.Root}'");
        }

        string[] lines = tls || !hba.StartsWith("hostssl", StringComparison.Ordinal) ? [hba] : [];
        await File.WriteAllLinesAsync(Path.Combine(Server.DataDirectory, "pg_hba.conf"), ["local all all trust", .. lines]);
        await Server.StartAsync();
    }

    protected async Task WriteHbaAsync(string line)
    {
        await File.WriteAllLinesAsync(Path.Combine(Server.DataDirectory, "pg_hba.conf"), ["local all all trust", line]);
        await Server.ReloadAsync();
        await Eventually.TrueAsync(
            () => Server.QueryAsync<bool>($"select exists (select from pg_hba_file_rules where type = '{line.Split(' ')[0]}')"), Seconds(5), "the new pg_hba.conf");
    }
}
