namespace Repmgr.Core.Postgres;

/// <summary>Where a server is to be reached.</summary>
/// <param name="Host">A name, an address, or the directory of a Unix-domain socket (it begins with <c>/</c> or <c>@</c>). Empty when only an address was given.</param>
/// <param name="Address">The address to connect to in place of looking the name up; null: look it up.</param>
/// <param name="Port">The port, which also is part of a socket's name.</param>
public sealed record HostTarget(string Host, string? Address, int Port)
{
    public bool IsSocket => Address is null && Host is ['/' or '@', ..];

    /// <summary>How libpq's messages name it: <c>server at "node1", port 5432</c>.</summary>
    public override string ToString() => (IsSocket, Address) switch
    {
        (true, _) => $"server on socket \"{Host}/.s.PGSQL.{Port}\"",
        (_, null) => $"server at \"{Host}\", port {Port}",
        _ when Host.Length == 0 || Host == Address => $"server at \"{Address}\", port {Port}",
        _ => $"server at \"{Host}\" ({Address}), port {Port}",
    };
}

/// <summary>A connection string with everything filled in that libpq takes from elsewhere, each value read and checked.</summary>
public sealed record ConnectionSettings
{
    public required IReadOnlyList<HostTarget> Hosts { get; init; }
    public required string User { get; init; }
    public required string Database { get; init; }

    /// <summary>Null: the password file may have one for the host.</summary>
    public string? Password { get; init; }
    public string? Passfile { get; init; }

    /// <summary>For each host; null: none was given.</summary>
    public TimeSpan? ConnectTimeout { get; init; }
    public string? ApplicationName { get; init; }
    public string? Options { get; init; }
    public bool RandomHost { get; init; }

    /// <summary>A standby's kind of connection: it takes replication commands and no SQL.</summary>
    public bool IsReplication { get; init; }
    public SessionAttributes Attributes { get; init; }

    public TlsMode TlsMode { get; init; } = TlsMode.Prefer;
    public bool DirectTls { get; init; }

    /// <summary>A file; <c>system</c> stands for the system's store; null: the default file, if it exists.</summary>
    public string? RootCertificate { get; init; }
    public string? ClientCertificate { get; init; }
    public string? ClientKey { get; init; }
    public string? ClientKeyPassword { get; init; }
    public ClientCertificateMode ClientCertificateMode { get; init; } = ClientCertificateMode.Allow;
    public bool ServerNameIndication { get; init; } = true;
    public TlsVersion MinTls { get; init; } = TlsVersion.Tls12;
    public TlsVersion? MaxTls { get; init; }
    public Preference ChannelBinding { get; init; } = Preference.Prefer;

    /// <summary>The list of ways to log in, as written; null: any.</summary>
    public string? RequireAuth { get; init; }

    public bool KeepAlive { get; init; } = true;

    /// <summary>Null: the system's.</summary>
    public TimeSpan? KeepAliveIdle { get; init; }
    public TimeSpan? KeepAliveInterval { get; init; }
    public int? KeepAliveCount { get; init; }
    public TimeSpan? TcpUserTimeout { get; init; }
}

/// <summary><c>sslmode</c></summary>
public enum TlsMode
{
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// <summary><c>sslcertmode</c></summary>
public enum ClientCertificateMode
{
    Disable,
    Allow,
    Require,
}

/// <summary>A version of TLS, in order.</summary>
public enum TlsVersion
{
    Tls10,
    Tls11,
    Tls12,
    Tls13,
}

/// <summary><c>channel_binding</c></summary>
public enum Preference
{
    Disable,
    Prefer,
    Require,
}

/// <summary><c>target_session_attrs</c></summary>
public enum SessionAttributes
{
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}
