namespace Repmgr.Core.Checks.Nodes;

/// <summary>What came of a check. The numbers are the exit codes of a Nagios plugin.</summary>
/// <remarks>https://nagios-plugins.org/doc/guidelines.html#AEN78</remarks>
public enum CheckStatus
{
    Ok = 0,
    Warning = 1,
    Critical = 2,

    /// <summary>It could not be found out.</summary>
    Unknown = 3,
}

/// <summary>What a status is called.</summary>
public static class CheckStatusNames
{
    public static string Name(this CheckStatus status) => status.ToString().ToUpperInvariant();
}

/// <summary>Something that <c>node check</c> looks at.</summary>
/// <param name="Key">As it is called in JSON, and with dashes as an option.</param>
/// <param name="Title">As it is called for people.</param>
/// <param name="NagiosName">As a Nagios plugin calls it.</param>
public sealed record CheckItem(string Key, string Title, string NagiosName)
{
    public static readonly CheckItem Role = new("role", "Server role", "REPMGR_SERVER_ROLE");
    public static readonly CheckItem Lag = new("replication_lag", "Replication lag", "REPMGR_REPLICATION_LAG");
    public static readonly CheckItem Archive = new("archive_ready", "WAL archiving", "REPMGR_ARCHIVE_READY");
    public static readonly CheckItem Upstream = new("upstream", "Upstream connection", "REPMGR_UPSTREAM_SERVER");
    public static readonly CheckItem Downstream = new("downstream", "Downstream servers", "REPMGR_DOWNSTREAM_SERVERS");
    public static readonly CheckItem Slots = new("slots", "Replication slots", "REPMGR_INACTIVE_SLOTS");
    public static readonly CheckItem MissingSlots = new("missing_slots", "Missing physical replication slots", "REPMGR_MISSING_SLOTS");
    public static readonly CheckItem DataDirectory = new("data_directory_config", "Configured data directory", "REPMGR_DATA_DIRECTORY");

    /// <summary>Only when it is asked for.</summary>
    public static readonly CheckItem Repmgrd = new("repmgrd", "repmgrd", "REPMGRD");

    /// <summary>Only when it is asked for.</summary>
    public static readonly CheckItem Connection = new("db_connection", "Database connection", "REPMGR_DB_CONNECTION");

    /// <summary>What a full check looks at, in its order.</summary>
    public static readonly IReadOnlyList<CheckItem> Full = [Role, Lag, Archive, Upstream, Downstream, Slots, MissingSlots, DataDirectory];

    /// <summary>Whether the other nodes have to be asked for it.</summary>
    public bool IsAboutOthers => this == Role || this == Lag || this == Upstream || this == Downstream;
}

/// <summary>What a check found.</summary>
/// <param name="Item">What was looked at.</param>
/// <param name="Status">How it is.</param>
/// <param name="Details">Why, for people: a clause.</param>
public sealed record CheckFinding(CheckItem Item, CheckStatus Status, string Details)
{
    /// <summary>Behind the bar of a Nagios line; null: nothing.</summary>
    public string? Performance { get; init; }

    /// <summary>What a Nagios line says where that is not <see cref="Details"/>.</summary>
    public string? NagiosDetails { get; init; }

    /// <summary>The numbers behind it, by their names in JSON.</summary>
    public IReadOnlyDictionary<string, long> Values { get; init; } = new Dictionary<string, long>();
}
