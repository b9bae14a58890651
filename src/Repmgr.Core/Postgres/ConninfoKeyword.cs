namespace Repmgr.Core.Postgres;

/// <summary>A keyword of libpq's connection strings.</summary>
/// <param name="Name">As it is written.</param>
/// <param name="Variable">The environment variable that gives its value when the string does not; null when there is none.</param>
/// <param name="Kind">What values it takes.</param>
/// <remarks>https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS</remarks>
public sealed record ConninfoKeyword(string Name, string? Variable, ValueKind Kind = ValueKind.Text)
{
    /// <summary>Its value must never be shown.</summary>
    public bool IsSecret => Kind == ValueKind.Secret;

    /// <summary>The words it takes, for <see cref="ValueKind.Word"/>.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Why it cannot be honoured here, as a whole sentence; null when it can. Only a value that would change something is refused.</summary>
    public string? Refused { get; init; }

    /// <summary>The values under which a refused keyword changes nothing.</summary>
    public IReadOnlyList<string> Harmless { get; init; } = [];

    /// <summary>All keywords of PostgreSQL 19's libpq, and those of older ones that were taken away.</summary>
    public static IReadOnlyList<ConninfoKeyword> All { get; } =
    [
        new("service", "PGSERVICE"),
        new("servicefile", "PGSERVICEFILE"),
        new("user", "PGUSER"),
        new("password", "PGPASSWORD", ValueKind.Secret),
        new("passfile", "PGPASSFILE"),
        new("channel_binding", "PGCHANNELBINDING", ValueKind.Word) { Words = ["disable", "prefer", "require"] },
        new("connect_timeout", "PGCONNECT_TIMEOUT", ValueKind.Integer),
        new("dbname", "PGDATABASE"),
        new("host", "PGHOST"),
        new("hostaddr", "PGHOSTADDR"),
        new("port", "PGPORT"),
        new("client_encoding", "PGCLIENTENCODING"),
        new("options", "PGOPTIONS"),
        new("application_name", "PGAPPNAME"),
        new("fallback_application_name", null),
        new("keepalives", null, ValueKind.Integer),
        new("keepalives_idle", null, ValueKind.Integer),
        new("keepalives_interval", null, ValueKind.Integer),
        new("keepalives_count", null, ValueKind.Integer),
        new("tcp_user_timeout", null, ValueKind.Integer),
        new("sslmode", "PGSSLMODE", ValueKind.Word) { Words = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] },
        new("sslnegotiation", "PGSSLNEGOTIATION", ValueKind.Word) { Words = ["postgres", "direct"] },
        new("sslcompression", "PGSSLCOMPRESSION", ValueKind.Flag)
        {
            Refused = "TLS compression is unsafe, and PostgreSQL itself no longer offers it.",
            Harmless = ["0"],
        },
        new("sslcert", "PGSSLCERT"),
        new("sslkey", "PGSSLKEY"),
        new("sslcertmode", "PGSSLCERTMODE", ValueKind.Word) { Words = ["disable", "allow", "require"] },
        new("sslpassword", null, ValueKind.Secret),
        new("sslrootcert", "PGSSLROOTCERT"),
        new("sslcrl", "PGSSLCRL") { Refused = "Certificate revocation lists are not supported." },
        new("sslcrldir", "PGSSLCRLDIR") { Refused = "Certificate revocation lists are not supported." },
        new("sslsni", "PGSSLSNI", ValueKind.Flag),
        new("sslkeylogfile", null) { Refused = "TLS keys are never written to a file." },
        new("requirepeer", "PGREQUIREPEER") { Refused = "The owner of the server's process cannot be checked before the login." },
        new("require_auth", "PGREQUIREAUTH"),
        new("min_protocol_version", "PGMINPROTOCOLVERSION", ValueKind.Word)
        {
            Words = ["3.0", "3.2", "latest"],
            Refused = "Version 3.0 of the protocol is spoken.",
            Harmless = ["3.0"],
        },
        new("max_protocol_version", "PGMAXPROTOCOLVERSION", ValueKind.Word) { Words = ["3.0", "3.2", "latest"] },
        new("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", ValueKind.Word) { Words = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] },
        new("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", ValueKind.Word) { Words = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] },
        new("gssencmode", "PGGSSENCMODE", ValueKind.Word)
        {
            Words = ["disable", "prefer", "require"],
            Refused = "GSSAPI is not supported.",
            Harmless = ["disable", "prefer"],
        },
        new("krbsrvname", "PGKRBSRVNAME") { Refused = "GSSAPI is not supported.", Harmless = ["postgres"] },
        new("gsslib", "PGGSSLIB") { Refused = "GSSAPI is not supported." },
        new("gssdelegation", "PGGSSDELEGATION", ValueKind.Flag) { Refused = "GSSAPI is not supported.", Harmless = ["0"] },
        new("replication", null),
        new("target_session_attrs", "PGTARGETSESSIONATTRS", ValueKind.Word)
        {
            Words = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"],
        },
        new("load_balance_hosts", "PGLOADBALANCEHOSTS", ValueKind.Word) { Words = ["disable", "random"] },
        new("scram_client_key", null, ValueKind.Secret) { Refused = "Logging in with SCRAM keys in place of a password is not supported." },
        new("scram_server_key", null, ValueKind.Secret) { Refused = "Logging in with SCRAM keys in place of a password is not supported." },
        new("oauth_issuer", null) { Refused = "OAuth is not supported." },
        new("oauth_client_id", null) { Refused = "OAuth is not supported." },
        new("oauth_client_secret", null, ValueKind.Secret) { Refused = "OAuth is not supported." },
        new("oauth_scope", null) { Refused = "OAuth is not supported." },
        new("oauth_ca_file", "PGOAUTHCAFILE") { Refused = "OAuth is not supported." },
    ];

    private static readonly Dictionary<string, ConninfoKeyword> ByName = All.ToDictionary(keyword => keyword.Name, StringComparer.Ordinal);

    /// <summary>The keyword of that name, or null. Names are case-sensitive, as in libpq.</summary>
    public static ConninfoKeyword? Find(string name) => ByName.GetValueOrDefault(name);
}

/// <summary>What values a keyword takes.</summary>
public enum ValueKind
{
    Text,

    /// <summary>Text that must never be shown.</summary>
    Secret,
    Integer,

    /// <summary>0 or 1.</summary>
    Flag,

    /// <summary>One of <see cref="ConninfoKeyword.Words"/>.</summary>
    Word,
}
