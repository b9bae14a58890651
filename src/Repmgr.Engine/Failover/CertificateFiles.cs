using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Repmgr.Core.Problems;
using Repmgr.Engine.Files;

namespace Repmgr.Engine.Failover;

/// <summary>What an agent shows, and whom it believes.</summary>
/// <param name="Own">Its certificate with its key, and those between it and the authority.</param>
/// <param name="Authorities">Who may have issued a certificate.</param>
internal sealed record LoadedCertificates(SslStreamCertificateContext Own, X509Certificate2Collection Authorities)
{
    /// <summary>Why a certificate is not believed, as a clause about it; null: it is.</summary>
    /// <param name="shown">The certificate.</param>
    /// <param name="between">Those that came with it.</param>
    public string? Objection(X509Certificate2 shown, X509Certificate2Collection between)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Authorities);
        chain.ChainPolicy.ExtraStore.AddRange(between);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        if (chain.Build(shown))
            return null;
        X509ChainStatusFlags found = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (flags, status) => flags | status.Status);
        return found.HasFlag(X509ChainStatusFlags.PartialChain) || found.HasFlag(X509ChainStatusFlags.UntrustedRoot) ? "it was not issued by an authority in api_ssl_ca_file"
            : found.HasFlag(X509ChainStatusFlags.NotTimeValid) ? Validity(shown)
            : string.Join(" ", chain.ChainStatus.Select(status => status.StatusInformation.Trim())).TrimEnd('.');
    }

    public static string Validity(X509Certificate2 certificate) => string.Create(
        CultureInfo.InvariantCulture, $"it is valid from {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} to {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC");
}

/// <summary>The three files of <c>api_ssl_*</c>.</summary>
internal sealed record CertificateFiles(string Certificate, string Key, string Authorities)
{
    private const UnixFileMode OfOthers =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>By which it is seen that one of them was replaced.</summary>
    public IReadOnlyList<(DateTime, long)> Stamps() => [.. new[] { Certificate, Key, Authorities }.Select(path => new FileInfo(path)).Select(file => file.Exists ? (file.LastWriteTimeUtc, file.Length) : default)];

    /// <summary>Reads them, and sees whether they fit together.</summary>
    public (LoadedCertificates? Loaded, Problem? Problem) Load()
    {
        if (WrongMode() is { } wrong)
            return (null, wrong);
        if (Read("api_ssl_cert_file", Certificate, out X509Certificate2Collection shown) is { } unread)
            return (null, unread);
        if (Read("api_ssl_ca_file", Authorities, out X509Certificate2Collection authorities) is { } unknown)
            return (null, unknown);
        X509Certificate2 own;
        try
        {
            own = X509Certificate2.CreateFromPemFile(Certificate, Key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            return (null, new Problem(
                $"api_ssl_key_file \"{Key}\" cannot be used", $"{e.Message.TrimEnd('.')}.",
                $"It has to hold the private key of the certificate in \"{Certificate}\", in PEM form and without a passphrase."));
        }

        X509Certificate2Collection between = [.. shown.Skip(1)];
        var loaded = new LoadedCertificates(SslStreamCertificateContext.Create(own, between, offline: true), authorities);
        return loaded.Objection(own, between) is { } objection
            ? (null, new Problem(
                $"the certificate in api_ssl_cert_file \"{Certificate}\" would not be believed by the other agents", $"For {own.Subject}, {objection}.",
                "All nodes need certificates of the same authority, whose own certificate is in api_ssl_ca_file."))
            : (loaded, null);
    }

    /// <summary>PostgreSQL's rule for its own key.</summary>
    /// <remarks>https://www.postgresql.org/docs/current/ssl-tcp.html</remarks>
    private Problem? WrongMode()
    {
        try
        {
            UnixFileMode mode = File.GetUnixFileMode(Key);
            uint owner = NativeFile.Owner(Key).User;
            UnixFileMode forbidden = owner == 0 && NativeFile.EffectiveUser() != 0 ? OfOthers & ~UnixFileMode.GroupRead : OfOthers;
            return (mode & forbidden) == 0 ? null : new Problem(
                $"api_ssl_key_file \"{Key}\" has group or world access",
                "It must have permissions u=rw (0600) or less if it belongs to the user that repmgrd runs as, or u=rw,g=r (0640) or less if it belongs to root.",
                $"Run \"chmod 0600 {Key}\".");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new Problem($"api_ssl_key_file \"{Key}\" cannot be read", $"{e.Message.TrimEnd('.')}.");
        }
    }

    private static Problem? Read(string key, string path, out X509Certificate2Collection read)
    {
        read = [];
        try
        {
            read.ImportFromPemFile(path);
            return read.Count > 0 ? null : new Problem($"{key} \"{path}\" holds no certificate", Hint: "It has to be in PEM form.");
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return new Problem($"{key} \"{path}\" cannot be read", $"{e.Message.TrimEnd('.')}.");
        }
    }
}
