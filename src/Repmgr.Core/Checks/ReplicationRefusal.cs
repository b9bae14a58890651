using Repmgr.Core.Postgres;

namespace Repmgr.Core.Checks;

/// <summary>Why a server did not let a standby's kind of connection in.</summary>
/// <param name="SqlState">PostgreSQL's code; null when there is none.</param>
/// <param name="Reason">Its words, without any password.</param>
public sealed record ReplicationRefusal(string? SqlState, string Reason)
{
    /// <summary>What is to be done about it.</summary>
    /// <param name="server">The server, for messages.</param>
    /// <param name="role">The role that replicates.</param>
    public string Hint(string server, string role) => SqlState switch
    {
        "28000" => $"Add a line for database \"replication\" and user \"{role}\" to pg_hba.conf on {server}, and reload it.",
        "28P01" => $"Correct the password of role \"{role}\" in the password file: a line for replication names the database \"replication\".",
        "42501" => $"Let the role replicate: ALTER ROLE {SqlText.Name(role)} REPLICATION.",
        "53300" => $"Raise max_wal_senders on {server} and restart it, or end connections that are not needed.",
        _ => $"See what the log of {server} says of it.",
    };
}
