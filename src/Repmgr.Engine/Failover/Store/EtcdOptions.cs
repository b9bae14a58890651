using System.Security.Cryptography.X509Certificates;
using Repmgr.Core.Problems;
using Repmgr.Core.Settings;

namespace Repmgr.Engine.Failover.Store;

/// <summary>How etcd is reached. The password is read anew with each login, so that it can be changed.</summary>
/// <param name="Endpoints">Tried in turn.</param>
/// <param name="User">Null: without a user.</param>
/// <param name="Password">Reads it; null: there is none, or it cannot be read.</param>
/// <param name="Authorities">Whose certificates are taken; null: those of the system.</param>
/// <param name="Certificate">The client's own; null: none.</param>
internal sealed record EtcdOptions(
    IReadOnlyList<Uri> Endpoints, string? User, Func<string?> Password, X509Certificate2Collection? Authorities, X509Certificate2? Certificate)
{
    public const string PasswordVariable = "REPMGR_ETCD_PASSWORD";

    /// <summary>Of a node's configuration; or what is wrong with it.</summary>
    public static (EtcdOptions? Options, Problem? Problem) Of(Settings settings)
    {
        try
        {
            X509Certificate2Collection? authorities = null;
            if (settings.EtcdCaFile is { } file)
            {
                authorities = [];
                authorities.ImportFromPemFile(file);
            }

            X509Certificate2? own = settings.EtcdCertFile is { } certificate ? X509Certificate2.CreateFromPemFile(certificate, settings.EtcdKeyFile) : null;
            string? password = settings.EtcdPasswordFile;
            return (new EtcdOptions([.. settings.EtcdEndpoints.Select(endpoint => new Uri(endpoint))], settings.EtcdUser, () => Read(password), authorities, own), null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            return (null, new Problem("the certificates for etcd cannot be read", e.Message, "Correct etcd_ca_file, etcd_cert_file and etcd_key_file, or let the user that repmgrd runs as read them."));
        }
    }

    private static string? Read(string? file)
    {
        try
        {
            return file is null ? Environment.GetEnvironmentVariable(PasswordVariable) : File.ReadAllText(file).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
