namespace Repmgr.Core.Postgres;

/// <summary>Makes the <c>primary_conninfo</c> of a standby from the conninfo of the node it is to follow.</summary>
/// <remarks>https://www.postgresql.org/docs/current/runtime-config-replication.html#GUC-PRIMARY-CONNINFO</remarks>
public static class PrimaryConninfo
{
    // Each of them is about the sessions of repmgr, or about this machine, and not about how the upstream is reached. One node
    // is meant, so that target_session_attrs, which on a cascading upstream would refuse every connection, has no place.
    private static readonly string[] NotForReceivers =
    [
        "application_name", "fallback_application_name", "client_encoding", "options", "password", "passfile", "replication", "servicefile",
        "target_session_attrs", "load_balance_hosts",
    ];

    /// <summary>Builds the setting.</summary>
    /// <param name="upstream">The registered conninfo of the upstream.</param>
    /// <param name="nodeName">The standby's name; it becomes its application_name, by which it is recognised and made synchronous.</param>
    /// <param name="credentials">How it logs in.</param>
    /// <param name="version">
    /// The standby's version. From 17 on dbname stays: the slot synchronisation worker connects to that database and stops
    /// without one. The receiver itself ignores it.
    /// </param>
    public static Conninfo Build(Conninfo upstream, string nodeName, ReplicationCredentials credentials, PostgresVersion version)
    {
        Conninfo result = NotForReceivers.Aggregate(upstream, (conninfo, keyword) => conninfo.Without(keyword));
        if (version.Major < 17)
            result = result.Without("dbname");
        if (credentials.User is { } user)
            result = result.With("user", user);
        if (credentials.Passfile is { } passfile)
            result = result.With("passfile", passfile);
        if (credentials.Password is { } password)
            result = result.With("password", password);
        return result.With("application_name", nodeName);
    }
}

/// <summary>How a standby logs in to its upstream.</summary>
/// <param name="User"><c>replication_user</c>; null: as the upstream's conninfo says.</param>
/// <param name="Passfile"><c>passfile</c>, or null.</param>
/// <param name="Password">Only with <c>use_primary_conninfo_password</c>; null in every other case.</param>
public sealed record ReplicationCredentials(string? User, string? Passfile, string? Password)
{
    /// <summary>Hides the password, as records print all they hold.</summary>
    public override string ToString() => $"ReplicationCredentials {{ User = {User}, Passfile = {Passfile} }}";
}
