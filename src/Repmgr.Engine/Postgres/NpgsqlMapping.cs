using Npgsql;
using Repmgr.Core.Postgres;

namespace Repmgr.Engine.Postgres;

/// <summary>What libpq's keywords are called in Npgsql. The only place that knows both.</summary>
/// <remarks>https://www.npgsql.org/doc/connection-string-parameters.html</remarks>
internal static class NpgsqlMapping
{
    /// <summary>Npgsql's keyword for a replication connection; as a property of its string builder it is internal.</summary>
    private const string ReplicationMode = "Replication Mode";

    /// <summary>The data source for one host. Npgsql reads nothing from the environment or from files: all of it has been resolved.</summary>
    /// <param name="settings">What the connection string says.</param>
    /// <param name="host">The host.</param>
    /// <param name="mode">The TLS mode of this attempt.</param>
    /// <param name="password">The password, or null.</param>
    /// <param name="timeout">How long the attempt may take.</param>
    /// <param name="tls">What TLS is to do; null: no TLS.</param>
    public static NpgsqlDataSource DataSource(
        ConnectionSettings settings, HostTarget host, SslMode mode, string? password, TimeSpan timeout, TlsMapping? tls)
    {
        NpgsqlSlimDataSourceBuilder builder = new(Parameters(settings, host, mode, password, timeout).ConnectionString);
        builder.EnableArrays();
        builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
        if (tls is not null)
        {
            builder.EnableTransportSecurity();
            builder.UseSslClientAuthenticationOptionsCallback(tls.Configure);
        }

        return builder.Build();
    }

    private static NpgsqlConnectionStringBuilder Parameters(
        ConnectionSettings settings, HostTarget host, SslMode mode, string? password, TimeSpan timeout)
    {
        NpgsqlConnectionStringBuilder parameters = new()
        {
            Host = host.Address ?? host.Host,
            Port = host.Port,
            Username = settings.User,
            Database = settings.Database,
            ApplicationName = settings.ApplicationName,
            Options = settings.Options,
            ClientEncoding = "UTF8",
            SslMode = mode,
            SslNegotiation = settings.DirectTls && mode >= SslMode.Require ? SslNegotiation.Direct : SslNegotiation.Postgres,
            ChannelBinding = settings.ChannelBinding switch
            {
                Preference.Disable => ChannelBinding.Disable,
                Preference.Require => ChannelBinding.Require,
                _ => ChannelBinding.Prefer,
            },
            GssEncryptionMode = GssEncryptionMode.Disable,
            TargetSessionAttributes = "any",
            TcpKeepAlive = settings.KeepAlive,
            Pooling = false,
            Enlist = false,
            // Npgsql counts in whole seconds; the connector's own deadline is exact and comes first.
            Timeout = (int)Math.Clamp(Math.Ceiling(timeout.TotalSeconds) + 1, 1, 1024),
            CommandTimeout = 0,
            CancellationTimeout = 1000,
            IncludeErrorDetail = true,
        };
        if (settings.IsReplication)
            parameters[ReplicationMode] = "Physical";
        if (password is not null)
            parameters.Password = password;
        if (settings.RequireAuth is { } methods)
            parameters.RequireAuth = string.Join(',', methods.Split(',').Select(Method));
        return parameters;
    }

    /// <summary>A way to log in as Npgsql spells it; a <c>!</c> before it stays.</summary>
    private static string Method(string method)
    {
        string not = method.Trim().StartsWith('!') ? "!" : "";
        return not + method.Trim().TrimStart('!') switch
        {
            "password" => "Password",
            "md5" => "MD5",
            "gss" => "GSS",
            "sspi" => "SSPI",
            "scram-sha-256" => "ScramSHA256",
            "none" => "None",
            var unknown => throw new ArgumentException($"unknown way to log in: {unknown}", nameof(method)),
        };
    }
}
